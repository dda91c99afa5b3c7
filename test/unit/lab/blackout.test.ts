// Tests of what is made of a recording: the longest time without an answer, and two that answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { blackoutOf, type Recording, twoAnsweredMs } from "../../lab/blackout.ts";

const LATENCY_MS = 0.25;

/** Who answers each request, one letter a host; a request each millisecond. */
function recording(answered: readonly string[], latencyMs = LATENCY_MS): Recording {
  const sent = answered.map((_, i) => i);
  const answers = answered.flatMap((macs, i) =>
    [...macs].map((mac, k) => ({ at: i + latencyMs + k / 100, mac })),
  );
  return { sent, answers };
}

function times(count: number, macs: string): string[] {
  return Array(count).fill(macs);
}

interface Told {
  readonly ms: number;
  readonly lost: number;
  readonly both: number;
  readonly late: number;
  readonly next: string;
}

const ROWS: readonly (readonly [what: string, answered: readonly string[], expected: Told])[] = [
  [
    "nobody for a while",
    [...times(20, "a"), ...times(30, ""), ...times(20, "b")],
    { ms: 31, lost: 30, both: 0, late: 0, next: "b" },
  ],
  ["the same all the time", times(60, "a"), { ms: 0, lost: 0, both: 0, late: 0, next: "a" }],
  [
    "a handover in which both answer",
    [...times(20, "a"), ...times(5, "ab"), ...times(20, "b")],
    { ms: 0, lost: 0, both: 5, late: 4, next: "b" },
  ],
  [
    "two answers that do not make up for none",
    [...times(20, "a"), ...times(3, ""), ...times(5, "ab"), ...times(20, "b")],
    { ms: 4, lost: 3, both: 5, late: 5, next: "b" },
  ],
];

for (const [what, answered, expected] of ROWS) {
  for (const latencyMs of [LATENCY_MS, 0.75]) {
    test(`blackoutOf() tells ${what}, with answers after ${latencyMs} ms`, () => {
      const told = blackoutOf(recording(answered, latencyMs), { at: 10, owner: "a" });
      assert.ok(told !== null);
      const { ms, lost, both, next } = told;
      // Who comes first of two in the same moment is not asked here.
      assert.deepEqual(
        { ms: Math.round(ms), lost, both, next },
        { ms: expected.ms, lost: expected.lost, both: expected.both, next: expected.next },
      );
      assert.ok(Math.abs(told.late - expected.late) <= 1, `${told.late}`);
    });
  }
}

test("blackoutOf() is not misled by answers that come later for a while", () => {
  const { sent, answers } = recording(times(400, "a"));
  const late = answers.map(({ at, mac }, i) => ({ at: i > 50 && i < 300 ? at + 1.5 : at, mac }));
  assert.equal(blackoutOf({ sent, answers: late }, { at: 10, owner: "a" })?.lost, 0);
});

test("blackoutOf() is null when nobody answered after the fault", () => {
  assert.equal(blackoutOf(recording(times(5, "a")), { at: 20, owner: "a" }), null);
  assert.equal(blackoutOf(recording([]), { at: 0, owner: "a" }), null);
});

const TWO: readonly (readonly [what: string, answered: readonly string[], expected: number])[] = [
  ["nobody twice", times(20, "a"), 0],
  ["two, but only before", [...times(9, "ab"), ...times(11, "b")], 0],
  ["two until after", [...times(14, "ab"), ...times(6, "b")], 3],
  ["two who come and go", [...times(12, "b"), "ab", "b", "b", "ab", "b"], 5],
];

for (const [what, answered, expected] of TWO) {
  test(`twoAnsweredMs() is ${expected} for ${what}`, () => {
    assert.equal(twoAnsweredMs(recording(answered), 10), expected);
  });
}

test("blackoutOf() believes answers that say which request they are to, however late", () => {
  const sent = [0, 1, 2, 3];
  const old = (sentAt: number) => ({ at: sentAt + 2.5, mac: "a", sentAt });
  const next = { at: 4, mac: "b", sentAt: 3 };
  const about = { at: 0, owner: "a" };
  const whole = { sent, answers: [old(0), old(1), next, old(2)] };
  assert.deepEqual([blackoutOf(whole, about)?.lost, blackoutOf(whole, about)?.both], [0, 0]);
  const without = { sent, answers: [old(0), old(1), next] };
  assert.equal(blackoutOf(without, about)?.lost, 1);
});
