// Stories of a daemon that restarts, by the two sides: what it says before it ends, and how a peer
// watches its host until it is back, its host is gone, or its time is over (design, section 4.7).

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_BEACON_SETTINGS } from "../../../src/beacon/engine-types.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { BeaconBench, macOf, segmentOf, TestPeer, vipOf } from "../../support/beacon-bench.ts";

const GATEWAY = "192.168.1.254" as Ip;
const B = "192.168.1.2" as Ip;
const B_MAC = macOf(2);
const OWN = /beacon|tenure/;
const HOLD_MS = 10_000;

/** b says at 0 that it restarts, and nothing after that. */
function benchOfRestart(gateway: Ip | null = null): { bench: BeaconBench; b: TestPeer } {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ segments: [segmentOf("eth0", 1, gateway)] });
  bench.engine.setProbeTargets(new Map([["b", [vipOf(0)]]]));
  bench.hear(b.beacon()).hear(b.table([]));
  bench.take();
  b.state = "restarting";
  b.holdMs = HOLD_MS;
  return { bench: bench.hear(b.beacon()), b };
}

function taken(bench: BeaconBench): string[] {
  return bench.take().filter((line) => !OWN.test(line));
}

function answer(bench: BeaconBench, mac: Mac = B_MAC, address = B): void {
  bench.engine.answered("eth0", address, mac, bench.now);
}

/** Time passes, and the host answers each request at once. */
function runAnswered(bench: BeaconBench, from: number, to: number): BeaconBench {
  for (let at = from; at <= to; at += 10) answer(bench.run(at));
  return bench;
}

const asked = (at: number): string => `${at} eth0 asks for ${B} to ${B_MAC}`;
const askedGateway = (at: number): string => `${at} eth0 asks for ${GATEWAY} to all`;

test("BeaconEngine that restarts says so at once, with the time it wants to be left alone", () => {
  const bench = new BeaconBench();
  bench.run(650).take();
  bench.perform(bench.engine.setState("restarting", bench.now));
  assert.deepEqual(bench.run(750).take(/beacon/), [
    `650 eth0 beacon restarting 100/${HOLD_MS}`,
    `750 eth0 beacon restarting 100/${HOLD_MS}`,
  ]);
});

test("BeaconEngine says the hold of its settings, and the usual one in any other state", () => {
  const settings = { ...DEFAULT_BEACON_SETTINGS, restartHoldMs: 60_000 };
  const bench = new BeaconBench({ settings });
  bench.run(650);
  for (const state of ["restarting", "live", "draining", "stopping"] as const) {
    bench.perform(bench.engine.setState(state, bench.now));
    bench.run(bench.now - bench.time(0) + 20);
    const holdMs = state === "restarting" ? 60_000 : 300;
    assert.deepEqual([bench.beacon?.state, bench.beacon?.holdMs], [state, holdMs]);
  }
});

test("BeaconEngine that restarts may answer no longer than before, should it stand still", () => {
  const bench = new BeaconBench();
  bench.run(650).take();
  bench.perform(bench.engine.setState("restarting", bench.now));
  bench.run(1_050).take();
  bench.perform(bench.engine.wake(bench.now));
  bench.run(1_150);
  assert.deepEqual(bench.take(/tenure/), ["1150 eth0 tenure 1440"]);
});

test("BeaconEngine asks the host of a peer that restarts, each interval, and no VIP", () => {
  const { bench } = benchOfRestart();
  const lines = taken(runAnswered(bench, 0, 550));
  assert.deepEqual(lines, [
    `0 eth0 heard b #1 restarting ${B_MAC}`,
    `0 eth0 watches ${B}`,
    ...[100, 200, 300, 400, 500].map(asked),
  ]);
});

test("BeaconEngine counts a host as gone that misses three requests", () => {
  const { bench } = benchOfRestart();
  taken(bench);
  assert.deepEqual(taken(bench.run(3_000)), [
    ...[100, 200, 300, 400].map(asked),
    "400 eth0 silent b",
    "400 eth0 watches nobody",
    "500 eth0 silent b",
    "600 eth0 silent b",
  ]);
});

test("BeaconEngine asks the gateway, too, once the host has missed a request", () => {
  const { bench } = benchOfRestart(GATEWAY);
  runAnswered(bench, 0, 250);
  taken(bench);
  bench.run(450);
  bench.engine.answered("eth0", GATEWAY, macOf(9), bench.now);
  assert.deepEqual(taken(bench.run(600)), [
    ...[asked(300), asked(400), askedGateway(400), asked(500), askedGateway(500)],
    ...[asked(600), askedGateway(600), "600 eth0 silent b, gateway true"],
    "600 eth0 watches nobody",
  ]);
});

const NO_ANSWERS: readonly (readonly [string, Mac, Ip])[] = [
  ["another host in its name", macOf(3), B],
  ["its MAC for another address", B_MAC, "192.168.1.7" as Ip],
  ["its MAC for its VIP", B_MAC, vipOf(0)],
];

for (const [name, mac, address] of NO_ANSWERS) {
  test(`BeaconEngine takes an answer of ${name} for none of the host`, () => {
    const { bench } = benchOfRestart();
    for (let at = 0; at < 600; at += 10) answer(bench.run(at), mac, address);
    assert.deepEqual(bench.times(/silent/), [400, 500]);
  });
}

test("BeaconEngine waits for one that is there to the end of its hold, and no longer", () => {
  const { bench } = benchOfRestart();
  runAnswered(bench, 0, 9_990);
  assert.deepEqual(bench.take(/silent|answers/), []);
  assert.equal(bench.engine.peers()[0]?.verdict, "heard");
  assert.deepEqual(runAnswered(bench, 10_000, 10_090).take(/silent|answers|watches/), [
    "10000 eth0 silent b",
    "10000 eth0 watches nobody",
  ]);
});

test("BeaconEngine goes by the end of the hold even where the VIPs are answered for", () => {
  const { bench } = benchOfRestart();
  for (let at = 0; at <= 10_000; at += 10) {
    answer(bench.run(at));
    answer(bench, B_MAC, vipOf(0));
  }
  assert.deepEqual(bench.take(/silent|answers/), ["10000 eth0 silent b"]);
});

test("BeaconEngine asks the gateway before the hold ends: it decides between two", () => {
  const { bench } = benchOfRestart(GATEWAY);
  runAnswered(bench, 0, 9_690);
  assert.deepEqual(bench.take(/254/), [], "while there is time it is left in peace");
  for (let at = 9_700; at <= 10_000; at += 10) {
    answer(bench.run(at));
    if (at === 9_800) bench.engine.answered("eth0", GATEWAY, macOf(9), bench.now);
  }
  assert.deepEqual(bench.take(/254|silent/), [
    ...[9_700, 9_800, 9_900, 10_000].map(askedGateway),
    "10000 eth0 silent b, gateway true",
  ]);
});

test("BeaconEngine asks no more once the new daemon speaks, and goes by its beacons again", () => {
  const { bench, b } = benchOfRestart();
  runAnswered(bench, 0, 1_500);
  taken(bench);
  Object.assign(b, { incarnation: 2, sequence: 0, state: "live", holdMs: 300 });
  bench.hear(b.beacon());
  assert.deepEqual(taken(bench.run(1_649)), [
    `1500 eth0 heard b #2 live ${B_MAC}`,
    "1500 eth0 watches nobody",
    "1500 eth0 table-request to 192.168.1.2",
    "1500 eth0 no table of b",
  ]);
  assert.deepEqual(bench.run(1_800).times(/silent/), [1_800]);
});

test("BeaconEngine tells whom it watches when that changes, not when it is said again", () => {
  const { bench, b } = benchOfRestart();
  const c = new TestPeer("c", 3);
  c.state = "restarting";
  c.holdMs = HOLD_MS;
  taken(bench);
  bench.hear(b.beacon()).hear(c.beacon()).hear(b.beacon()).hear(c.beacon());
  assert.deepEqual(bench.take(/watches/), [`0 eth0 watches ${B} 192.168.1.3`]);
  c.state = "live";
  bench.hear(c.beacon());
  assert.deepEqual(bench.take(/watches/), [`0 eth0 watches ${B}`]);
});

test("BeaconEngine watches one that it hears first while that restarts", () => {
  const b = new TestPeer("b");
  b.state = "restarting";
  b.holdMs = HOLD_MS;
  const bench = new BeaconBench();
  bench.hear(b.beacon());
  assert.deepEqual(bench.run(150).take(/watches|asks/), [`0 eth0 watches ${B}`, asked(100)]);
});

test("BeaconEngine gives a host that was cut off and restarts still three requests again", () => {
  const { bench, b } = benchOfRestart();
  bench.run(450).take();
  bench.hear(b.beacon());
  assert.deepEqual(bench.run(800).take(/heard|silent|asks/), [
    `450 eth0 heard b #1 restarting ${B_MAC}`,
    ...[550, 650, 750].map(asked),
  ]);
  assert.deepEqual(bench.run(850).take(/silent/), ["850 eth0 silent b"]);
});

test("BeaconEngine that stands still again and again does not make the hold any longer", () => {
  const { bench } = benchOfRestart();
  for (let at = 0; at < 9_500; at += 500) {
    runAnswered(bench, at, at + 300);
    bench.stall(at + 490).perform(bench.engine.wake(bench.now));
    answer(bench);
  }
  assert.deepEqual(runAnswered(bench, 9_500, 10_090).take(/silent/), ["10000 eth0 silent b"]);
});

test("BeaconEngine that stood still over the end of the hold listens first", () => {
  const { bench, b } = benchOfRestart();
  runAnswered(bench, 0, 5_000).stall(12_000);
  bench.perform(bench.engine.wake(bench.now));
  assert.deepEqual(bench.take(/silent/), []);
  Object.assign(b, { incarnation: 2, sequence: 0, state: "live", holdMs: 300 });
  bench.hear(b.beacon());
  assert.deepEqual(bench.run(12_200).take(/silent/), [], "its beacons were in the socket");
});

test("BeaconEngine tells beside whom another fell silent: a host that answers, no other", () => {
  for (const isThere of [true, false]) {
    const { bench } = benchOfRestart();
    const c = new TestPeer("c", 3);
    bench.hear(c.beacon());
    for (let at = 0; at <= 300; at += 10) {
      bench.run(at);
      if (isThere) answer(bench);
    }
    const beside = isThere ? " beside b" : "";
    assert.deepEqual(bench.take(/silent c/), [`300 eth0 silent c${beside}`]);
  }
});
