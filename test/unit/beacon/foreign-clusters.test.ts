// Tests of what is kept of other clusters on the LAN: each told once, few of them, and not for
// longer than they are heard.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FOREIGN_MAX,
  FOREIGN_STAYS_MS,
  ForeignClusters,
} from "../../../src/beacon/foreign-clusters.ts";
import type { Ip } from "../../../src/core/address.ts";
import { bootMs } from "../../../src/core/time.ts";
import { entryOf, macOf, type Packet, TestPeer } from "../../support/beacon-bench.ts";

const ABROAD = "ff00000000000000";
const OTHER_KEY = new Uint8Array(32).fill(0x33);

function beaconOf(peer: TestPeer, cluster = ABROAD): Packet {
  return peer.beacon({ cluster }, OTHER_KEY);
}

function known(foreign: ForeignClusters, at: number): string[] {
  return foreign.current(bootMs(at)).map(({ node, address }) => `${node} ${address}`);
}

test("ForeignClusters tells of a cluster and its host, once", () => {
  const foreign = new ForeignClusters();
  const host = { node: "x", interface: "eth0", address: "192.168.1.9" as Ip, mac: macOf(9) };
  const peer = new TestPeer("x", 9);
  const cluster = { cluster: ABROAD, ...host };
  assert.deepEqual(foreign.note("eth0", beaconOf(peer), bootMs(0)), cluster);
  for (let at = 100; at < 200_000; at += 100) {
    assert.equal(foreign.note("eth1", beaconOf(new TestPeer("y", 8)), bootMs(at)), null);
    assert.equal(foreign.note("eth0", beaconOf(peer), bootMs(at)), null);
  }
  assert.deepEqual(foreign.current(bootMs(200_000)), [cluster]);
});

test("ForeignClusters names the address that a beacon came from, whatever is in it", () => {
  const foreign = new ForeignClusters();
  const { bytes } = beaconOf(new TestPeer("x", 9));
  foreign.note("eth0", { from: "192.168.1.77" as Ip, bytes }, bootMs(0));
  assert.deepEqual(known(foreign, 0), ["x 192.168.1.77"]);
});

test("ForeignClusters forgets a cluster that is not heard for 60 s, and tells of it again", () => {
  const foreign = new ForeignClusters();
  const peer = new TestPeer("x", 9);
  foreign.note("eth0", beaconOf(peer), bootMs(0));
  foreign.note("eth0", beaconOf(peer), bootMs(1_000));
  assert.deepEqual(known(foreign, 1_000 + FOREIGN_STAYS_MS - 1), ["x 192.168.1.9"]);
  assert.deepEqual(known(foreign, 1_000 + FOREIGN_STAYS_MS), []);
  assert.notEqual(foreign.note("eth0", beaconOf(peer), bootMs(100_000)), null);
});

test("ForeignClusters names another host when the one it named has gone", () => {
  const foreign = new ForeignClusters();
  foreign.note("eth0", beaconOf(new TestPeer("x", 9)), bootMs(0));
  const other = new TestPeer("y", 8);
  for (let at = 100; at < FOREIGN_STAYS_MS; at += 100) {
    foreign.note("eth0", beaconOf(other), bootMs(at));
  }
  assert.deepEqual(known(foreign, FOREIGN_STAYS_MS), ["x 192.168.1.9"]);
  foreign.note("eth0", beaconOf(other), bootMs(FOREIGN_STAYS_MS));
  assert.deepEqual(known(foreign, FOREIGN_STAYS_MS), ["y 192.168.1.8"]);
});

test("ForeignClusters keeps few, however many identities somebody makes up", () => {
  const foreign = new ForeignClusters();
  const peer = new TestPeer("x", 9);
  const note = (n: number, at: number) => {
    const cluster = n.toString(16).padStart(16, "0");
    return foreign.note("eth0", beaconOf(peer, cluster), bootMs(at));
  };
  const told = Array.from({ length: 1_000 }, (_, n) => note(n, n)).filter(Boolean);
  assert.equal(told.length, FOREIGN_MAX);
  assert.equal(known(foreign, 1_000).length, FOREIGN_MAX);
  assert.notEqual(note(1_001, FOREIGN_STAYS_MS), null, "when one has gone there is room");
});

test("ForeignClusters takes nothing but beacons, and none without form", () => {
  const foreign = new ForeignClusters();
  const peer = new TestPeer("x", 9);
  const claim = peer.datagram({ kind: "claim", entries: [entryOf(1)] }, { cluster: ABROAD });
  const { from, bytes } = beaconOf(peer);
  for (const packet of [claim, { from, bytes: bytes.subarray(1) }]) {
    assert.equal(foreign.note("eth0", packet, bootMs(0)), null);
  }
  assert.deepEqual(known(foreign, 0), []);
});
