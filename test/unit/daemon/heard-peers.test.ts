// Tests of what is made of the peers on all segments.

import assert from "node:assert/strict";
import { test } from "node:test";
import { daemonStates, heardPeers, jittersOf } from "../../../src/daemon/heard-peers.ts";

const peer = (node: string, verdict: string, jitterMs: number) => ({
  ...{ node, verdict, jitterMs, state: "live", interface: "eth0" },
});
const PEERS = [
  peer("n2", "heard", 0.5),
  peer("n2", "heard", 7),
  peer("n3", "silent", 0.3),
  peer("n4", "answers", 0.2),
];

test("heardPeers() has each that is heard once", () => {
  assert.deepEqual(heardPeers(PEERS), ["n2"]);
});

test("jittersOf() has the worst of the segments, and none of a node that is silent", () => {
  assert.deepEqual(Object.fromEntries(jittersOf(PEERS)), { n2: 7 });
});

test("daemonStates() tells of who is heard, and of whose beacons are filtered", () => {
  assert.deepEqual(Object.fromEntries(daemonStates(PEERS)), { n2: "live", n4: "filtered" });
});
