// Tests of what the engine makes of silence: when it asks on the wire and whom, what an answer
// proves, what the verdict is, and when silence says nothing because nobody listened.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBED_VIPS_MAX } from "../../../src/beacon/probes.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import {
  BeaconBench,
  ETH1,
  macOf,
  segmentOf,
  TestPeer,
  vipOf,
} from "../../support/beacon-bench.ts";

const GATEWAY = "192.168.1.254" as Ip;
const B_MAC = macOf(2);
const OWN = /beacon|tenure/;

interface Options {
  readonly gateway?: Ip | null;
  readonly vips?: number;
}

/** b, which has so many VIPs, was heard at 0 and is not any more; nor is anybody else. */
function benchOfSilence({ gateway = null, vips = 1 }: Options = {}): {
  bench: BeaconBench;
  b: TestPeer;
} {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ segments: [segmentOf("eth0", 1, gateway), ETH1] });
  bench.hear(b.beacon()).hear(b.table([]));
  const addresses = Array.from({ length: vips }, (_, n) => vipOf(n));
  bench.engine.setProbeTargets(new Map([["b", addresses]]));
  bench.take();
  return { bench, b };
}

/** All lines but those of its own beacons. */
function taken(bench: BeaconBench): string[] {
  return bench.take().filter((line) => !OWN.test(line));
}

function answer(bench: BeaconBench, mac: Mac = B_MAC, address = vipOf(0), name = "eth0"): void {
  bench.engine.answered(name, address, mac, bench.now);
}

test("BeaconEngine asks at 150, 200 and 250 ms of silence, and judges at 300", () => {
  const { bench } = benchOfSilence({ gateway: GATEWAY });
  const asked = (at: number): string[] => [
    `${at} eth0 asks for 10.0.0.0 to all`,
    `${at} eth0 asks for 10.0.0.0 to 02:00:00:00:00:02`,
    `${at} eth0 asks for ${GATEWAY} to all`,
  ];
  const lines = [150, 200, 250].flatMap(asked);
  assert.deepEqual(taken(bench.run(299)), lines);
  const told = [300, 400, 500].map((at) => `${at} eth0 silent b, gateway false`);
  assert.deepEqual(taken(bench.run(5_000)), told);
  assert.equal(bench.engine.peers()[0]?.verdict, "silent");
});

test("BeaconEngine asks nothing of a peer that is heard again in time", () => {
  const { bench, b } = benchOfSilence({ gateway: GATEWAY });
  for (let at = 149; at < 3_000; at += 149) bench.run(at).hear(b.beacon());
  assert.deepEqual(taken(bench), []);
});

test("BeaconEngine begins its questions again with every beacon", () => {
  const { bench, b } = benchOfSilence();
  bench.run(220).hear(b.beacon());
  assert.deepEqual(bench.run(520).times(/to all|silent/), [150, 200, 370, 420, 470, 520]);
});

test("BeaconEngine goes by the hold that the silent peer said last", () => {
  const { bench, b } = benchOfSilence();
  b.holdMs = 600;
  bench.hear(b.beacon());
  assert.deepEqual(bench.run(699).times(/to all|silent/), [300, 400, 500, 600]);
});

test("BeaconEngine asks a silent peer for at most eight VIPs", () => {
  const { bench } = benchOfSilence({ vips: 20 });
  assert.equal(PROBED_VIPS_MAX, 8);
  const asked = bench.run(160).take(/asks/);
  assert.equal(asked.length, 16);
  const all = Array.from({ length: 8 }, (_, n) => `150 eth0 asks for ${vipOf(n)} to all`);
  assert.deepEqual(
    asked.filter((line) => line.endsWith("to all")),
    all,
  );
});

test("BeaconEngine asks of a silent peer without a VIP only the gateway", () => {
  const { bench } = benchOfSilence({ vips: 0, gateway: GATEWAY });
  assert.deepEqual(taken(bench.run(200)), [
    `150 eth0 asks for ${GATEWAY} to all`,
    `200 eth0 asks for ${GATEWAY} to all`,
  ]);
});

test("BeaconEngine without a gateway says nothing of one", () => {
  const { bench } = benchOfSilence({ vips: 0 });
  assert.deepEqual(taken(bench.run(399)), ["300 eth0 silent b"]);
});

const PROOFS: readonly (readonly [string, (bench: BeaconBench) => void, "answers" | "silent"])[] = [
  ["its MAC", (bench) => answer(bench), "answers"],
  ["another MAC", (bench) => answer(bench, macOf(3)), "silent"],
  ["its MAC for what is not its VIP", (bench) => answer(bench, B_MAC, vipOf(9)), "silent"],
  ["its MAC on another segment", (bench) => answer(bench, B_MAC, vipOf(0), "eth1"), "silent"],
  ["its MAC on no segment of ours", (bench) => answer(bench, B_MAC, vipOf(0), "eth9"), "silent"],
  ["its MAC for the gateway", (bench) => answer(bench, B_MAC, GATEWAY), "silent"],
];

for (const [name, act, verdict] of PROOFS) {
  test(`BeaconEngine: an answer of ${name} means ${verdict}`, () => {
    const { bench } = benchOfSilence();
    act(bench.run(180));
    assert.deepEqual(bench.run(399).take(/silent|answers/), [`300 eth0 ${verdict} b`]);
  });
}

for (const [at, verdict] of [
  [149, "silent"],
  [150, "answers"],
  [299, "answers"],
] as const) {
  test(`BeaconEngine: an answer at ${at} ms of silence means ${verdict}`, () => {
    const { bench } = benchOfSilence();
    answer(bench.run(at));
    assert.deepEqual(bench.run(399).take(/silent|answers/), [`300 eth0 ${verdict} b`]);
  });
}

test("BeaconEngine asks one that answers round after round, until it does not", () => {
  const { bench } = benchOfSilence();
  for (const at of [160, 540, 770]) answer(bench.run(at));
  const lines = bench.run(3_000).take(/to all|silent|answers/);
  const asked = [150, 200, 250, 450, 500, 550, 750, 800, 850, 1_050, 1_100, 1_150];
  const expected = asked.map((at) => `${at} eth0 asks for 10.0.0.0 to all`);
  expected.splice(3, 0, "300 eth0 answers b");
  const told = [1_200, 1_300, 1_400].map((at) => `${at} eth0 silent b`);
  assert.deepEqual(lines, [...expected, ...told]);
});

test("BeaconEngine believes no answer of the round before", () => {
  const { bench } = benchOfSilence();
  answer(bench.run(160));
  answer(bench.run(440));
  assert.deepEqual(bench.run(699).take(/silent|answers/), [
    "300 eth0 answers b",
    "600 eth0 silent b",
  ]);
});

test("BeaconEngine asks one that is silent no more, and hears it when it is back", () => {
  const { bench, b } = benchOfSilence();
  answer(bench.run(400));
  assert.deepEqual(bench.take(/silent|answers/), ["300 eth0 silent b", "400 eth0 silent b"]);
  assert.deepEqual(bench.run(1_000).take(/silent|answers/), ["500 eth0 silent b"]);
  bench.hear(b.beacon());
  assert.deepEqual(taken(bench), ["1000 eth0 heard b #1 live 02:00:00:00:00:02"]);
  assert.deepEqual(bench.run(1_399).times(/to all|silent/), [1150, 1200, 1250, 1300]);
});

test("BeaconEngine tells that one which only answered is heard again", () => {
  const { bench, b } = benchOfSilence();
  answer(bench.run(160));
  bench.run(350).take();
  bench.hear(b.beacon());
  assert.deepEqual(taken(bench), ["350 eth0 heard b #1 live 02:00:00:00:00:02"]);
});

test("BeaconEngine expects the answer of the MAC that the last beacon named", () => {
  const { bench, b } = benchOfSilence();
  b.mac = macOf(5);
  bench.hear(b.beacon());
  const asked = bench.run(150).take(/asks/);
  assert.equal(asked[1], "150 eth0 asks for 10.0.0.0 to 02:00:00:00:00:05");
  answer(bench.run(160), B_MAC);
  assert.deepEqual(bench.run(300).take(/silent|answers/), ["300 eth0 silent b"]);
});

/** When c is heard last, and what is told of b, which was heard at 0. */
const BESIDE: readonly (readonly [string, number, readonly string[]])[] = [
  ["goes on", 600, ["300 b beside c", "400 b beside c", "500 b beside c"]],
  ["was heard within 1.6 intervals", 150, ["300 b beside c", "400 b", "450 c", "500 b"]],
  ["was heard before that", 140, ["300 b", "400 b", "440 c", "500 b"]],
];

for (const [name, last, expected] of BESIDE) {
  test(`BeaconEngine tells a silence three times, beside another that ${name}`, () => {
    const { bench } = benchOfSilence();
    const c = new TestPeer("c", 3);
    for (let at = 0; at <= last; at += 50) bench.run(at).hear(c.beacon());
    if (last % 50 > 0) bench.run(last).hear(c.beacon());
    const told = bench.run(Math.max(last, 520)).take(/silent/);
    assert.deepEqual(
      told,
      expected.map((line) => line.replace(" ", " eth0 silent ")),
    );
  });
}

test("BeaconEngine tells a silence beside one that answers", () => {
  const { bench } = benchOfSilence();
  const c = new TestPeer("c", 3);
  bench.engine.setProbeTargets(new Map([["c", [vipOf(5)]]]));
  bench.run(10).hear(c.beacon()).run(200);
  answer(bench, c.mac, vipOf(5));
  assert.deepEqual(bench.run(400).take(/silent|answers/), [
    "300 eth0 silent b",
    "310 eth0 answers c",
    "400 eth0 silent b beside c",
  ]);
});

test("BeaconEngine does not tell again the silence of one that is heard again", () => {
  const { bench, b } = benchOfSilence();
  bench.run(350).hear(b.beacon());
  assert.deepEqual(bench.run(600).times(/silent/), [300]);
});

const GATEWAYS: readonly (readonly [string, number | null, boolean])[] = [
  ["never", null, false],
  ["meanwhile", 1_160, true],
  ["just within two holds", 700, true],
  ["longer ago", 699, false],
];

for (const [name, at, isAnswered] of GATEWAYS) {
  test(`BeaconEngine says of a gateway that answered ${name}: ${isAnswered}`, () => {
    const { bench, b } = benchOfSilence({ gateway: GATEWAY });
    for (let time = 0; time <= 1_300; time++) {
      bench.run(time);
      if (time === at) answer(bench, macOf(200), GATEWAY);
      if (time <= 1_000 && time % 100 === 0) bench.hear(b.beacon());
    }
    const expected = [`1300 eth0 silent b, gateway ${isAnswered}`];
    assert.deepEqual(bench.take(/silent/), expected);
  });
}

const STALLS: readonly (readonly [string, number, readonly number[]])[] = [
  ["as much as is no stall", 200, [200, 200, 250, 300]],
  ["more than that", 200.5, [350.5, 400.5, 450.5, 500.5]],
  ["a second", 1_150, [1_300, 1_350, 1_400, 1_450]],
];

for (const [name, wakeAt, times] of STALLS) {
  test(`BeaconEngine that is late by ${name} asks and judges at ${times.join()}`, () => {
    const { bench } = benchOfSilence();
    bench.run(149).stall(wakeAt).perform(bench.engine.wake(bench.now));
    const end = (times.at(-1) ?? 0) + 99;
    assert.deepEqual(bench.run(end).times(/to all|silent/), times);
  });
}

test("BeaconEngine that finds its stall with a datagram excuses all, on every segment", () => {
  const { bench } = benchOfSilence();
  const [c, d] = [new TestPeer("c", 3), new TestPeer("d", 4)];
  bench.hear(c.beacon()).hear(d.beacon(), "eth1").run(149).stall(1_000);
  bench.hear(c.beacon()).run(1_299).take();
  assert.deepEqual(bench.run(1_399).take(/silent/), [
    "1300 eth0 silent b",
    "1300 eth0 silent c",
    "1300 eth1 silent d",
  ]);
});

test("BeaconEngine that stands still again and again judges only when it does not", () => {
  const { bench } = benchOfSilence();
  for (let at = 400; at < 3_000; at += 400) {
    bench.stall(at).perform(bench.engine.wake(bench.now));
  }
  assert.deepEqual(bench.take(/silent/), []);
  assert.deepEqual(bench.run(3_199).take(/silent/), ["3100 eth0 silent b"]);
});

test("BeaconEngine does not take back a verdict because it stood still later", () => {
  const { bench } = benchOfSilence();
  bench.run(350).stall(1_000).perform(bench.engine.wake(bench.now)).run(2_000);
  const told = [300, 1_100, 1_200].map((at) => `${at} eth0 silent b`);
  assert.deepEqual(bench.take(/silent|heard/), told);
});

test("BeaconEngine that stood still believes no answer of before", () => {
  const { bench } = benchOfSilence();
  answer(bench.run(160));
  bench.stall(1_000).perform(bench.engine.wake(bench.now));
  assert.deepEqual(bench.run(1_399).take(/silent|answers/), ["1300 eth0 silent b"]);
});

test("BeaconEngine that stood still while it listened listens anew, however late it wakes", () => {
  const bench = new BeaconBench().run(50);
  bench.stall(339).perform(bench.engine.wake(bench.now));
  assert.deepEqual(
    bench
      .run(1_000)
      .times(/beacon/)
      .slice(0, 2),
    [639, 739],
  );
});

test("BeaconEngine wants to be woken when the next thing is due", () => {
  const { bench, b } = benchOfSilence();
  const due: number[] = [];
  for (let wake = 0; wake < 15; wake++) {
    due.push(bench.engine.nextDeadline() - bench.time(0));
    bench.run(due.at(-1) ?? 0);
  }
  // Until its first beacon it listens: a stall must show. Then a peer is silent at 600.
  const steps = Array.from({ length: 12 }, (_, step) => 25 * (step + 1));
  assert.deepEqual(due, [...steps, 400, 500, 600]);
  bench.hear(b.beacon());
  assert.equal(bench.engine.nextDeadline() - bench.time(0), 700);
  bench.broken.add("eth0");
  bench.run(745);
  assert.equal(bench.engine.nextDeadline() - bench.time(0), 750);
});
