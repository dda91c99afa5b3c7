// Tests of whom the engine counts as its peers: on each segment, up to a limit, and until they have
// been silent for long; and of how their number stretches its interval and its hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PEERS_MAX } from "../../../src/core/peer.ts";
import { BeaconBench, ETH0, TestPeer } from "../../support/beacon-bench.ts";

const HEARD_B = "eth0 heard b #1 live 02:00:00:00:00:02";
/** Longer than any of these tests listens to those that say it. */
const LONG_HOLD_MS = 60_000;

/** Hears a beacon each of so many peers, which say that they hold for that long. */
function hearMany(bench: BeaconBench, count: number, holdMs = 300): BeaconBench {
  for (let n = 0; n < count; n++) {
    const peer = new TestPeer(`n${n}`, 2 + (n % 200));
    peer.holdMs = holdMs;
    bench.hear(peer.beacon());
  }
  return bench;
}

test("BeaconEngine knows a peer on each segment of its own", () => {
  const b = new TestPeer("b");
  const segments = [ETH0, { ...ETH0, interface: "eth1" }];
  const bench = new BeaconBench({ segments }).hear(b.beacon()).hear(b.beacon(), "eth1");
  assert.deepEqual(bench.take(/heard/), [`0 ${HEARD_B}`, `0 ${HEARD_B.replace("eth0", "eth1")}`]);
  bench.run(100).hear(b.beacon(), "eth1");
  assert.deepEqual(bench.run(399).take(/silent/), ["300 eth0 silent b"]);
});

test("BeaconEngine listens to no more than so many peers, and goes on with those it has", () => {
  const bench = new BeaconBench();
  const peers = Array.from({ length: PEERS_MAX + 1 }, (_, n) => new TestPeer(`n${n}`));
  for (const peer of peers) bench.hear(peer.beacon());
  assert.equal(PEERS_MAX, 256);
  assert.equal(bench.engine.peers().length, 256);
  assert.deepEqual(bench.engine.drops, { unknown: 1 });
  bench.take();
  const [first, last] = [peers[0] ?? new TestPeer("b"), peers[256] ?? new TestPeer("b")];
  first.state = "draining";
  bench.hear(first.beacon()).hear(last.beacon());
  assert.deepEqual(bench.take(), ["0 eth0 heard n0 #1 draining 02:00:00:00:00:02"]);
  assert.deepEqual(bench.engine.drops, { unknown: 2 });
});

test("BeaconEngine forgets a peer that has been silent for 10 minutes, and hears it anew", () => {
  const bench = new BeaconBench().hear(new TestPeer("b").beacon());
  const about = { node: "b", interface: "eth0", verdict: "silent", state: "live", jitterMs: 0 };
  assert.deepEqual(bench.run(600_200).engine.peers(), [about]);
  assert.deepEqual(bench.run(600_300).engine.peers(), []);
  bench.take();
  bench.hear(new TestPeer("b").beacon());
  const asks = "600300 eth0 table-request to 192.168.1.2";
  assert.deepEqual(bench.take(), [`600300 ${HEARD_B}`, asks, "600300 eth0 no table of b"]);
});

test("BeaconEngine with as many peers as it listens to takes another when they are gone", () => {
  const bench = hearMany(new BeaconBench(), PEERS_MAX).run(660_000);
  bench.take();
  bench.hear(new TestPeer("b").beacon());
  assert.deepEqual(bench.take(/heard/), [`660000 ${HEARD_B}`]);
});

for (const [peers, hold, text] of [
  [99, 300, "100/300"],
  [100, 303, "101/303"],
  [199, 600, "200/600"],
  [256, 771, "257/771"],
] as const) {
  test(`BeaconEngine with ${peers} peers listens for their hold, then says ${text}`, () => {
    const bench = hearMany(new BeaconBench(), peers, LONG_HOLD_MS).run(hold);
    assert.deepEqual(bench.take(/beacon/), [`${hold} eth0 beacon live ${text}`]);
  });
}

test("BeaconEngine listens for the hold of a peer that sends less often", () => {
  const slow = new TestPeer("b");
  const body = {
    kind: "beacon",
    state: "live",
    holdMs: 1_000,
    stalledMs: 0,
    mac: slow.mac,
  } as const;
  const beacon = { ...body, intervalMs: 250, digest: slow.digest };
  const bench = new BeaconBench().run(200).hear(slow.datagram(beacon)).run(900);
  assert.deepEqual(bench.times(/beacon/), [750, 850]);
});

test("BeaconEngine listens no longer for a peer that restarts, whose hold is another thing", () => {
  const b = new TestPeer("b");
  b.state = "restarting";
  b.holdMs = LONG_HOLD_MS;
  const bench = new BeaconBench().hear(b.beacon()).run(300);
  assert.deepEqual(bench.times(/beacon/), [300]);
});

test("BeaconEngine that has spoken does not wait for who comes later", () => {
  const bench = hearMany(new BeaconBench().run(350), 199, LONG_HOLD_MS).run(600);
  assert.deepEqual(bench.times(/beacon/), [300, 400, 600]);
});

test("BeaconEngine counts the peers of each segment on their own", () => {
  const segments = [ETH0, { ...ETH0, interface: "eth1" }];
  const bench = hearMany(new BeaconBench({ segments }), 199, LONG_HOLD_MS).run(600);
  const [first, ...rest] = bench.take(/beacon/);
  assert.equal(first, "300 eth1 beacon live 100/300");
  assert.ok(rest.includes("600 eth0 beacon live 200/600"));
});

test("BeaconEngine counts no peer that is silent", () => {
  const bench = hearMany(new BeaconBench().run(350), 199).run(800);
  assert.deepEqual(bench.take(/beacon/), [
    "300 eth0 beacon live 100/300",
    "400 eth0 beacon live 200/600",
    "600 eth0 beacon live 200/600",
    "800 eth0 beacon live 100/300",
  ]);
});

test("BeaconEngine has the longer tenure only when no peer may go by a shorter hold", () => {
  const bench = hearMany(new BeaconBench().run(550), 199, LONG_HOLD_MS);
  bench.take();
  assert.deepEqual(bench.run(1_450).take(/beacon|tenure/), [
    "600 eth0 beacon live 200/600",
    "600 eth0 tenure 890",
    "800 eth0 beacon live 200/600",
    "800 eth0 tenure 1090",
    "1000 eth0 beacon live 200/600",
    "1000 eth0 tenure 1290",
    "1200 eth0 beacon live 200/600",
    "1200 eth0 tenure 1790",
    "1400 eth0 beacon live 200/600",
    "1400 eth0 tenure 1990",
  ]);
});
