// Tests of how the engine and its peers exchange tables: when it asks for one, when it gives its
// own, and which pages of others count.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import {
  BeaconBench,
  digestOf,
  entryOf,
  type Packet,
  TestPeer,
  vipOf,
} from "../../support/beacon-bench.ts";

const ELSEWHERE = "192.168.1.77" as Ip;
const HEARD_B = "eth0 heard b #1 live 02:00:00:00:00:02";

/** b is known with its table, and was heard at 100. */
function benchWithB(): { bench: BeaconBench; b: TestPeer } {
  const b = new TestPeer("b");
  const bench = new BeaconBench().hear(b.beacon()).hear(b.table([])).run(100).hear(b.beacon());
  bench.take();
  return { bench, b };
}

const ASKED_AT_400 = ["400 eth0 table-request to 192.168.1.2", "400 eth0 no table of b"];
const ENTRIES: readonly PeerEntry[] = [entryOf(1), entryOf(2)];

test("BeaconEngine gives a peer that asks its table, to the address it was heard from", () => {
  const { bench, b } = benchWithB();
  for (const n of [2, 1]) bench.grant(n);
  bench.hear(b.datagram({ kind: "table-request" }));
  b.address = ELSEWHERE;
  bench.hear(b.beacon()).hear(b.datagram({ kind: "table-request" }));
  const table = "100 eth0 table 1/1 10.0.0.1@5 10.0.0.2@5";
  assert.deepEqual(bench.take(), [`${table} to 192.168.1.2`, `${table} to ${ELSEWHERE}`]);
});

test("BeaconEngine asks for a table on first contact, and again with every third beacon", () => {
  const bench = new BeaconBench();
  const b = new TestPeer("b");
  bench.hearEvery100(b, 0, 1_000);
  assert.deepEqual(bench.times(/table-request/), [0, 300, 600, 900]);
  bench.hear(b.table([])).hearEvery100(b, 1_000, 3_000);
  assert.deepEqual(bench.take(/table/), ["900 eth0 table of b: -"]);
});

test("BeaconEngine asks for a table when three beacons had another digest", () => {
  const { bench, b } = benchWithB();
  b.digest = "ab".repeat(8);
  bench.hearEvery100(b, 200, 450);
  assert.deepEqual(bench.take(/table/), ASKED_AT_400);
  bench.hear(b.table(ENTRIES));
  assert.deepEqual(bench.take(), ["400 eth0 table of b: 10.0.0.1@5 10.0.0.2@5"]);
  bench.hearEvery100(b, 500, 2_000);
  assert.deepEqual(bench.take(/table/), []);
});

test("BeaconEngine tells once that a table is missing, and of a digest that is back", () => {
  const { bench, b } = benchWithB();
  const known = b.digest;
  b.digest = "ab".repeat(8);
  bench.hearEvery100(b, 200, 1_050);
  assert.deepEqual(bench.take(/table of/), ["400 eth0 no table of b"]);
  b.digest = known;
  bench.hear(b.beacon());
  assert.deepEqual(bench.take(/table of/), ["1000 eth0 table of b: -"]);
});

test("BeaconEngine tells anew that a table is missing when a silent peer is back", () => {
  const { bench, b } = benchWithB();
  b.digest = "ab".repeat(8);
  bench.hearEvery100(b, 200, 450).run(1_000);
  bench.take();
  bench.hear(b.beacon());
  assert.deepEqual(bench.take(/table of/), ["1000 eth0 no table of b"]);
});

test("BeaconEngine asks for nothing when the digest is again what it was", () => {
  const { bench, b } = benchWithB();
  const known = b.digest;
  for (const digest of ["aa".repeat(8), "bb".repeat(8), known, "cc".repeat(8), "dd".repeat(8)]) {
    b.digest = digest;
    bench.hear(b.beacon());
  }
  assert.deepEqual(bench.take(), []);
});

for (const [name, digest, requests] of [
  ["another table", "ab".repeat(8), [700]],
  ["the same table", null, []],
] as const) {
  test(`BeaconEngine asks a silent peer that is back with ${name} at: ${requests}`, () => {
    const { bench, b } = benchWithB();
    b.digest = digest ?? b.digest;
    bench.run(700).hear(b.beacon()).run(750);
    const asked = requests.map((at) => `${at} eth0 table-request to 192.168.1.2`);
    assert.deepEqual(bench.take(/heard|request/), [`700 ${HEARD_B}`, ...asked]);
  });
}

test("BeaconEngine takes a table that was sent to everybody without being asked for", () => {
  const { bench, b } = benchWithB();
  b.digest = "ab".repeat(8);
  bench.run(200).hear(b.beacon()).hear(b.table(ENTRIES)).hearEvery100(b, 300, 1_000);
  assert.deepEqual(bench.take(/table/), ["200 eth0 table of b: 10.0.0.1@5 10.0.0.2@5"]);
});

test("BeaconEngine takes no table before the beacon that has its digest, and asks for it", () => {
  const { bench, b } = benchWithB();
  b.digest = "ab".repeat(8);
  bench.hear(b.table(ENTRIES)).hearEvery100(b, 200, 450);
  assert.deepEqual(bench.take(/table/), ASKED_AT_400);
});

test("BeaconEngine does not go back to an older table that was overtaken", () => {
  const { bench, b } = benchWithB();
  b.digest = "aa".repeat(8);
  const older = b.table([entryOf(1)]);
  b.digest = "bb".repeat(8);
  bench.hear(b.beacon()).hear(b.table([entryOf(2)]));
  assert.deepEqual(bench.take(), ["100 eth0 table of b: 10.0.0.2@5"]);
  bench.hear(older);
  assert.deepEqual(bench.take(), []);
});

test("BeaconEngine tells a table when all of its pages are there, in their order", () => {
  const { bench, b } = benchWithB();
  b.digest = "ab".repeat(8);
  const page = (n: number): Packet => b.table([entryOf(n)], { page: n, pages: 3 });
  bench.hear(b.beacon()).hear(page(2)).hear(page(0)).hear(page(2));
  assert.deepEqual(bench.take(), []);
  bench.hear(page(1));
  assert.deepEqual(bench.take(), ["100 eth0 table of b: 10.0.0.0@5 10.0.0.1@5 10.0.0.2@5"]);
});

/** Of b's table: from nothing, or from another digest, to one with these entries. */
function changeOf(b: TestPeer, entries: readonly PeerEntry[], from = b.digest) {
  const to = digestOf(entries);
  return b.datagram({ kind: "table-change", from, to, entries, gone: [] });
}

test("BeaconEngine knows a table by its change, and asks for nothing", () => {
  const { bench, b } = benchWithB();
  bench.hear(changeOf(b, ENTRIES));
  assert.deepEqual(bench.take(), ["100 eth0 change of b: 10.0.0.1@5 10.0.0.2@5 gone -"]);
  b.digest = digestOf(ENTRIES);
  bench.hearEvery100(b, 200, 1_000);
  assert.deepEqual(bench.take(/table|change/), []);
  const gone = [entryOf(1)];
  const to = digestOf([entryOf(2)]);
  bench.hear(b.datagram({ kind: "table-change", from: b.digest, to, entries: [], gone }));
  b.digest = to;
  bench.hearEvery100(b, 1_100, 2_000);
  assert.deepEqual(bench.take(/table|change/), ["900 eth0 change of b: - gone 10.0.0.1@5"]);
});

test("BeaconEngine knows a table by a change that was overtaken by its beacon", () => {
  const { bench, b } = benchWithB();
  const change = changeOf(b, ENTRIES);
  b.digest = digestOf(ENTRIES);
  bench.hear(b.beacon()).hear(change);
  assert.deepEqual(bench.take(), ["100 eth0 change of b: 10.0.0.1@5 10.0.0.2@5 gone -"]);
  bench.hearEvery100(b, 200, 1_000);
  assert.deepEqual(bench.take(/table/), []);
});

test("BeaconEngine asks for the table when a change before this one was lost", () => {
  const { bench, b } = benchWithB();
  bench.hear(changeOf(b, ENTRIES, "ab".repeat(8)));
  assert.deepEqual(bench.take(), []);
  b.digest = digestOf(ENTRIES);
  bench.hearEvery100(b, 200, 450);
  assert.deepEqual(bench.take(/table/), ASKED_AT_400);
});

test("BeaconEngine takes no change of what has changed again since", () => {
  const { bench, b } = benchWithB();
  const change = changeOf(b, ENTRIES);
  b.digest = "ab".repeat(8);
  bench.hear(b.beacon()).hear(change);
  assert.deepEqual(bench.take(), [], "more was lost than this");
});

test("BeaconEngine takes no change from a peer whose table it never had", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench().hear(b.beacon());
  bench.take();
  bench.hear(changeOf(b, ENTRIES));
  assert.deepEqual(bench.take(), []);
});

test("BeaconEngine tells what has changed in its table before the beacon that digests it", () => {
  const bench = new BeaconBench().run(305);
  bench.take();
  for (const n of [1, 2]) bench.grant(n);
  bench.run(312).engine.revoke(vipOf(2), bench.now);
  assert.deepEqual(bench.run(361).take(/table|beacon/), [
    "310 eth0 table-change 10.0.0.1@5 10.0.0.2@5 gone -",
    "310 eth0 beacon live 100/300",
    "360 eth0 table-change - gone 10.0.0.2@5",
    "360 eth0 beacon live 100/300",
  ]);
  assert.equal(bench.beacon?.digest, digestOf([entryOf(1)]));
});
