// Tests of the beacons on the responder thread: what leaves when, what is asked on the wire of a
// silent peer, and what the main thread is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramBody } from "../../../src/beacon/body.ts";
import type { PeerNews } from "../../../src/beacon/news.ts";
import type { Ip } from "../../../src/core/address.ts";
import { prefixOf } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { MAC_BROADCAST } from "../../../src/core/mac.ts";
import type { AnsweringInterface } from "../../../src/daemon/responder-messages.ts";
import {
  answer,
  CLIENT,
  EPOCH,
  ETH0,
  ETH1,
  Harness,
  HOLD_MS,
  link,
  OTHER_NODE,
  request,
  VIP,
} from "./loop-harness.ts";

const GATEWAY = "192.168.100.1" as Ip;
const GATEWAY_MAC = "02:00:00:00:64:01" as Mac;
const THEIRS = "192.168.100.210" as Ip;
const PEER_IP = "192.168.100.12" as Ip;
const WITH_GATEWAY: AnsweringInterface = { ...ETH0, gateway: GATEWAY };
/** Of an empty table. */
const DIGEST = "0000000000000000";

const BEACON: Extract<DatagramBody, { kind: "beacon" }> = {
  kind: "beacon",
  state: "live",
  intervalMs: 100,
  holdMs: HOLD_MS,
  stalledMs: 0,
  mac: OTHER_NODE,
  digest: DIGEST,
};

/** When beacons left since `start`, and on which interface. */
function beaconsOf(harness: Harness, start: number): [string, number][] {
  return harness.beacons.sent
    .filter(({ body }) => body.kind === "beacon")
    .map((sent) => [sent.interface, sent.at - start]);
}

function bodiesOf(harness: Harness, kind: DatagramBody["kind"]) {
  return harness.beacons.sent
    .filter(({ body }) => body.kind === kind)
    .map(({ interface: name, to, body }) => ({ interface: name, to, body }));
}

/** n1 with a tenure on eth0, which hears n2 since now; n2 owns THEIRS. */
function hearing(about: AnsweringInterface = ETH0): Harness {
  const harness = new Harness();
  harness.grant(VIP, [about]);
  const targets = new Map([["n2", [THEIRS]]]);
  harness.loop.receive({ type: "probe-targets", targets });
  harness.receive(BEACON);
  return harness;
}

function silent(changes: Partial<Extract<PeerNews, { type: "peer-silent" }>> = {}) {
  return (harness: Harness): PeerNews[] => [
    {
      type: "peer-silent",
      node: "n2",
      interface: "eth0",
      answers: false,
      gateway: null,
      heard: [],
      at: harness.now,
      ...changes,
    },
  ];
}

test("ResponderLoop listens for one hold, then sends a beacon every 100 ms on each segment", () => {
  const harness = new Harness();
  const start = harness.now;
  harness.join([ETH0, ETH1]);
  harness.pass(HOLD_MS - 1);
  assert.equal(harness.beacons.sent.length, 0);
  harness.pass(201);
  const due = [300, 400, 500].flatMap((at) => [
    ["eth0", at],
    ["eth1", at],
  ]);
  assert.deepEqual(beaconsOf(harness, start), due);
  assert.deepEqual(harness.beacons.sent[0]?.body, { ...BEACON, mac: ETH0.mac, stalledMs: 300 });
  assert.deepEqual(
    harness.beacons.sent.map(({ to }) => to),
    due.map(() => null),
  );
});

test("ResponderLoop gives the socket the segments that have an address, and no others", () => {
  const harness = new Harness();
  harness.join([ETH0, link("eth2", 9, "02:00:00:00:66:0b"), ETH1]);
  const expected = [ETH0, ETH1].map(({ name, address }) => ({
    interface: name,
    address: address?.ip,
    prefix: address?.prefix,
  }));
  assert.deepEqual(harness.beacons.segments, expected);
  harness.loop.receive({ type: "interfaces", interfaces: [ETH1] });
  assert.deepEqual(harness.beacons.segments, expected.slice(1));
});

test("ResponderLoop tells the peers of a claim on the interfaces that it names", () => {
  const harness = new Harness();
  harness.join([ETH0, ETH1]);
  const entries = [{ address: VIP, epoch: epochOf(3, 1) }];
  harness.loop.receive({ type: "claim", entries, interfaces: ["eth1", "eth9"] });
  const expected = [{ interface: "eth1", to: null, body: { kind: "claim", entries } }];
  assert.deepEqual(bodiesOf(harness, "claim"), expected);
});

test("ResponderLoop tells everybody the whole table when a claim is withdrawn", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.receive({ type: "withdraw" });
  const [told, ...more] = bodiesOf(harness, "table");
  assert.deepEqual(more, []);
  assert.deepEqual([told?.interface, told?.to], ["eth0", null]);
  assert.ok(told?.body.kind === "table");
  assert.deepEqual(told.body.entries, [{ address: VIP, epoch: EPOCH }]);
});

test("ResponderLoop says a new state in a beacon at once", () => {
  const harness = new Harness();
  harness.grant();
  harness.pass(50);
  const { length } = harness.beacons.sent;
  harness.loop.receive({ type: "state", state: "draining" });
  const [sent, ...more] = harness.beacons.sent.slice(length);
  assert.deepEqual(more, []);
  assert.ok(sent?.body.kind === "beacon");
  assert.equal(sent.body.state, "draining");
});

test("ResponderLoop says in its beacons how long the main thread has stood still", () => {
  const harness = new Harness();
  harness.grant();
  harness.pass(500);
  const stalled = harness.beacons.sent.flatMap(({ body }) =>
    body.kind === "beacon" ? [body.stalledMs] : [],
  );
  // The grant made the next one due after 10 ms.
  assert.deepEqual(stalled, [300, 10, 110, 210, 310, 410]);
});

test("ResponderLoop tells of a peer that it hears, once, and asks it for its table", () => {
  const harness = new Harness();
  harness.grant();
  const { now } = harness;
  harness.receive(BEACON);
  harness.receive(BEACON);
  const about = { node: "n2", interface: "eth0", incarnation: 1, mac: OTHER_NODE } as const;
  const heard = { type: "peer-heard", ...about, state: "live", holdMs: HOLD_MS, at: now } as const;
  const unproven = { ...heard, isProven: false };
  const missing = { type: "peer-table-missing", node: "n2", interface: "eth0" } as const;
  assert.deepEqual(harness.news(), [unproven, { ...heard, isProven: true }, missing]);
  const asked = { interface: "eth0", to: PEER_IP, body: { kind: "table-request" } };
  assert.deepEqual(bodiesOf(harness, "table-request"), [asked]);
  const entries = [{ address: THEIRS, epoch: epochOf(8) }];
  harness.receive({ kind: "table", digest: DIGEST, page: 0, pages: 1, entries });
  const table = { type: "peer-table", node: "n2", interface: "eth0", entries };
  assert.deepEqual(harness.news(), [table]);
  harness.receive({ kind: "claim", entries });
  assert.deepEqual(harness.news(), [{ ...table, type: "peer-claim" }]);
  assert.deepEqual(harness.report().peers, [
    { node: "n2", interface: "eth0", verdict: "heard", state: "live", jitterMs: 0 },
  ]);
});

test("ResponderLoop asks a silent peer's VIPs at 150, 200 and 250 ms, then tells", () => {
  const harness = hearing();
  harness.news();
  const { sent } = harness.socket();
  sent.length = 0;
  const asked = [149, 1, 49, 1, 49, 1, 49].map((milliseconds) => {
    harness.pass(milliseconds);
    return sent.length;
  });
  assert.deepEqual(asked, [0, 2, 2, 4, 4, 6, 6]);
  assert.deepEqual(
    sent.map((packet) => [packet.operation, packet.senderIp, packet.targetIp, packet.destination]),
    [1, 2, 3].flatMap(() => [
      ["request", "0.0.0.0", THEIRS, MAC_BROADCAST],
      ["request", "0.0.0.0", THEIRS, OTHER_NODE],
    ]),
  );
  assert.deepEqual(harness.news(), []);
  harness.pass(1);
  assert.deepEqual(harness.news(), silent()(harness));
});

for (const [who, mac, answers] of [
  ["its own MAC", OTHER_NODE, true],
  ["another MAC", CLIENT, false],
] as const) {
  test(`ResponderLoop judges a silent peer by who answers its probes: ${who}`, () => {
    const harness = hearing();
    harness.news();
    harness.pass(150);
    harness.socket().deliver([answer(mac, THEIRS)]);
    harness.pass(150);
    assert.deepEqual(harness.news(), silent({ answers, heard: answers ? ["n2"] : [] })(harness));
  });
}

for (const isThere of [true, false]) {
  test(`ResponderLoop tells whether the gateway answered meanwhile: ${isThere}`, () => {
    const harness = hearing(WITH_GATEWAY);
    harness.news();
    harness.socket().sent.length = 0;
    harness.pass(150);
    const asked = harness.socket().sent.map(({ targetIp }) => targetIp);
    assert.deepEqual(asked, [THEIRS, THEIRS, GATEWAY]);
    if (isThere) harness.socket().deliver([answer(GATEWAY_MAC, GATEWAY)]);
    harness.pass(150);
    assert.deepEqual(harness.news(), silent({ gateway: isThere })(harness));
  });
}

test("ResponderLoop lets the gateway's answers through, with the pools", () => {
  const harness = new Harness();
  harness.join([WITH_GATEWAY, ETH1]);
  const pool = prefixOf(VIP, 28);
  harness.loop.receive({ type: "ranges", ranges: [pool] });
  assert.deepEqual(harness.socket(ETH0.index).ranges, [pool, prefixOf(GATEWAY, 32)]);
  assert.deepEqual(harness.socket(ETH1.index).ranges, [pool]);
});

test("ResponderLoop opens anew when an interface has a new gateway, and goes on beaconing", () => {
  const harness = new Harness();
  harness.grant();
  const before = harness.socket();
  harness.loop.receive({ type: "interfaces", interfaces: [WITH_GATEWAY] });
  assert.equal(before.isClosed, true);
  assert.deepEqual(harness.socket().ranges, [prefixOf(GATEWAY, 32)]);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1, "the tenure went on");
});

test("ResponderLoop tells again what it knows of a peer when it is asked", () => {
  const harness = hearing();
  harness.news();
  const ask = () => harness.loop.receive({ type: "retell", node: "n2", interface: "eth0" });
  harness.pass(100);
  ask();
  assert.deepEqual(
    harness.news().map(({ type }) => type),
    ["peer-heard"],
  );
  harness.pass(1_000);
  harness.news();
  ask();
  assert.deepEqual(harness.news(), silent()(harness));
  harness.loop.receive({ type: "retell", node: "n9", interface: "eth0" });
  assert.deepEqual(harness.news(), []);
});

test("ResponderLoop counts datagrams that it drops, by their reason", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.onDatagram({ interface: "eth0", from: PEER_IP, bytes: new Uint8Array(70) });
  harness.loop.onDatagram({ interface: "eth0", from: PEER_IP, bytes: new Uint8Array(3) });
  assert.equal(harness.count("beacon-drop-not-lbd"), 1);
  assert.equal(harness.count("beacon-drop-short"), 1);
  assert.deepEqual(harness.news(), []);
});

test("ResponderLoop tells once of another cluster, and reports it while it is heard", () => {
  const harness = new Harness();
  harness.grant();
  harness.news();
  for (let n = 0; n < 3; n++) harness.receive(BEACON, "ff00000000000000");
  const about = { node: "n2", interface: "eth0", address: PEER_IP, mac: OTHER_NODE };
  const foreign = { cluster: "ff00000000000000", ...about };
  assert.deepEqual(harness.news(), [{ type: "foreign-cluster", ...foreign }]);
  assert.deepEqual(harness.report().foreignClusters, [foreign]);
  harness.pass(60_000);
  assert.deepEqual(harness.report().foreignClusters, []);
});

test("ResponderLoop reports the trouble of the beacon socket until it is over", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.onBeaconProblem("eth0", "Cannot send beacons: no buffer space");
  const message = "Cannot send beacons: no buffer space";
  const problem = { interface: "eth0", message, breaks: "all" };
  assert.deepEqual(harness.report().problems, [problem]);
  harness.loop.onBeaconProblem("eth0", null);
  assert.deepEqual(harness.report().problems, []);
});

test("ResponderLoop forgets the trouble of the beacon socket with its interface", () => {
  const harness = new Harness();
  harness.grant();
  harness.loop.onBeaconProblem("eth0", "Cannot send beacons: no buffer space");
  harness.loop.receive({ type: "interfaces", interfaces: [] });
  harness.loop.receive({ type: "interfaces", interfaces: [ETH0] });
  assert.deepEqual(harness.report().problems, []);
});
