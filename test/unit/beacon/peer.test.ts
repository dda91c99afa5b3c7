// Tests of the bookkeeping of one peer: which datagrams are fresh, when its table is asked for, and
// how pages become a table.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DatagramBody } from "../../../src/beacon/body.ts";
import { PAGES_MAX, Peer } from "../../../src/beacon/peer.ts";
import type { Datagram } from "../../../src/beacon/wire.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { type Beacon, CLUSTER, entryOf, macOf, TestPeer } from "../../support/beacon-bench.ts";

const FIRST = 1_000;
const { address } = new TestPeer("b");
const [A, B] = ["aa".repeat(8), "bb".repeat(8)];

function beaconOf(digest = A): Beacon {
  const times = { intervalMs: 100, holdMs: 300, stalledMs: 0 };
  return { kind: "beacon", state: "live", ...times, mac: macOf(2), digest };
}

function datagram(sequence: number, incarnation = 5): Datagram {
  return { cluster: CLUSTER, node: "b", incarnation, sequence, address, body: beaconOf() };
}

const CHALLENGE = "00000000000000c1";

/** Heard first with this sequence number, at 0. */
function peerAt(sequence = FIRST): Peer {
  return new Peer(datagram(sequence), beaconOf(), { challenge: CHALLENGE, now: bootMs(0) });
}

type Page = Extract<DatagramBody, { kind: "table" }>;

/** Its only entry is the page's number. */
function pageOf(page: number, pages: number, digest = A): Page {
  return { kind: "table", digest, page, pages, entries: [entryOf(page)] };
}

const FRESHNESS: readonly (readonly [string, readonly (readonly [number, string])[]])[] = [
  ["the next", [[1_001, "newest"]]],
  ["the first one again", [[1_000, "replay"]]],
  [
    "one of before the first, twice",
    [
      [999, "late"],
      [999, "replay"],
    ],
  ],
  ["the oldest that may be late", [[970, "late"]]],
  ["one that is too old", [[969, "replay"]]],
  ["0", [[0, "replay"]]],
  [
    "some that overtook each other",
    [
      [1_003, "newest"],
      [1_001, "late"],
      [1_002, "late"],
      [1_001, "replay"],
      [1_004, "newest"],
      [1_003, "replay"],
    ],
  ],
  [
    "the first one, 30 later",
    [
      [1_030, "newest"],
      [1_000, "replay"],
      [1_001, "late"],
    ],
  ],
  [
    "others after a gap of 31",
    [
      [1_031, "newest"],
      [1_001, "late"],
      [1_000, "replay"],
    ],
  ],
  [
    "others after the largest gap",
    [
      [0xffff_ffff, "newest"],
      [0xffff_ffff, "replay"],
      [0xffff_fffe, "late"],
      [1_001, "replay"],
    ],
  ],
];

for (const [name, steps] of FRESHNESS) {
  test(`Peer.freshness() of ${name}`, () => {
    const peer = peerAt();
    const found = steps.map(([sequence]) => [sequence, peer.freshness(datagram(sequence))]);
    assert.deepEqual(found, steps);
  });
}

test("Peer.freshness() takes a new incarnation from any number on, and none before", () => {
  const peer = peerAt();
  assert.equal(peer.freshness(datagram(3, 6)), "newest");
  assert.equal(peer.freshness(datagram(3, 6)), "replay");
  assert.equal(peer.freshness(datagram(2, 6)), "late");
  assert.equal(peer.freshness(datagram(2_000, 5)), "replay");
  assert.equal(peer.incarnation, 5, "that of its last beacon");
  peer.heard(beaconOf(), address, bootMs(10));
  assert.equal(peer.incarnation, 6);
});

test("Peer.freshness() takes no number twice, and each that is not far behind once", () => {
  const anyNumbers = fc.array(fc.integer({ min: FIRST - 60, max: FIRST + 60 }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(anyNumbers, (numbers) => {
      const peer = peerAt();
      const seen = new Set([FIRST]);
      let newest = FIRST;
      for (const number of numbers) {
        const isTaken = !seen.has(number) && number > newest - 31;
        const expected = !isTaken ? "replay" : number > newest ? "newest" : "late";
        assert.equal(peer.freshness(datagram(number)), expected);
        if (isTaken) seen.add(number);
        newest = Math.max(newest, number);
      }
    }),
  );
});

/** One whose table is known, with digest A. */
test("Peer.jitterMs is how late beacons come, on average; early ones are not", () => {
  const peer = peerAt();
  const { intervalMs } = peer;
  let now = 0;
  const hear = (afterMs: number): void => {
    now += afterMs;
    peer.heard(beaconOf(), address, bootMs(now));
  };
  for (let n = 0; n < 10; n++) hear(intervalMs);
  assert.equal(peer.jitterMs, 0);
  hear(1);
  assert.equal(peer.jitterMs, 0);
  for (let n = 0; n < 200; n++) hear(intervalMs + 8);
  assert.ok(Math.abs(peer.jitterMs - 8) < 0.1, `${peer.jitterMs}`);
  for (let n = 0; n < 200; n++) hear(intervalMs);
  assert.ok(peer.jitterMs < 0.1, `${peer.jitterMs}`);
});

function peerWithTable(): Peer {
  const peer = peerAt();
  peer.takeTableRequest(bootMs(0));
  assert.equal(peer.addPage(pageOf(0, 1)), true);
  return peer;
}

test("Peer has its table when its last beacon has that digest", () => {
  const peer = peerAt();
  assert.equal(peer.hasTable, false);
  peer.addPage(pageOf(0, 1, B));
  assert.equal(peer.hasTable, false);
  peer.addPage(pageOf(0, 1, A));
  assert.equal(peer.hasTable, true);
  peer.heard(beaconOf(B), address, bootMs(10));
  assert.equal(peer.hasTable, false);
});

/** Digests by when their beacons come, and when the table is asked for, in ms. */
const REQUESTS: readonly (readonly [string, readonly (readonly [number, string])[], number[]])[] = [
  ["the third other digest", beaconsAt(100, "BBB"), [300]],
  ["not for two and the known one", beaconsAt(100, "BBABBA"), []],
  ["the third of different ones", beaconsAt(100, "BCD"), [300]],
  ["not for the known one", beaconsAt(100, "AAAA"), []],
  ["no sooner for beacons that hurry", beaconsAt(10, "B".repeat(20)), [160]],
  ["again when no table comes", beaconsAt(100, "BBBBBBBBB"), [300, 600, 900]],
];

function beaconsAt(gapMs: number, digests: string): (readonly [number, string])[] {
  return [...digests].map((digest, i) => [(i + 1) * gapMs, digest]);
}

for (const [name, beacons, expected] of REQUESTS) {
  test(`Peer.takeTableRequest() ${name}`, () => {
    const peer = peerWithTable();
    const asked: number[] = [];
    for (const [at, digest] of beacons) {
      peer.heard(beaconOf(digest.toLowerCase().repeat(16)), address, bootMs(at));
      if (peer.takeTableRequest(bootMs(at))) asked.push(at);
      assert.equal(peer.takeTableRequest(bootMs(at)), false, "it counts as asked");
    }
    assert.deepEqual(asked, expected);
  });
}

test("Peer.takeTableRequest() asks at first, and a new incarnation before any beacon of it", () => {
  const peer = peerAt();
  const at = bootMs(0);
  assert.deepEqual([peer.takeTableRequest(at), peer.takeTableRequest(at)], [true, false]);
  const other = peerWithTable();
  other.freshness(datagram(1, 6));
  assert.deepEqual([other.table, other.takeTableRequest(at)], [[], true]);
});

type Step = readonly [Page, boolean];

const PAGES: readonly (readonly [string, readonly Step[], readonly number[]])[] = [
  [
    "in order",
    [
      [pageOf(0, 2), false],
      [pageOf(1, 2), true],
    ],
    [0, 1],
  ],
  [
    "in another order, one of them twice",
    [
      [pageOf(2, 3), false],
      [pageOf(2, 3), false],
      [pageOf(0, 3), false],
      [pageOf(1, 3), true],
    ],
    [0, 1, 2],
  ],
  [
    "of another table between: they change nothing",
    [
      [pageOf(0, 2), false],
      [pageOf(1, 2, B), false],
      [pageOf(0, 2, B), false],
      [pageOf(0, 1, B), false],
      [pageOf(1, 2), true],
    ],
    [0, 1],
  ],
  [
    "of another number of pages",
    [
      [pageOf(0, 2), false],
      [pageOf(1, 3), false],
      [pageOf(0, 3), false],
      [pageOf(2, 3), true],
    ],
    [0, 1, 2],
  ],
];

for (const [name, steps, entries] of PAGES) {
  test(`Peer.addPage() with pages ${name}`, () => {
    const peer = peerAt();
    const found = steps.map(([page]) => [page, peer.addPage(page)]);
    assert.deepEqual(found, steps);
    const expected = entries.map((n) => entryOf(n));
    assert.deepEqual(peer.table, expected);
  });
}

for (const [pages, isBelieved] of [
  [PAGES_MAX, true],
  [PAGES_MAX + 1, false],
] as const) {
  test(`Peer.addPage() believes a table of ${pages} pages: ${isBelieved}`, () => {
    const peer = peerAt();
    for (let page = 1; page < pages; page++) peer.addPage(pageOf(page, pages));
    assert.equal(peer.addPage(pageOf(0, pages)), isBelieved);
    assert.equal(peer.table.length, isBelieved ? pages : 0);
  });
}

test("Peer.addPage() begins anew when a beacon has brought another digest", () => {
  const peer = peerAt();
  peer.addPage(pageOf(0, 2));
  peer.heard(beaconOf(B), address, bootMs(10));
  assert.equal(peer.addPage(pageOf(1, 2)), false);
  assert.equal(peer.addPage(pageOf(1, 2, B)), false, "the first page was of the other table");
  assert.equal(peer.addPage(pageOf(0, 2, B)), true);
});

test("Peer.addPage() keeps the old table until the new one is complete", () => {
  const peer = peerWithTable();
  peer.heard(beaconOf(B), address, bootMs(10));
  peer.addPage(pageOf(1, 2, B));
  assert.deepEqual(peer.table, [entryOf(0)]);
  assert.equal(peer.addPage(pageOf(0, 2, B)), true);
  assert.deepEqual(peer.table, [entryOf(0), entryOf(1)]);
});

/** Heard at 0 with an interval of 100 ms and a hold of 300 ms, and judged silent at 300. */
function silentPeer(): Peer {
  const peer = peerAt();
  assert.equal(peer.judge(bootMs(299)), null);
  assert.equal(peer.judge(bootMs(300)), "silent");
  return peer;
}

test("Peer.isFresh() for 1.6 intervals after a beacon, and 2.25 after an answer", () => {
  const peer = peerAt();
  const at = [0, 159, 160, 299].map((ms) => peer.isFresh(bootMs(ms)));
  assert.deepEqual(at, [true, true, false, false]);
  assert.equal(silentPeer().isFresh(bootMs(310)), false);
  peer.takeProbe(bootMs(150));
  peer.answered(bootMs(170));
  assert.equal(peer.judge(bootMs(300)), "answers");
  // One that is cut off together with another that is judged now did not answer any more.
  assert.deepEqual([peer.isFresh(bootMs(394)), peer.isFresh(bootMs(396))], [true, false]);
  peer.answered(bootMs(450));
  assert.equal(peer.isFresh(bootMs(600)), true);
});

for (const { answeredAt, verdict } of [
  { answeredAt: 101, verdict: "silent" },
  { answeredAt: 134, verdict: "answers" },
] as const) {
  test(`Peer.judge() of two beacons missed: answered at ${answeredAt} ms, ${verdict}`, () => {
    const beacon = { ...beaconOf(), holdMs: 200 };
    const peer = new Peer(datagram(FIRST), beacon, { challenge: CHALLENGE, now: bootMs(0) });
    // The host may die right after this probe, before its next beacon is due.
    assert.equal(peer.takeProbe(bootMs(100)), true);
    peer.answered(bootMs(answeredAt));
    assert.equal(peer.judge(bootMs(200)), verdict);
  });
}

test("Peer.takeRepeat() is true one interval and two intervals after the verdict", () => {
  const peer = silentPeer();
  const at = [300, 399, 400, 401, 499, 500, 501, 5_000];
  assert.equal(peer.nextDeadline(), 400);
  assert.deepEqual(
    at.filter((ms) => peer.takeRepeat(bootMs(ms))),
    [400, 500],
  );
  assert.equal(peer.nextDeadline(), NEVER);
});

test("Peer.takeRepeat() is false of one that was heard again, or only answers", () => {
  const back = silentPeer();
  back.heard(beaconOf(), address, bootMs(350));
  assert.equal(back.takeRepeat(bootMs(5_000)), false);
  const answering = peerAt();
  answering.takeProbe(bootMs(150));
  answering.answered(bootMs(170));
  answering.judge(bootMs(300));
  assert.equal(answering.takeRepeat(bootMs(5_000)), false);
});

test("Peer keeps what its last beacon said", () => {
  const peer = peerAt();
  const beacon = { ...beaconOf(B), state: "deaf", mac: macOf(9), stalledMs: 77 } as const;
  peer.heard(beacon, new TestPeer("c", 3).address, bootMs(10));
  const { state, mac, stalledMs, verdict } = peer;
  assert.deepEqual({ state, mac, stalledMs }, { state: "deaf", mac: macOf(9), stalledMs: 77 });
  assert.deepEqual([peer.address, verdict], ["192.168.1.3", "heard"]);
});
