// Tests of the VIP Leases as a node knows them: a watch that is late, reads that the watch has
// overtaken, and its own writes.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { VipRecord } from "../../../src/ownership/types.ts";
import { VipRecords } from "../../../src/ownership/vip-records.ts";
import { ip, VIP, vipRecord } from "../../support/ownership-words.ts";

const OTHER = ip("192.168.1.241");
const record = (version: number, owner: string | null = "node-a") => vipRecord(owner, 1, version);

function known(...records: readonly VipRecord[]): VipRecords {
  const all = new VipRecords();
  for (const one of records) all.observe(one);
  return all;
}

const OBSERVED: readonly (readonly [string, number | null, number, boolean])[] = [
  ["an older one", 60, 59, false],
  ["the same again", 60, 60, true],
  ["a newer one", 60, 61, true],
  ["one with more digits", 99, 100, true],
  ["the first", null, 60, true],
];

for (const [name, before, version, isTaken] of OBSERVED) {
  test(`VipRecords.observe() takes ${name}: ${isTaken}`, () => {
    const records = known(...(before === null ? [] : [record(before)]));
    assert.equal(records.observe(record(version, "node-b")), isTaken);
    assert.equal(records.get(VIP)?.owner, isTaken ? "node-b" : "node-a");
  });
}

const FORGOTTEN: readonly (readonly [string, string | undefined, boolean])[] = [
  ["of a version before the one that is known", "59", false],
  ["of the version that is known", "60", true],
  ["of a later version", "61", true],
  ["of no version", undefined, true],
];

for (const [name, resourceVersion, isGone] of FORGOTTEN) {
  test(`VipRecords.forget() ${name}: ${isGone}`, () => {
    const records = known(record(60));
    const gone = resourceVersion === undefined ? {} : { resourceVersion };
    assert.equal(records.forget({ address: VIP, ...gone }), isGone);
    assert.equal(records.get(VIP), isGone ? null : records.all()[0]);
  });
}

test("VipRecords.wrote() does not undo a newer record that the watch has shown", () => {
  const records = known(record(62, "node-c"));
  records.wrote(record(61));
  assert.equal(records.get(VIP)?.owner, "node-c");
  records.wrote(record(63));
  assert.equal(records.get(VIP)?.owner, "node-a");
});

test("VipRecords.replace() drops what the API has not, and takes what it has", () => {
  const records = known(record(60));
  records.readSent();
  records.replace([vipRecord("node-b", 3, 70, OTHER)]);
  assert.deepEqual(records.all(), [vipRecord("node-b", 3, 70, OTHER)]);
});

test("VipRecords.replace() keeps what was learnt since the read was sent", () => {
  const seen = new VipRecords();
  seen.readSent();
  seen.observe(record(60));
  seen.wrote(vipRecord("node-b", 1, 61, OTHER));
  seen.replace([]);
  assert.equal(seen.all().length, 2);
  seen.readSent();
  seen.replace([]);
  assert.deepEqual(seen.all(), [], "the next read was sent after it");
});

test("VipRecords.replace() does not undo a newer record", () => {
  const records = known(record(62, "node-c"));
  records.readSent();
  records.replace([record(61)]);
  assert.equal(records.get(VIP)?.owner, "node-c");
});

test("VipRecords.replace() takes any version for newer than what was remembered", () => {
  const records = new VipRecords();
  records.replace([record(0, "node-c")]);
  records.readSent();
  records.replace([record(5, "node-b")]);
  assert.equal(records.get(VIP)?.owner, "node-b");
});

test("VipRecords.replace() does not bring back what was deleted since the read was sent", () => {
  const records = known(record(60));
  records.readSent();
  records.forget({ address: VIP, resourceVersion: "61" });
  records.replace([record(60)]);
  assert.equal(records.get(VIP), null);
});

test("VipRecords.replace() takes what was made anew after the deletion", () => {
  const records = known(record(60));
  records.readSent();
  records.forget({ address: VIP, resourceVersion: "61" });
  records.replace([record(62)]);
  assert.equal(records.get(VIP)?.resourceVersion, "62");
});
