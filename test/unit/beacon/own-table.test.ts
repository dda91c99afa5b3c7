// Tests of the table of what this node answers for: by interface, in an order of its own, with a
// digest, and without what was granted before a lapse.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CHANGE_MAX, OwnTable } from "../../../src/beacon/own-table.ts";
import { compareIps, type Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import { digestOf, entryOf, NO_TABLE, sha256, vipOf } from "../../support/beacon-bench.ts";

/** Grants the n-th VIP; false: refused. */
function grant(table: OwnTable, n: number, interfaces = ["eth0"], lapses = 0): boolean {
  const { address, epoch } = entryOf(n);
  return table.grant(address, { epoch, interfaces, lapses });
}

test("OwnTable is empty at first, and its digest is that of nothing", () => {
  const table = new OwnTable(sha256);
  assert.deepEqual([table.entries("eth0"), table.digest("eth0")], [[], NO_TABLE]);
});

test("OwnTable lists what is granted on an interface, by address, and digests just that", () => {
  const table = new OwnTable(sha256);
  for (const n of [10, 9, 2]) assert.equal(grant(table, n), true);
  grant(table, 3, ["eth1"]);
  grant(table, 1, ["eth1", "eth0"]);
  const [eth0, eth1] = [
    [1, 2, 9, 10],
    [1, 3],
  ].map((all) => all.map((n) => entryOf(n)));
  assert.deepEqual([table.entries("eth0"), table.entries("eth1")], [eth0, eth1]);
  assert.equal(table.digest("eth0"), digestOf(eth0 ?? []));
  assert.equal(table.digest("eth1"), digestOf(eth1 ?? []));
});

test("OwnTable has IPv6 addresses behind those of IPv4", () => {
  const table = new OwnTable(sha256);
  const six = { address: "2001:db8::1" as Ip, epoch: epochOf(5) };
  table.grant(six.address, { ...six, interfaces: ["eth0"], lapses: 0 });
  grant(table, 1);
  assert.deepEqual(table.entries("eth0"), [entryOf(1), six]);
});

test("OwnTable takes a grant of the same address for that of before", () => {
  const table = new OwnTable(sha256);
  grant(table, 1, ["eth0", "eth1"]);
  const before = table.digest("eth0");
  table.grant(vipOf(1), { epoch: epochOf(6), interfaces: ["eth0"], lapses: 0 });
  assert.deepEqual(table.entries("eth0"), [entryOf(1, 6)]);
  assert.deepEqual(table.entries("eth1"), []);
  assert.notEqual(table.digest("eth0"), before);
});

test("OwnTable.revoke() says whether there was something to revoke, on all interfaces", () => {
  const table = new OwnTable(sha256);
  grant(table, 1, ["eth0", "eth1"]);
  assert.notEqual(table.digest("eth1"), NO_TABLE);
  assert.deepEqual([table.revoke(vipOf(1)), table.revoke(vipOf(1))], [true, false]);
  assert.deepEqual([table.digest("eth0"), table.digest("eth1")], [NO_TABLE, NO_TABLE]);
});

test("OwnTable.lapse() drops what was granted there, also elsewhere, and counts", () => {
  const table = new OwnTable(sha256);
  grant(table, 1, ["eth0"]);
  grant(table, 2, ["eth0", "eth1"]);
  grant(table, 3, ["eth1"]);
  assert.notEqual(table.digest("eth0"), NO_TABLE);
  assert.deepEqual([table.lapse("eth0"), table.lapse("eth9"), table.lapse("eth0")], [1, 2, 3]);
  assert.equal(table.digest("eth0"), NO_TABLE);
  assert.deepEqual(table.entries("eth1"), [entryOf(3)]);
});

/** After lapses of eth0, eth1 and eth2, in this order. */
const LATE: readonly (readonly [readonly string[], number, boolean])[] = [
  [["eth0"], 0, false],
  [["eth0"], 1, true],
  [["eth1"], 1, false],
  [["eth1"], 2, true],
  [["eth0", "eth1"], 1, false],
  [["eth0", "eth1"], 2, true],
  [["eth2"], 2, false],
  [["eth3"], 0, true],
];

for (const [interfaces, lapses, isTaken] of LATE) {
  const what = `a grant on ${interfaces.join(" and ")} that knows of ${lapses} lapses`;
  test(`OwnTable takes ${what}: ${isTaken}`, () => {
    const table = new OwnTable(sha256);
    for (const name of ["eth0", "eth1", "eth2"]) table.lapse(name);
    assert.equal(grant(table, 1, [...interfaces], lapses), isTaken);
    const expected = isTaken ? [entryOf(1)] : [];
    for (const name of interfaces) assert.deepEqual(table.entries(name), expected);
  });
}

test("OwnTable that refuses a grant keeps the one of before", () => {
  const table = new OwnTable(sha256);
  table.lapse("eth0");
  grant(table, 1, ["eth1"]);
  assert.equal(grant(table, 1, ["eth0", "eth1"], 0), false);
  assert.deepEqual(table.entries("eth1"), [entryOf(1)]);
});

test("OwnTable.digest() is that of what is there, in whatever order it came and went", () => {
  const step = fc.record({
    n: fc.integer({ min: 0, max: 9 }),
    lease: fc.integer({ min: 0, max: 3 }),
    interfaces: fc.subarray(["eth0", "eth1"]),
    isRevoked: fc.boolean(),
  });
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const table = new OwnTable(sha256);
    for (const { n, lease, interfaces, isRevoked } of steps) {
      const { address, epoch } = entryOf(n, lease);
      if (isRevoked) table.revoke(address);
      else table.grant(address, { epoch, interfaces, lapses: 0 });
    }
    for (const name of ["eth0", "eth1"]) {
      assert.equal(table.digest(name), digestOf(table.entries(name)));
    }
  });
  fc.assert(property, { numRuns: 200 });
});

test("OwnTable.takeChanges() leads from what was told last to what is there", () => {
  const step = fc.record({
    n: fc.integer({ min: 0, max: 99 }),
    lease: fc.integer({ min: 0, max: 1 }),
    isRevoked: fc.boolean(),
    isTold: fc.boolean(),
  });
  const property = fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    const table = new OwnTable(sha256);
    const heard = new Map<Ip, PeerEntry>();
    let digest = NO_TABLE;
    const hear = (): void => {
      for (const { from, to, entries, gone } of table.takeChanges("eth0")) {
        assert.equal(from, digest);
        for (const entry of gone) heard.delete(entry.address);
        for (const entry of entries) heard.set(entry.address, entry);
        digest = to;
        assert.equal(digest, digestOf([...heard.values()]));
      }
      assert.equal(digest, table.digest("eth0"));
    };
    for (const { n, lease, isRevoked, isTold } of steps) {
      const { address, epoch } = entryOf(n, lease);
      if (isRevoked) table.revoke(address);
      else table.grant(address, { epoch, interfaces: ["eth0"], lapses: 0 });
      if (isTold) hear();
    }
    hear();
    assert.deepEqual(
      [...heard.values()].sort((a, b) => compareIps(a.address, b.address)),
      table.entries("eth0"),
    );
  });
  fc.assert(property, { numRuns: 100 });
});

test("OwnTable.takeChanges() has nothing to tell of what came and went again", () => {
  const table = new OwnTable(sha256);
  assert.deepEqual(table.takeChanges("eth0"), []);
  grant(table, 1);
  assert.equal(table.takeChanges("eth0").length, 1);
  table.revoke(vipOf(1));
  grant(table, 1);
  grant(table, 2);
  table.revoke(vipOf(2));
  assert.deepEqual(table.takeChanges("eth0"), []);
});

test("OwnTable.takeChanges() does not tell of more than is asked for as a whole", () => {
  const table = new OwnTable(sha256);
  for (let n = 0; n <= CHANGE_MAX; n++) grant(table, n);
  assert.deepEqual(table.takeChanges("eth0"), []);
  grant(table, CHANGE_MAX + 1);
  const [change, ...others] = table.takeChanges("eth0");
  assert.deepEqual(others, []);
  assert.deepEqual(change?.entries, [entryOf(CHANGE_MAX + 1)], "and from there on");
});
