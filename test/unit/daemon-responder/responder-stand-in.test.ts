// Tests of the responder's loop where a peer's daemon restarts: answers in its place with its MAC,
// and its host is watched by ARP, its answers let through by the kernel's filter.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip, IpRange } from "../../../src/core/address.ts";
import { formatRange } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { PeerState } from "../../../src/core/peer.ts";
import type { ToResponder } from "../../../src/daemon/responder-messages.ts";
import {
  answer,
  CLIENT,
  CLIENT_IP,
  ETH0,
  ETH1,
  Harness,
  HOLD_MS,
  KEY,
  OTHER_NODE,
  request,
  VIP,
} from "./loop-harness.ts";

const N2_IP = "192.168.100.12" as Ip;
const POOL: readonly IpRange[] = [{ family: 4, start: 0xc0a864c8n, end: 0xc0a864dcn }];

function standIn(mac: Mac | null, interfaceName = "eth0"): ToResponder {
  return { type: "stand-in", address: VIP, interface: interfaceName, mac };
}

/** A node that owns nothing, with a tenure on its interfaces. */
function standby(interfaces = [ETH0]): Harness {
  const harness = new Harness();
  harness.join(interfaces);
  harness.pass(HOLD_MS);
  for (const socket of harness.sockets) socket.sent.length = 0;
  return harness;
}

/** A client asks for the VIP; the MACs of what it gets: of the frame, and in the answer. */
function asked(harness: Harness, index = ETH0.index): [source: Mac, answered: Mac][] {
  const socket = harness.socket(index);
  socket.sent.length = 0;
  socket.deliver([request()]);
  return socket.sent.map(({ source, senderMac }) => [source, senderMac]);
}

test("ResponderLoop answers nobody for a VIP that it neither owns nor stands in for", () => {
  assert.deepEqual(asked(standby()), []);
});

test("ResponderLoop that stands in answers with the owner's MAC, from its own", () => {
  const harness = standby();
  harness.loop.receive(standIn(OTHER_NODE));
  assert.deepEqual(asked(harness), [[ETH0.mac, OTHER_NODE]]);
  const [reply] = harness.socket().sent;
  assert.equal(reply?.operation, "reply");
  assert.deepEqual(
    [reply?.destination, reply?.targetIp, reply?.senderIp],
    [CLIENT, CLIENT_IP, VIP],
  );
});

test("ResponderLoop that stands in counts that by its own name, and as nobody's answers", () => {
  const harness = standby();
  harness.loop.receive(standIn(OTHER_NODE));
  asked(harness);
  const { counters, vips } = harness.report();
  assert.deepEqual([counters["arp-stood-in"], counters["arp-answered"]], [1, 0]);
  assert.deepEqual(vips, []);
});

test("ResponderLoop that stands in announces nothing: nothing has moved", () => {
  const harness = standby();
  harness.loop.receive(standIn(OTHER_NODE));
  harness.loop.receive({ type: "announce", address: VIP });
  harness.pass(5_000);
  assert.deepEqual(harness.socket().sent, []);
});

test("ResponderLoop stops standing in when it is told", () => {
  const harness = standby();
  harness.loop.receive(standIn(OTHER_NODE));
  harness.loop.receive(standIn(null));
  assert.deepEqual(asked(harness), []);
});

test("ResponderLoop stands in where it was told, and not elsewhere", () => {
  const harness = standby([ETH0, ETH1]);
  harness.loop.receive(standIn(OTHER_NODE));
  assert.deepEqual(asked(harness, ETH1.index), []);
  assert.equal(asked(harness).length, 1);
});

test("ResponderLoop without a tenure stands in for nobody", () => {
  const harness = new Harness();
  harness.join();
  harness.loop.receive(standIn(OTHER_NODE));
  assert.deepEqual(asked(harness), [], "before it has listened");
  harness.pass(HOLD_MS);
  assert.equal(asked(harness).length, 1);
  harness.loop.receive({ type: "beacon-keys", sending: null, accepted: [KEY] });
  harness.pass(HOLD_MS);
  assert.deepEqual(asked(harness), [], "after its last beacon");
});

test("ResponderLoop that takes the VIP itself answers with its own MAC", () => {
  const harness = standby();
  harness.loop.receive(standIn(OTHER_NODE));
  harness.regrant();
  assert.deepEqual(asked(harness), [[ETH0.mac, ETH0.mac]]);
  harness.loop.receive({ type: "revoke", address: VIP });
  harness.loop.receive(standIn(null));
  assert.deepEqual(asked(harness), []);
});

/** What the kernel lets through, as text. */
function filterOf(harness: Harness): string[] {
  return harness.socket().ranges.map(formatRange);
}

const POOL_TEXT = "192.168.100.200-192.168.100.220";
const HOST_TEXT = "192.168.100.12-192.168.100.12";
const GATEWAY_TEXT = "192.168.100.1-192.168.100.1";

/** A node that hears n2. */
function beside(about = ETH0): Harness {
  const harness = standby([about]);
  harness.loop.receive({ type: "ranges", ranges: POOL });
  says(harness, "live");
  return harness;
}

function says(harness: Harness, state: PeerState): void {
  const holdMs = state === "restarting" ? 10_000 : HOLD_MS;
  const about = { intervalMs: 100, stalledMs: 0, mac: OTHER_NODE, digest: "0000000000000000" };
  harness.receive({ kind: "beacon", state, holdMs, ...about });
}

/** How often the host of n2 was asked for its own address since the last call. */
function askedHost(harness: Harness): number {
  const sent = harness.socket().sent.splice(0);
  return sent.filter(({ targetIp, operation }) => operation === "request" && targetIp === N2_IP)
    .length;
}

test("ResponderLoop lets answers of a host through while its daemon restarts, and asks it", () => {
  const harness = beside();
  assert.deepEqual(filterOf(harness), [POOL_TEXT], "not before");
  says(harness, "restarting");
  assert.deepEqual(filterOf(harness), [POOL_TEXT, HOST_TEXT]);
  harness.pass(250);
  assert.equal(askedHost(harness), 2, "once in a beacon interval");
  says(harness, "live");
  assert.deepEqual(filterOf(harness), [POOL_TEXT], "not after");
});

test("ResponderLoop that watches a host keeps the gateway's answers, and new ranges, too", () => {
  const harness = beside({ ...ETH0, gateway: "192.168.100.1" as Ip });
  says(harness, "restarting");
  assert.deepEqual(filterOf(harness), [POOL_TEXT, GATEWAY_TEXT, HOST_TEXT]);
  harness.loop.receive({ type: "ranges", ranges: [] });
  assert.deepEqual(filterOf(harness), [GATEWAY_TEXT, HOST_TEXT]);
});

test("ResponderLoop watches the host on after its socket broke and was opened again", () => {
  const harness = beside();
  says(harness, "restarting");
  harness.socket().break();
  harness.pass(20);
  assert.deepEqual(filterOf(harness), [POOL_TEXT, HOST_TEXT]);
});

test("ResponderLoop keeps waiting for a daemon whose host answers, and not for a dead host", () => {
  const patient = beside();
  says(patient, "restarting");
  patient.news();
  for (let i = 0; i < 30; i++) {
    patient.pass(100);
    patient.socket().deliver([answer(OTHER_NODE, N2_IP)]);
  }
  assert.deepEqual(patient.news(), [], "3 s, within its hold of 10 s");
  patient.pass(600);
  const silent = patient
    .news()
    .map((news) => (news.type === "peer-silent" ? news.node : news.type));
  assert.deepEqual(silent.slice(0, 1), ["n2"], "three requests without an answer");
});

test("ResponderLoop watches the host on when the gateway of the interface changes", () => {
  const harness = beside();
  says(harness, "restarting");
  const interfaces = [{ ...ETH0, gateway: "192.168.100.1" as Ip }];
  harness.loop.receive({ type: "interfaces", interfaces });
  assert.deepEqual(filterOf(harness), [POOL_TEXT, GATEWAY_TEXT, HOST_TEXT]);
});
