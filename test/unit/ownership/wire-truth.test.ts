// Tests of what the observers of an owner make of the answers on the wire: when they tell people,
// when they complain, and when the tenure counts as over.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import type {
  Watched,
  Watching,
  WireTruthEffect,
  WireVerdict,
} from "../../../src/ownership/wire-truth.ts";
import { ROUND_MS, TAKE_GAP_MS, WireTruth } from "../../../src/ownership/wire-truth.ts";
import { entry, epoch, VIP } from "../../support/ownership-words.ts";

const [OWNER, OTHER] = ["02:00:00:00:00:0a" as Mac, "02:00:00:00:00:0b" as Mac];
const WATCHED: Watched = {
  address: VIP,
  owner: "node-a",
  epoch: epoch(4),
  mac: OWNER,
  interface: "eth0",
  isFirst: true,
  isAlone: false,
};
const COMPLAINT = { type: "complain", entry: entry(4), interface: "eth0" } as const;
const MUTE = { type: "owner-mute", address: VIP, owner: "node-a", epoch: epoch(4) } as const;

function changed(verdict: WireVerdict, macs: readonly Mac[], isDeaf = false): WireTruthEffect {
  return { type: "changed", finding: { address: VIP, owner: "node-a", verdict, macs, isDeaf } };
}

const NOBODY = { macs: [], isDeaf: false } as const;

function watching(
  addresses: readonly Ip[],
  watch: Watching["watch"] = (address) => ({ ...WATCHED, address }),
  askers = 1,
): Watching {
  return { addresses: new Set(addresses), watch, askers };
}

/** Asks in that round, and gets these answers. */
function ask(
  truth: WireTruth,
  round: number,
  macs: readonly Mac[],
  watched: Watched = WATCHED,
): WireTruthEffect[] {
  const at = bootMs(round * ROUND_MS);
  const asked = truth.takeAsk(
    watching([VIP], () => watched),
    at,
  );
  const { mac: owner } = watched;
  assert.deepEqual(asked, [{ type: "ask", address: VIP, interface: "eth0", owner }]);
  return truth.asked(watched, { macs, isDeaf: false }, at);
}

/** So many rounds without an answer; what the last of them led to. */
function silence(truth: WireTruth, rounds: number, watched = WATCHED, from = 0): WireTruthEffect[] {
  let last: WireTruthEffect[] = [];
  for (let round = from; round < from + rounds; round++) last = ask(truth, round, [], watched);
  return last;
}

const VERDICTS: readonly (readonly [string, readonly Mac[], WireVerdict])[] = [
  ["nobody", [], "nobody"],
  ["another host alone", [OTHER], "another"],
  ["the owner and another", [OWNER, OTHER], "two"],
];
for (const [who, macs, verdict] of VERDICTS) {
  test(`WireTruth.asked() tells once that ${who} answers, and complains every time`, () => {
    const truth = new WireTruth();
    assert.deepEqual(ask(truth, 0, [OWNER]), []);
    assert.deepEqual(ask(truth, 1, macs), [changed(verdict, macs), COMPLAINT]);
    assert.deepEqual(ask(truth, 2, macs), [COMPLAINT]);
    const finding = { address: VIP, owner: "node-a", verdict, macs, isDeaf: false };
    assert.deepEqual(truth.findings(), [finding]);
    assert.deepEqual(ask(truth, 3, [OWNER]), [changed("answered", [OWNER])]);
    assert.deepEqual(truth.findings(), []);
    assert.equal(truth.counts[verdict], 2);
  });
}

test("WireTruth.asked() tells of an owner that answers, twice, only who asks it alone", () => {
  const truth = new WireTruth();
  const round = (at: number): readonly WireTruthEffect[] => {
    truth.takeAsk(watching([VIP]), bootMs(at));
    return truth.asked(WATCHED, { macs: [], isDeaf: true }, bootMs(at + 750));
  };
  assert.deepEqual(round(0), [changed("nobody", []), COMPLAINT]);
  assert.deepEqual(round(10_000), [changed("nobody", [], true), COMPLAINT]);
  assert.deepEqual(round(20_000), [COMPLAINT]);
});

test("WireTruth.asked() of a VIP that is not watched any more says nothing", () => {
  assert.deepEqual(new WireTruth().asked(null, NOBODY, bootMs(0)), []);
});

test("an owner that two observers find silent for three rounds loses the VIP to the first", () => {
  const truth = new WireTruth();
  silence(truth, 2);
  truth.complained([entry(4)], bootMs(15_000));
  assert.deepEqual(ask(truth, 2, []), [COMPLAINT, MUTE]);
});

const KEPT: readonly (readonly [string, Watched, number | null])[] = [
  ["only one of two observers finds it silent", WATCHED, null],
  ["the other complained of a tenure before", WATCHED, 3],
  ["this node is the second observer", { ...WATCHED, isFirst: false }, 4],
];
for (const [when, watched, complaintOf] of KEPT) {
  test(`a silent owner keeps the VIP while ${when}`, () => {
    const truth = new WireTruth();
    if (complaintOf !== null) truth.complained([entry(complaintOf)], bootMs(15_000));
    assert.deepEqual(silence(truth, 5, watched), [COMPLAINT]);
  });
}

test("in a cluster of two the one observer decides alone", () => {
  const truth = new WireTruth();
  assert.deepEqual(silence(truth, 3, { ...WATCHED, isAlone: true }), [COMPLAINT, MUTE]);
});

test("an answer in between, or another tenure, begins the count anew", () => {
  const alone = { ...WATCHED, isAlone: true };
  const truth = new WireTruth();
  silence(truth, 2, alone);
  ask(truth, 2, [OWNER], alone);
  assert.equal(silence(truth, 2, alone, 3).includes(MUTE), false);
  const next = { ...alone, epoch: epoch(5) };
  assert.equal(ask(truth, 5, [], next).length, 1);
});

test("a VIP is taken from a silent owner at most once in ten minutes", () => {
  const alone = { ...WATCHED, isAlone: true };
  const truth = new WireTruth();
  silence(truth, 3, alone);
  const again = { ...alone, epoch: epoch(5) };
  assert.equal(silence(truth, 3, again, 4).length, 1);
  const mute = { ...MUTE, epoch: epoch(5) };
  assert.deepEqual(ask(truth, 2 + TAKE_GAP_MS / ROUND_MS, [], again), [
    { type: "complain", entry: entry(5), interface: "eth0" },
    mute,
  ]);
});

test("WireTruth.takeAsk(): each VIP once a round, 50 a second at most of all nodes", () => {
  for (const [count, askers, gap, atOnce] of [
    [1, 1, 10_000, 1],
    [4, 1, 2_500, 1],
    [200, 1, 500, 10],
    [2_000, 1, 500, 25],
    [2_000, 5, 500, 5],
    [100, 50, 1_000, 1],
  ] as const) {
    const addresses = Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}` as Ip);
    const truth = new WireTruth();
    const asked: Ip[] = [];
    for (let now = 0; now < (count / atOnce) * gap; now += gap) {
      assert.ok(now >= truth.due);
      const about = watching(addresses, undefined, askers);
      for (const effect of truth.takeAsk(about, bootMs(now))) {
        if (effect.type === "ask") asked.push(effect.address);
      }
      assert.deepEqual(truth.takeAsk(about, bootMs(now + gap - 1)), [], "not yet");
    }
    assert.deepEqual(asked.toSorted(), addresses.toSorted());
  }
});

test("WireTruth.takeAsk() asks for nothing that this node does not watch, and forgets it", () => {
  const truth = new WireTruth();
  ask(truth, 0, []);
  const asked = truth.takeAsk(
    watching([VIP], () => null),
    bootMs(ROUND_MS),
  );
  assert.deepEqual(asked, []);
  assert.deepEqual(truth.findings(), []);
});

test("an answer that comes when the VIP has changed hands says nothing of the next owner", () => {
  const truth = new WireTruth();
  truth.takeAsk(watching([VIP]), bootMs(0));
  const next = { ...WATCHED, owner: "node-b", epoch: epoch(5), mac: OTHER };
  assert.deepEqual(truth.asked(next, { macs: [OWNER], isDeaf: false }, bootMs(500)), []);
});

test("WireTruth.takeAsk() passes over what is others' to watch", () => {
  const addresses = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}` as Ip);
  const truth = new WireTruth();
  const mine = addresses[0] as Ip;
  const watch = (address: Ip) => (address === mine ? { ...WATCHED, address } : null);
  let calls = 0;
  let asked: WireTruthEffect[] = [];
  for (; asked.length === 0; calls++) asked = truth.takeAsk(watching(addresses, watch), truth.due);
  assert.ok(calls <= 7, `${calls} calls`);
});

test("a complaint counts for as long as rounds take, with however many VIPs", () => {
  const addresses = Array.from({ length: 2_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}` as Ip);
  const truth = new WireTruth();
  const watch = (address: Ip) => ({ ...WATCHED, address });
  const [address] = addresses as [Ip];
  const mute: WireTruthEffect[] = [];
  for (let asked = 0; asked < 4 * addresses.length; ) {
    const now = truth.due;
    const effects = truth.takeAsk(watching(addresses), now);
    asked += effects.length;
    if (!effects.some((one) => one.type === "ask" && one.address === address)) continue;
    truth.complained([{ address, epoch: epoch(4) }], bootMs(now - 30_000));
    const found = truth.asked(watch(address), NOBODY, now);
    mute.push(...found.filter(({ type }) => type === "owner-mute"));
  }
  assert.equal(mute.length, 1);
});
