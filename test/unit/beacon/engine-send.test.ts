// Tests of what the engine sends of itself: when its beacons leave and what they say, how soon a
// change is told, claims and tables, and what its tenure hangs on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_BEACON_SETTINGS } from "../../../src/beacon/engine-types.ts";
import { NEVER } from "../../../src/core/time.ts";
import {
  BeaconBench,
  CLUSTER,
  digestOf,
  ETH0,
  ETH1,
  entryOf,
  KEY,
  macOf,
  NO_TABLE,
  TestPeer,
  vipOf,
} from "../../support/beacon-bench.ts";

test("BeaconEngine listens for one hold, then sends a beacon each interval", () => {
  assert.deepEqual(new BeaconBench().run(599).take(), [
    "300 eth0 beacon live 100/300",
    "300 eth0 tenure 590",
    "400 eth0 beacon live 100/300",
    "400 eth0 tenure 690",
    "500 eth0 beacon live 100/300",
    "500 eth0 tenure 790",
  ]);
});

test("BeaconEngine goes by its settings", () => {
  const bench = new BeaconBench({
    settings: { ...DEFAULT_BEACON_SETTINGS, intervalMs: 50, multiplier: 4 },
  });
  assert.deepEqual(bench.run(250).take(), [
    "200 eth0 beacon live 50/200",
    "200 eth0 tenure 390",
    "250 eth0 beacon live 50/200",
    "250 eth0 tenure 440",
  ]);
});

test("BeaconEngine tells its MAC, its table, and how long the main loop has stood still", () => {
  const bench = new BeaconBench().run(300);
  const { mac } = ETH0;
  assert.deepEqual([bench.beacon?.mac, bench.beacon?.digest], [mac, NO_TABLE]);
  assert.equal(bench.beacon?.stalledMs, 0xffff, "it never moved");
  bench.run(350).engine.mainMoved(bench.now);
  bench.grant(2);
  bench.grant(1);
  bench.run(360);
  assert.equal(bench.beacon?.stalledMs, 0);
  assert.equal(bench.beacon?.digest, digestOf([entryOf(1), entryOf(2)]));
  assert.equal(bench.run(460).beacon?.stalledMs, 100);
});

for (const lacks of ["key", "cluster"] as const) {
  test(`BeaconEngine without a ${lacks} is silent; with it, it listens one hold first`, () => {
    const bench = new BeaconBench({ [lacks]: null }).run(1_000);
    bench.grant(1);
    bench.perform(bench.engine.say("claim", [entryOf(1)], ["eth0"]));
    bench.perform(bench.engine.tellTable());
    bench.perform(bench.engine.setState("draining", bench.now)).run(2_000);
    assert.deepEqual(bench.take(), []);
    if (lacks === "key") bench.engine.setKeys(KEY, [KEY], bench.now);
    else bench.engine.setCluster(CLUSTER, bench.now);
    bench.perform(bench.engine.wake(bench.now));
    assert.deepEqual(bench.run(2_399).take(), [
      "2300 eth0 table-change 10.0.0.1@5 gone -",
      "2300 eth0 beacon draining 100/300",
      "2300 eth0 tenure 2590",
    ]);
  });
}

test("BeaconEngine that loses its key falls silent, and its tenure ends", () => {
  const bench = new BeaconBench().run(350);
  bench.take();
  bench.engine.setKeys(null, [KEY], bench.now);
  assert.deepEqual(bench.run(2_000).take(), ["590 eth0 lapsed 1"]);
});

test("BeaconEngine whose key is back, or another, within its tenure listens no more", () => {
  const bench = new BeaconBench().run(350);
  bench.engine.setKeys(null, [KEY], bench.now);
  bench.run(450).engine.setKeys(KEY, [KEY], bench.now);
  assert.deepEqual(bench.run(600).times(/beacon/), [300, 500, 600]);
  const other = new Uint8Array(32).fill(0x22);
  bench.engine.setKeys(other, [KEY, other], bench.now);
  bench.engine.setKeys(KEY, [KEY, other], bench.now);
  assert.deepEqual(bench.run(800).times(/beacon/), [700, 800]);
});

type Act = readonly [number, (bench: BeaconBench) => void];
const granted =
  (n: number) =>
  (bench: BeaconBench): void =>
    assert.ok(bench.grant(n));
const revoked = (n: number) => (bench: BeaconBench) => bench.engine.revoke(vipOf(n), bench.now);
const draining = (bench: BeaconBench): void => {
  bench.perform(bench.engine.setState("draining", bench.now));
};

const HURRIES: readonly (readonly [string, readonly Act[], readonly number[]])[] = [
  ["nothing", [], [300, 400, 500]],
  ["a grant just after a beacon", [[303, granted(1)]], [300, 310, 410, 510]],
  ["a grant at the earliest time for it", [[310, granted(1)]], [300, 310, 410, 510]],
  ["a grant later on", [[350, granted(1)]], [300, 350, 450]],
  [
    "two grants",
    [
      [303, granted(1)],
      [305, granted(2)],
    ],
    [300, 310, 410, 510],
  ],
  [
    "a grant, and another after that was told",
    [
      [303, granted(1)],
      [312, granted(2)],
    ],
    [300, 310, 360, 460],
  ],
  [
    "a grant and its end",
    [
      [320, granted(1)],
      [340, revoked(1)],
    ],
    [300, 320, 370, 470],
  ],
  ["the end of what it never had", [[320, revoked(1)]], [300, 400, 500]],
  ["a change of state", [[304, draining]], [300, 310, 410, 510]],
  ["a grant shortly before a beacon is due", [[395, granted(1)]], [300, 395, 495]],
  ["a grant before the first beacon", [[100, granted(1)]], [300, 400, 500]],
  ["a change of state before the first beacon", [[100, draining]], [300, 400, 500]],
];

for (const [name, acts, times] of HURRIES) {
  test(`BeaconEngine tells ${name} at ${times.join()}`, () => {
    const bench = new BeaconBench();
    for (const [at, act] of acts) act(bench.run(at));
    assert.deepEqual(bench.run(519).times(/beacon/), times);
  });
}

test("BeaconEngine tells of a table that changes and changes every 50 ms", () => {
  const bench = new BeaconBench().run(300);
  for (let n = 0; n < 100; n++) {
    bench.grant(n);
    bench.run(301 + n);
  }
  assert.deepEqual(bench.times(/beacon/), [300, 310, 360]);
});

test("BeaconEngine tells a new state 10 ms after a beacon that hurried", () => {
  const bench = new BeaconBench().run(300);
  bench.grant(1);
  draining(bench.run(311));
  assert.deepEqual(bench.run(350).times(/beacon/), [300, 310, 320]);
});

test("BeaconEngine has a table for each segment", () => {
  const bench = new BeaconBench({ segments: [ETH0, ETH1] });
  bench.grant(1, ["eth0"]);
  bench.grant(2, ["eth0", "eth1"]);
  bench.perform(bench.engine.tellTable());
  assert.deepEqual(bench.take(), [
    "0 eth0 table 1/1 10.0.0.1@5 10.0.0.2@5",
    "0 eth1 table 1/1 10.0.0.2@5",
  ]);
  assert.equal(bench.run(300).beacon?.digest, digestOf([entryOf(2)]), "eth1 comes last");
});

test("BeaconEngine sends a claim to everybody, on those interfaces that it has", () => {
  const bench = new BeaconBench({ segments: [ETH0, ETH1] });
  bench.perform(bench.engine.say("claim", [entryOf(1), entryOf(2, 6)], ["eth1", "eth9"]));
  assert.deepEqual(bench.take(), ["0 eth1 claim 10.0.0.1@5 10.0.0.2@6"]);
});

test("BeaconEngine sends no claim of nothing", () => {
  const bench = new BeaconBench();
  bench.perform(bench.engine.say("claim", [], ["eth0"]));
  assert.deepEqual(bench.take(), []);
});

test("BeaconEngine splits claims and tables that fit into no datagram", () => {
  const bench = new BeaconBench();
  const entries = Array.from({ length: 100 }, (_, n) => entryOf(n));
  for (let n = 0; n < 100; n++) bench.grant(n);
  bench.perform(bench.engine.say("claim", entries, ["eth0"]));
  bench.perform(bench.engine.tellTable());
  assert.deepEqual(bench.take(), [
    "0 eth0 claim (46)",
    "0 eth0 claim (46)",
    "0 eth0 claim (8)",
    "0 eth0 table 1/3 (46)",
    "0 eth0 table 2/3 (46)",
    "0 eth0 table 3/3 (8)",
  ]);
});

/** At 520, with a VIP; the beacon at 500 was the last that left. */
function broken(segments = [ETH0]): BeaconBench {
  const bench = new BeaconBench({ segments }).run(510);
  assert.ok(bench.grant(1));
  bench.broken.add("eth0");
  bench.run(520).take();
  return bench;
}

test("BeaconEngine tells once of a tenure's end, hold less 10 ms after the last beacon", () => {
  const bench = broken();
  assert.deepEqual(bench.run(2_000).take(/tenure|lapsed/), ["790 eth0 lapsed 1"]);
});

test("BeaconEngine has nothing left after a lapse, and says so in its next beacon", () => {
  const bench = broken().run(789);
  assert.equal(bench.beacon?.digest, digestOf([entryOf(1)]));
  bench.run(810);
  assert.equal(bench.beacon?.digest, NO_TABLE);
  bench.perform(bench.engine.tellTable());
  assert.deepEqual(bench.take(/ table/), [
    "810 eth0 table-change - gone 10.0.0.1@5",
    "810 eth0 table 1/1 -",
  ]);
});

test("BeaconEngine refuses a grant that knows of fewer lapses than there were", () => {
  const bench = broken().run(800);
  assert.equal(bench.grant(1, ["eth0"], 0), false);
  assert.equal(bench.run(910).beacon?.digest, NO_TABLE);
  assert.equal(bench.grant(1, ["eth0"], 1), true);
  assert.equal(bench.run(1_010).beacon?.digest, digestOf([entryOf(1)]));
});

test("BeaconEngine begins a tenure again with a beacon that left, and counts the lapses", () => {
  const bench = broken().run(820);
  bench.broken.clear();
  const again = ["910 eth0 tenure 1200", "1010 eth0 tenure 1300"];
  assert.deepEqual(bench.run(1_050).take(/tenure|lapsed/), ["790 eth0 lapsed 1", ...again]);
  bench.broken.add("eth0");
  assert.deepEqual(bench.run(3_000).take(/tenure|lapsed/), ["1300 eth0 lapsed 2"]);
  assert.deepEqual([bench.grant(1, ["eth0"], 1), bench.grant(1, ["eth0"], 2)], [false, true]);
});

test("BeaconEngine finds a lapse itself when a grant comes before it was woken", () => {
  const bench = broken().run(720).stall(790);
  assert.equal(bench.grant(2, ["eth0"], 0), false);
  bench.take();
  bench.perform(bench.engine.wake(bench.now));
  assert.deepEqual(bench.take(/lapsed/), ["790 eth0 lapsed 1"]);
});

test("BeaconEngine that stood still for long has lapsed before it sends", () => {
  const bench = new BeaconBench().run(350).stall(5_000);
  bench.take();
  bench.perform(bench.engine.wake(bench.now));
  assert.deepEqual(bench.take(), [
    "5000 eth0 lapsed 1",
    "5000 eth0 beacon live 100/300",
    "5000 eth0 tenure 5290",
  ]);
});

test("BeaconEngine takes the report of a beacon when it is late, not when too late", () => {
  const bench = new BeaconBench();
  bench.broken.add("eth0");
  bench.run(300).take();
  bench.stall(340).perform(bench.engine.sent("eth0", bench.time(300), bench.now));
  assert.deepEqual(bench.take(), ["340 eth0 tenure 590"]);
  assert.deepEqual(bench.run(600).take(/lapsed/), ["590 eth0 lapsed 1"]);
  bench.perform(bench.engine.sent("eth0", bench.time(300), bench.now)).take();
  assert.deepEqual(bench.run(2_000).take(/lapsed/), [], "it did not begin again");
});

test("BeaconEngine drops with a lapse what was granted on that interface, and no more", () => {
  const bench = new BeaconBench({ segments: [ETH0, ETH1] }).run(510);
  bench.grant(1, ["eth0"]);
  bench.grant(2, ["eth0", "eth1"]);
  bench.grant(3, ["eth1"]);
  bench.broken.add("eth0");
  bench.run(1_000).take();
  bench.perform(bench.engine.tellTable());
  const lines = ["1000 eth0 table 1/1 -", "1000 eth1 table 1/1 10.0.0.3@5"];
  assert.deepEqual(bench.take(), lines);
});

test("BeaconEngine refuses no grant for a lapse of an interface that it does not name", () => {
  const bench = broken([ETH0, ETH1]).run(800);
  assert.equal(bench.grant(3, ["eth1"], 0), true);
  assert.equal(bench.grant(3, ["eth0", "eth1"], 0), false);
});

const FIRST_WAKES: readonly (readonly [string, number, number])[] = [
  ["on time", 300, 300],
  ["late by as much as is no stall", 350, 350],
  ["later, and listens for another hold", 351, 651],
];

for (const [name, wakeAt, firstAt] of FIRST_WAKES) {
  test(`BeaconEngine that is woken ${name} sends its first beacon at ${firstAt}`, () => {
    const bench = new BeaconBench().run(299).stall(wakeAt);
    bench.perform(bench.engine.wake(bench.now)).run(firstAt);
    assert.deepEqual(bench.times(/beacon/), [firstAt]);
  });
}

test("BeaconEngine keeps the rhythm of a segment that stays, and listens on a new one", () => {
  const bench = new BeaconBench().run(350);
  bench.take();
  const routed = { ...ETH0, gateway: vipOf(254) };
  bench.perform(bench.engine.setSegments([routed, ETH1], bench.now));
  assert.deepEqual(bench.run(700).take(/beacon/), [
    "400 eth0 beacon live 100/300",
    "500 eth0 beacon live 100/300",
    "600 eth0 beacon live 100/300",
    "650 eth1 beacon live 100/300",
    "700 eth0 beacon live 100/300",
  ]);
});

const READDRESSED = { ...ETH0, address: ETH1.address };

test("BeaconEngine begins anew on an interface with another address", () => {
  const bench = new BeaconBench().run(310).hear(new TestPeer("b").beacon()).run(350);
  bench.perform(bench.engine.setSegments([READDRESSED], bench.now));
  assert.deepEqual(bench.engine.peers(), []);
  assert.deepEqual(bench.run(700).times(/beacon/), [300, 650]);
});

test("BeaconEngine drops what was granted on an interface that has another address", () => {
  const bench = new BeaconBench().run(310);
  bench.grant(1);
  bench.run(350).take();
  bench.perform(bench.engine.setSegments([READDRESSED], bench.now));
  assert.deepEqual(bench.run(700).take(/lapsed/), ["350 eth0 lapsed 1"]);
  assert.equal(bench.beacon?.digest, NO_TABLE);
  assert.deepEqual([bench.grant(1, ["eth0"], 0), bench.grant(1, ["eth0"], 1)], [false, true]);
});

test("BeaconEngine has no tenure by what left with another address", () => {
  const bench = new BeaconBench();
  bench.broken.add("eth0");
  bench.run(300);
  bench.perform(bench.engine.setSegments([READDRESSED], bench.now)).take();
  bench.perform(bench.engine.sent("eth0", bench.time(300), bench.now));
  const isBegun = bench.take(/tenure/).some((line) => !line.endsWith("-Infinity"));
  assert.equal(isBegun, false);
});

test("BeaconEngine goes on with another MAC, which it tells at once", () => {
  const bench = new BeaconBench().run(310).hear(new TestPeer("b").beacon());
  bench.grant(1);
  bench.run(350).take();
  const mac = macOf(9);
  bench.perform(bench.engine.setSegments([{ ...ETH0, mac }], bench.now));
  assert.equal(bench.beacon?.mac, mac);
  assert.equal(bench.engine.peers().length, 1);
  assert.deepEqual(bench.run(700).take(/lapsed/), []);
  assert.notEqual(bench.beacon?.digest, NO_TABLE);
});

test("BeaconEngine sends and wants nothing on an interface that is gone, and tells its end", () => {
  const bench = new BeaconBench().run(350);
  bench.take();
  bench.perform(bench.engine.setSegments([], bench.now));
  bench.perform(bench.engine.say("claim", [entryOf(1)], ["eth0"]));
  bench.perform(bench.engine.tellTable());
  bench.perform(bench.engine.sent("eth0", bench.time(300), bench.now));
  bench.hear(new TestPeer("b").beacon());
  assert.equal(bench.engine.nextDeadline(), NEVER);
  assert.deepEqual(bench.take(), ["350 eth0 lapsed 1"]);
});

test("BeaconEngine counts no lapse where an interface goes before its tenure has begun", () => {
  const bench = new BeaconBench().run(250);
  bench.grant(1);
  bench.perform(bench.engine.setSegments([], bench.now));
  assert.deepEqual(bench.take(), []);
  assert.equal(bench.grant(1, ["eth0"], 0), true);
});

for (const [restartHoldMs, said] of [
  [1, 300],
  [299, 300],
  [301, 301],
  [10_000, 10_000],
] as const) {
  test(`BeaconEngine that restarts with a hold of ${restartHoldMs} ms asks for ${said} ms`, () => {
    const settings = { ...DEFAULT_BEACON_SETTINGS, restartHoldMs };
    const bench = new BeaconBench({ settings }).run(300);
    bench.engine.setState("restarting", bench.now);
    bench.run(400);
    assert.deepEqual([bench.beacon?.state, bench.beacon?.holdMs], ["restarting", said]);
  });
}
