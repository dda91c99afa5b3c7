// Tests of what the engine makes of datagrams: those that it drops, those that overtake each other,
// what it tells of a peer, and what it does about another host of its own name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HMAC_BYTES } from "../../../src/beacon/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import {
  BeaconBench,
  CLUSTER,
  ETH0,
  entryOf,
  KEY,
  macOf,
  OWN_INCARNATION,
  OWN_NODE,
  type Packet,
  TestPeer,
} from "../../support/beacon-bench.ts";

const OTHER_KEY = new Uint8Array(32).fill(0x33);
const OTHER_CLUSTER = "ff00000000000000";
const ELSEWHERE = "192.168.1.77" as Ip;
const HEARD_B = "eth0 heard b #1 live 02:00:00:00:00:02";
const FUTURE_VERSION = 2;

/** b is known, was heard at 100, and says nothing more of itself unless told to. */
function benchWithB(): { bench: BeaconBench; b: TestPeer } {
  const b = new TestPeer("b");
  const bench = new BeaconBench().hear(b.beacon()).hear(b.table([])).run(100).hear(b.beacon());
  bench.take();
  return { bench, b };
}

function edited({ from, bytes }: Packet, at: number, value: number): Packet {
  const copy = bytes.slice();
  copy[at] = value;
  return { from, bytes: copy };
}

function cut({ from, bytes }: Packet, length: number): Packet {
  return { from, bytes: bytes.slice(0, length) };
}

function claimOf(b: TestPeer, n: number, changes: { sequence?: number } = {}): Packet {
  return b.datagram({ kind: "claim", entries: [entryOf(n)] }, changes);
}

/** As if b had gone on to another state, which would be told. */
function nextOf(b: TestPeer): TestPeer {
  b.state = "stopping";
  b.digest = "ab".repeat(8);
  return b;
}

type Bad = readonly [string, string, (b: TestPeer) => Packet];

const BAD: readonly Bad[] = [
  ["of the wrong key", "hmac", (b) => nextOf(b).beacon({}, OTHER_KEY)],
  ["that was changed on its way", "hmac", (b) => edited(nextOf(b).beacon(), 28, 99)],
  ["that was cut", "length", (b) => cut(nextOf(b).beacon(), 80)],
  ["that was cut to a header", "short", (b) => cut(nextOf(b).beacon(), 32 + HMAC_BYTES - 1)],
  ["without a byte", "short", (b) => cut(b.beacon(), 0)],
  ["that is oversized", "oversized", (b) => ({ from: b.address, bytes: new Uint8Array(1_401) })],
  ["of a future version", "version", (b) => edited(nextOf(b).beacon(), 3, FUTURE_VERSION)],
  ["of another program", "not-lbd", (b) => edited(nextOf(b).beacon(), 0, 0x6d)],
  ["with a name that no Node has", "malformed", (b) => nextOf(b).beacon({ node: "b\n" })],
  ["of another cluster", "foreign-cluster", (b) => nextOf(b).beacon({ cluster: OTHER_CLUSTER })],
  [
    "of another cluster with its key",
    "foreign-cluster",
    (b) => nextOf(b).beacon({ cluster: OTHER_CLUSTER }, OTHER_KEY),
  ],
  [
    "from an address that it does not name",
    "wrong-address",
    (b) => ({ ...nextOf(b).beacon(), from: ELSEWHERE }),
  ],
  [
    "that names another address",
    "wrong-address",
    (b) => ({ ...nextOf(b).beacon({ address: ELSEWHERE }), from: b.address }),
  ],
  ["of its own", "own", (b) => ({ ...ownOf(b), from: ETH0.address })],
  ["that is a replay", "replay", (b) => nextOf(b).beacon({ sequence: b.sequence })],
  ["of an incarnation before", "replay", (b) => nextOf(b).beacon({ incarnation: 0 })],
  ["that was overtaken", "late", (b) => nextOf(b).beacon({ sequence: b.sequence - 5 })],
  ["of an unknown node that is no beacon", "unknown", () => claimOf(new TestPeer("c", 3), 1)],
];

function ownOf(b: TestPeer): Packet {
  return b.beacon({ node: OWN_NODE, incarnation: OWN_INCARNATION, address: ETH0.address });
}

for (const [name, reason, packetOf] of BAD) {
  test(`BeaconEngine drops a datagram ${name}: ${reason}, and nothing changes by it`, () => {
    const { bench, b } = benchWithB();
    // So that some before it may still be on their way.
    b.sequence += 10;
    const before = bench.hear(b.beacon()).engine.peers();
    const packet = packetOf(b);
    bench.run(200).hear(packet);
    assert.deepEqual(bench.take(/^(?!.*foreign-cluster)/), []);
    assert.deepEqual(bench.engine.drops, { [reason]: 1 });
    assert.deepEqual(bench.engine.peers(), before);
    bench.hear(packet);
    const again = reason === "late" ? { late: 1, replay: 1 } : { [reason]: 2 };
    assert.deepEqual(bench.engine.drops, again);
    assert.deepEqual(bench.run(400).take(/heard|silent|table/), ["400 eth0 silent b"]);
  });
}

test("BeaconEngine accepts both keys of a rotation, and nothing without a key", () => {
  const bench = new BeaconBench();
  const [b, c] = [new TestPeer("b"), new TestPeer("c", 3)];
  bench.engine.setKeys(KEY, [OTHER_KEY, KEY], bench.now);
  bench.hear(b.beacon({}, OTHER_KEY)).hear(c.beacon({}, KEY));
  assert.deepEqual(
    bench.engine.peers().map(({ node }) => node),
    ["b", "c"],
  );
  bench.engine.setKeys(KEY, [], bench.now);
  bench.hear(b.beacon());
  assert.deepEqual(bench.engine.drops, { hmac: 1 });
});

test("BeaconEngine that knows no cluster yet calls none foreign", () => {
  const bench = new BeaconBench({ cluster: null });
  const b = new TestPeer("b");
  bench.hear(b.beacon()).hear(b.beacon({}, OTHER_KEY));
  assert.deepEqual(bench.engine.drops, { unknown: 1, hmac: 1 });
  assert.deepEqual(bench.take(), []);
});

test("BeaconEngine tells once of each foreign cluster, whoever has its key", () => {
  const { bench, b } = benchWithB();
  const abroad = (cluster: string, key = OTHER_KEY) => b.beacon({ cluster }, key);
  bench.run(150).hear(abroad(OTHER_CLUSTER)).hear(abroad(OTHER_CLUSTER, KEY));
  bench.hear(abroad("ff00000000000001", KEY)).hear(abroad(CLUSTER));
  const host = "b 192.168.1.2 02:00:00:00:00:02";
  assert.deepEqual(bench.take(/foreign/), [
    `150 eth0 foreign-cluster ${OTHER_CLUSTER} ${host}`,
    `150 eth0 foreign-cluster ff00000000000001 ${host}`,
  ]);
  assert.deepEqual(bench.engine.drops, { "foreign-cluster": 3, hmac: 1 });
  assert.deepEqual(
    bench.engine.foreignClusters(bench.now).map(({ cluster }) => cluster),
    [OTHER_CLUSTER, "ff00000000000001"],
  );
});

test("BeaconEngine tells a peer when it is heard first, and then what changes", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench().hear(b.beacon()).hear(b.table([]));
  assert.deepEqual(bench.take(), [
    `0 ${HEARD_B}`,
    "0 eth0 table-request to 192.168.1.2",
    "0 eth0 no table of b",
    "0 eth0 table of b: -",
  ]);
  bench.run(50).hear(b.beacon());
  assert.deepEqual(bench.take(), []);
  for (const state of ["draining", "draining", "restarting", "stopping", "deaf"] as const) {
    b.state = state;
    bench.hear(b.beacon());
  }
  assert.deepEqual(
    bench.take(/heard/).map((line) => line.split(" ")[5]),
    ["draining", "restarting", "stopping", "deaf"],
  );
});

test("BeaconEngine tells of a peer's other MAC", () => {
  const { bench, b } = benchWithB();
  bench.take();
  b.mac = macOf(9);
  bench.hear(b.beacon());
  bench.hear(b.beacon());
  assert.deepEqual(
    bench.take(/heard/).map((line) => line.split(" ")[6]),
    [b.mac],
  );
});

test("BeaconEngine tells of an offer with the time at which it came", () => {
  const { bench, b } = benchWithB();
  const { from, bytes } = b.datagram({ kind: "offer", entries: [entryOf(1)] });
  const news = bench.engine.receive("eth0", { from, bytes }, bench.now);
  const offer = { type: "peer-offer", node: "b", interface: "eth0", entries: [entryOf(1)] };
  assert.deepEqual(news, [{ type: "tell", news: { ...offer, at: bench.now } }]);
});

test("BeaconEngine that stood still believes no offer that may have waited meanwhile", () => {
  const { bench, b } = benchWithB();
  const offer = () => b.datagram({ kind: "offer", entries: [entryOf(1)] });
  const waiting = offer();
  bench.stall(5_000).hear(waiting);
  assert.deepEqual(bench.take(/offer/), []);
  bench.hear(b.beacon()).run(5_100).hear(offer());
  assert.equal(bench.take(/offer/).length, 1, "one that is repeated is new");
});

test("BeaconEngine takes a claim that was overtaken, once, and one of any peer", () => {
  const { bench, b } = benchWithB();
  const late = claimOf(b, 1);
  bench.hear(b.beacon()).hear(claimOf(b, 2)).hear(late).hear(late);
  assert.deepEqual(bench.take(), [
    "100 eth0 claim of b: 10.0.0.2@5",
    "100 eth0 claim of b: 10.0.0.1@5",
  ]);
  assert.deepEqual(bench.engine.drops, { replay: 1 });
});

test("BeaconEngine counts a beacon that was overtaken as no sign of life", () => {
  const { bench, b } = benchWithB();
  const late = b.beacon();
  bench.hear(claimOf(b, 1)).run(350).hear(late);
  assert.deepEqual(bench.engine.drops, { late: 1 });
  assert.deepEqual(bench.run(400).take(/silent/), ["400 eth0 silent b"]);
});

for (const [behind, outcome] of [
  [30, "taken"],
  [31, "dropped"],
] as const) {
  test(`BeaconEngine: a claim that ${behind} others overtook is ${outcome}`, () => {
    const { bench, b } = benchWithB();
    b.sequence = 99;
    bench.hear(b.beacon()).hear(claimOf(b, 1, { sequence: 100 - behind }));
    assert.equal(bench.take(/claim/).length, outcome === "taken" ? 1 : 0);
  });
}

test("BeaconEngine ends an incarnation and its table with the first of a new one", () => {
  const { bench, b } = benchWithB();
  const old = [claimOf(b, 1), b.beacon(), b.table([entryOf(1)])];
  b.incarnation = 2;
  b.sequence = 0;
  bench.run(150).hear(b.beacon());
  const heard = `150 ${HEARD_B.replace("#1", "#2")}`;
  const asked = ["150 eth0 table-request to 192.168.1.2", "150 eth0 no table of b"];
  assert.deepEqual(bench.take(), [heard, ...asked]);
  for (const packet of old) bench.hear(packet);
  assert.deepEqual(bench.take(), []);
  assert.deepEqual(bench.engine.drops, { replay: 3 });
});

test("BeaconEngine tells a new incarnation with its first beacon, whatever came before", () => {
  const { bench, b } = benchWithB();
  b.incarnation = 2;
  b.sequence = 0;
  bench.run(150).hear(b.datagram({ kind: "table-request" }));
  assert.deepEqual(bench.take(), ["150 eth0 table 1/1 - to 192.168.1.2"]);
  bench.run(200).hear(b.beacon());
  assert.deepEqual(bench.take(/heard/), [`200 ${HEARD_B.replace("#1", "#2")}`]);
});

/** In this node's name, from another host. */
function namesake(incarnation: number): TestPeer {
  const other = new TestPeer(OWN_NODE, 9);
  other.incarnation = incarnation;
  return other;
}

test("BeaconEngine that is the newer of two of one name falls silent, and tells it", () => {
  const other = namesake(OWN_INCARNATION - 1);
  const bench = new BeaconBench().run(350);
  bench.take();
  bench.hear(other.beacon());
  assert.deepEqual(bench.take(), [], "one datagram may be an old one");
  bench.hear(other.beacon()).run(1_450);
  assert.deepEqual(bench.take(), ["350 eth0 name-conflict 192.168.1.9 newer", "590 eth0 lapsed 1"]);
  const [first] = bench.run(90_500).times(/beacon/);
  assert.ok(first !== undefined && first >= 90_350, "the other one may be restarting meanwhile");
  assert.deepEqual([bench.engine.drops, bench.engine.peers()], [{ own: 1, replay: 1 }, []]);
});

test("BeaconEngine is not kept silent by what was recorded of its own earlier life", () => {
  const earlier = namesake(OWN_INCARNATION - 1);
  const recorded = [earlier.beacon(), earlier.beacon()];
  const bench = new BeaconBench().run(350);
  for (let at = 350; at < 91_000; at += 1_000) {
    bench.run(at);
    for (const datagram of recorded) bench.hear(datagram);
  }
  // The first time it cannot know better.
  assert.deepEqual(bench.times(/conflict/), [350]);
  assert.equal(
    bench
      .run(91_000)
      .times(/beacon/)
      .some((at) => at > 90_350),
    true,
  );
});

test("BeaconEngine tells of another host of its name once a minute", () => {
  const bench = new BeaconBench().run(350);
  bench.hearEvery100(namesake(OWN_INCARNATION + 1), 400, 121_000);
  assert.deepEqual(bench.times(/conflict/), [500, 60_500, 120_500]);
});

test("BeaconEngine that is silent for its name's sake claims nothing", () => {
  const other = namesake(OWN_INCARNATION - 1);
  const bench = new BeaconBench().run(350).hear(other.beacon()).hear(other.beacon());
  bench.take();
  bench.perform(bench.engine.say("claim", [entryOf(1)], ["eth0"]));
  bench.perform(bench.engine.tellTable());
  assert.deepEqual(bench.take(), []);
});

test("BeaconEngine that hears of the older one while it listens never begins", () => {
  const bench = new BeaconBench().hearEvery100(namesake(OWN_INCARNATION - 1), 50, 3_000);
  assert.deepEqual(bench.take(/beacon|tenure|lapsed/), []);
});

for (const incarnation of [OWN_INCARNATION, OWN_INCARNATION + 1]) {
  test(`BeaconEngine that is not the newer of two of one name goes on: ${incarnation}`, () => {
    const other = namesake(incarnation);
    const bench = new BeaconBench().run(350).hear(other.beacon()).hear(other.beacon());
    assert.deepEqual(bench.take(/conflict/), ["350 eth0 name-conflict 192.168.1.9"]);
    assert.deepEqual(bench.run(600).times(/beacon/), [400, 500, 600]);
  });
}

test("BeaconEngine with two interfaces on one network is no other host of its name", () => {
  const other = namesake(OWN_INCARNATION);
  const segments = [ETH0, { ...ETH0, interface: "eth1", address: other.address }];
  const bench = new BeaconBench({ segments }).hear(other.beacon());
  assert.deepEqual([bench.take(), bench.engine.drops], [[], { own: 1 }]);
});

test("BeaconEngine takes no claim in its own name", () => {
  const other = namesake(OWN_INCARNATION + 1);
  const bench = new BeaconBench().hear(claimOf(other, 1)).hear(claimOf(other, 1));
  assert.deepEqual(bench.take(), ["0 eth0 name-conflict 192.168.1.9"]);
});

test("BeaconEngine tells again what it knows of a peer, for whoever was late", () => {
  const { bench } = benchWithB();
  const retell = (name: string, node: string): string[] =>
    bench.perform(bench.engine.retell(name, node, bench.now)).take();
  assert.deepEqual(retell("eth0", "b"), [`100 ${HEARD_B}`]);
  assert.deepEqual([...retell("eth0", "c"), ...retell("eth9", "b")], []);
  bench.run(500).take();
  assert.deepEqual(retell("eth0", "b"), ["500 eth0 silent b"]);
});
