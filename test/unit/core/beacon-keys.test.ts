// The keys of beacons over a rotation: what is sent, what is accepted, and that two daemons that
// learn a new key at different times never refuse each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ACCEPT_OLD_MS,
  BEACON_KEY_BYTES,
  BeaconKeys,
  isSameKey,
  SEND_OLD_MS,
} from "../../../src/core/beacon-keys.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";

const [A, B, C] = [keyOf(1), keyOf(2), keyOf(3)];
const T0 = 1_000_000;

function keyOf(n: number): Uint8Array {
  return new Uint8Array(BEACON_KEY_BYTES).fill(n);
}

/** The first byte of each: "1,2" for A and B. */
function names(keys: readonly (Uint8Array | null)[]): string {
  return keys.map((key) => key?.[0] ?? "none").join();
}

type Learnt = readonly [at: number, current: Uint8Array, previous?: Uint8Array];

function learn(...events: readonly Learnt[]): BeaconKeys {
  const keys = new BeaconKeys();
  for (const [at, current, previous = null] of events) {
    keys.learn({ current, previous }, bootMs(T0 + at));
  }
  return keys;
}

type Row = readonly [
  name: string,
  learnt: readonly Learnt[],
  at: number,
  sending: string,
  accepted: string,
];

const ROTATED: readonly Learnt[] = [
  [0, A],
  [100_000, B],
];

const ROWS: readonly Row[] = [
  ["nothing learnt", [], 0, "none", ""],
  ["the first key, at once", [[0, A]], 0, "1", "1"],
  ["a previous key beside it", [[0, B, A]], 0, "2", "2,1"],
  ["the same key as previous", [[0, A, A]], 0, "1", "1"],
  ["a new key: accepted at once, not sent", ROTATED, 100_000, "1", "2,1"],
  ["just before it is sent", ROTATED, 100_000 + SEND_OLD_MS - 1, "1", "2,1"],
  ["when it is sent", ROTATED, 100_000 + SEND_OLD_MS, "2", "2,1"],
  ["the old one to the end of its window", ROTATED, 100_000 + ACCEPT_OLD_MS - 1, "2", "2,1"],
  ["no longer", ROTATED, 100_000 + ACCEPT_OLD_MS, "2", "2"],
  [
    "as long as the Secret names it",
    [
      [0, A],
      [9, B, A],
    ],
    999_999,
    "2",
    "2,1",
  ],
  ["told again: the window is not opened anew", [...ROTATED, [150_000, B]], 160_000, "2", "2"],
  [
    "previous is taken back",
    [
      [0, B, A],
      [9, B],
    ],
    9,
    "2",
    "2",
  ],
  [
    "two rotations at once: the first comes to be sent",
    [
      [0, A],
      [9, B],
      [99, C],
    ],
    5_010,
    "2",
    "3,2,1",
  ],
  [
    "two rotations at once: then the second",
    [
      [0, A],
      [9, B],
      [99, C],
    ],
    5_100,
    "3",
    "3,2,1",
  ],
  [
    "taken back before it was sent",
    [
      [0, A],
      [9, B],
      [99, A],
    ],
    100,
    "1",
    "1,2",
  ],
  [
    "taken back after it was sent",
    [
      [0, A],
      [9, B],
      [9_000, A],
    ],
    9_001,
    "2",
    "1,2",
  ],
];

for (const [name, learnt, at, sending, accepted] of ROWS) {
  test(`BeaconKeys sends and accepts: ${name}`, () => {
    const keys = learn(...learnt);
    const now = bootMs(T0 + at);
    assert.equal(names([keys.sending(now)]), sending);
    assert.equal(names(keys.accepted(now)), accepted);
  });
}

test("BeaconKeys.nextDeadline() is when sending, then accepting, changes", () => {
  assert.equal(learn().nextDeadline(bootMs(T0)), NEVER);
  assert.equal(learn([0, A]).nextDeadline(bootMs(T0)), NEVER);
  const keys = learn([0, A], [0, B]);
  assert.equal(keys.nextDeadline(bootMs(T0)), T0 + SEND_OLD_MS);
  assert.equal(keys.nextDeadline(bootMs(T0 + SEND_OLD_MS)), T0 + ACCEPT_OLD_MS);
  assert.equal(keys.nextDeadline(bootMs(T0 + ACCEPT_OLD_MS)), NEVER);
});

test("BeaconKeys is bounded, however often the key changes", () => {
  const keys = learn(...Array.from({ length: 100 }, (_, n): Learnt => [n, keyOf(n)]));
  const accepted = keys.accepted(bootMs(T0 + 100));
  assert.equal(accepted.length, 8);
  assert.equal(names(accepted.slice(0, 2)), "99,98");
});

/** A rotation: time since the one before, when each daemon learns it, the key, is the old named. */
const rotation = fc.record({
  gap: fc.integer({ min: 0, max: 90_000 }),
  lag: fc.tuple(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 0, max: 4_000 })),
  key: fc.integer({ min: 1, max: 4 }),
  named: fc.boolean(),
});

test("BeaconKeys: two that learn each key at most 4 s apart accept each other at any time", () => {
  const offsets = fc.array(fc.integer({ min: 0, max: 120_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(rotation, { minLength: 1, maxLength: 5 }),
      offsets,
      (rotations, probes) => {
        const pair = [new BeaconKeys(), new BeaconKeys()] as const;
        for (const keys of pair) keys.learn({ current: A, previous: null }, bootMs(T0));
        for (const step of steps(rotations, probes)) {
          if (step.learn !== null) pair[step.daemon]?.learn(step.learn, bootMs(step.at));
          assertHear(pair, step.at);
        }
      },
    ),
  );
});

interface Step {
  readonly at: number;
  readonly daemon: 0 | 1;
  /** Null: only look. */
  readonly learn: { current: Uint8Array; previous: Uint8Array | null } | null;
}

/** In order of time; a daemon learns the keys in the order in which they came. */
function steps(
  rotations: readonly { gap: number; lag: [number, number]; key: number; named: boolean }[],
  probes: readonly number[],
): Step[] {
  const all: Step[] = [];
  const learntAt: [number, number] = [T0, T0];
  let at = T0;
  let old = A;
  for (const { gap, lag, key, named } of rotations) {
    at += gap;
    const learn = { current: keyOf(key), previous: named ? old : null };
    for (const daemon of [0, 1] as const) {
      learntAt[daemon] = Math.max(learntAt[daemon], at + lag[daemon]);
      all.push({ at: learntAt[daemon], daemon, learn });
      // The very moments at which an answer changes by itself, and those around them.
      for (const wait of [SEND_OLD_MS, ACCEPT_OLD_MS]) {
        for (const by of [-1, 0, 1]) {
          all.push({ at: learntAt[daemon] + wait + by, daemon, learn: null });
        }
      }
    }
    old = keyOf(key);
  }
  all.push(...probes.map((probe): Step => ({ at: T0 + probe, daemon: 0, learn: null })));
  return all.sort((a, b) => a.at - b.at);
}

function assertHear(pair: readonly [BeaconKeys, BeaconKeys], at: number): void {
  for (const [from, to] of [pair, [pair[1], pair[0]] as const]) {
    const sent = from.sending(bootMs(at));
    const accepted = to.accepted(bootMs(at));
    assert.ok(
      sent !== null && accepted.some((key) => isSameKey(key, sent)),
      `at ${at - T0}: sent ${names([sent])}, accepted ${names(accepted)}`,
    );
  }
}

test("BeaconKeys.nextDeadline(): before it neither answer changes", () => {
  const wait = fc.integer({ min: 0, max: 70_000 });
  const learnt = fc.array(fc.tuple(wait, fc.integer({ min: 1, max: 3 })), { maxLength: 4 });
  fc.assert(
    fc.property(learnt, wait, fc.double({ min: 0, max: 1, noNaN: true }), (events, after, part) => {
      const keys = new BeaconKeys();
      let now = T0;
      for (const [gap, key] of events) {
        now += gap;
        keys.learn({ current: keyOf(key), previous: null }, bootMs(now));
      }
      now += after;
      const end = Math.min(keys.nextDeadline(bootMs(now)), now + 1_000_000);
      assert.ok(end > now);
      const between = bootMs(Math.max(now, Math.min(now + part * (end - now), end - 0.001)));
      assert.equal(names([keys.sending(between)]), names([keys.sending(bootMs(now))]));
      assert.equal(names(keys.accepted(between)), names(keys.accepted(bootMs(now))));
    }),
  );
});
