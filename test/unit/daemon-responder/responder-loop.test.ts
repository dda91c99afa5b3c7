// Tests of the responder thread's loop on fake sockets and a fake clock: what it sends where and
// when, what it does when a socket fails, what it tells.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_ADDRESSES_MAX, BATCH_PAUSE_MS } from "../../../src/answering/announcer.ts";
import { ARP } from "../../../src/arp/protocol.ts";
import type { Ip, IpRange } from "../../../src/core/address.ts";
import { ipv4FromNumber } from "../../../src/core/address.ts";
import { MAC_BROADCAST } from "../../../src/core/mac.ts";
import { after } from "../../../src/core/time.ts";
import { NDP } from "../../../src/ndp/protocol.ts";
import {
  announcement,
  CLIENT,
  CLIENT_IP,
  ETH0,
  ETH1,
  Harness,
  HOLD_MS,
  link,
  OTHER_NODE,
  request,
  TENURE_MS,
  VIP,
} from "./loop-harness.ts";

const POOL: readonly IpRange[] = [{ family: 4, start: 0xc0a864c8n, end: 0xc0a864dcn }];

const FRAME_COUNTERS = [ARP, NDP].flatMap(({ name, outcomes }) =>
  [...outcomes, "announced", "send-failed", "sent"].map((what) => `${name}-${what}`),
);
const BEACON_COUNTERS = ["foreign", "received", "sendFailed", "sent"].map(
  (name) => `beacon-${name}`,
);

/** Tells the loop to announce, and forgets what was sent before. */
function announced(harness: Harness, address: Ip = VIP): void {
  for (const socket of harness.sockets) socket.sent.length = 0;
  harness.loop.receive({ type: "announce", address });
}

test("ResponderLoop announces an address at once with both operations", () => {
  const harness = new Harness();
  harness.grant();
  announced(harness);
  assert.deepEqual(
    harness.socket().sent.map((packet) => [packet.operation, packet.senderIp, packet.targetIp]),
    [
      ["request", VIP, VIP],
      ["reply", VIP, VIP],
    ],
  );
  for (const packet of harness.socket().sent) {
    assert.deepEqual([packet.source, packet.senderMac], [ETH0.mac, ETH0.mac]);
    assert.equal(packet.destination, MAC_BROADCAST);
  }
});

test("ResponderLoop announces on the interfaces of the grant, with the MAC of each", () => {
  const harness = new Harness();
  const eth2 = link("eth2", 9, "02:00:00:00:66:0b");
  harness.grant(VIP, [ETH0, ETH1]);
  harness.loop.receive({ type: "interfaces", interfaces: [ETH0, ETH1, eth2] });
  announced(harness);
  for (const { index, mac } of [ETH0, ETH1]) {
    assert.deepEqual(
      harness.socket(index).sent.map((packet) => packet.senderMac),
      [mac, mac],
    );
  }
  assert.deepEqual(harness.socket(eth2.index).sent, []);
  assert.equal(harness.count("announced"), 2);
  assert.equal(harness.report().vips[0]?.announced, 4, "both operations, on both interfaces");
});

test("ResponderLoop repeats announcements at 50, 200, 1000, 2000 and 4000 ms", () => {
  const harness = new Harness();
  harness.grant();
  announced(harness);
  const sentBy = [49, 1, 149, 1, 799, 1, 999, 1, 1_999, 1, 59_999, 501].map((milliseconds) => {
    harness.pass(milliseconds);
    return harness.socket().sent.length / 2;
  });
  assert.deepEqual(sentBy, [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7]);
});

test("ResponderLoop announces nothing without a grant, before a tenure, or after a revoke", () => {
  const harness = new Harness();
  harness.join();
  announced(harness);
  assert.deepEqual(harness.socket().sent, [], "no grant");
  harness.regrant();
  announced(harness);
  assert.deepEqual(harness.socket().sent, [], "no tenure");
  harness.pass(HOLD_MS);
  announced(harness);
  harness.loop.receive({ type: "revoke", address: VIP });
  harness.pass(10_000);
  assert.equal(harness.socket().sent.length, 2, "revoked after the first");
});

test("ResponderLoop without keys, address or interface has no tenure, and sleeps", () => {
  const harness = new Harness();
  assert.equal(harness.isAsleep, true);
  const addressless = link("eth0", 7, ETH0.mac);
  harness.join([addressless]);
  harness.regrant();
  announced(harness);
  harness.pass(10_000);
  assert.deepEqual(harness.beacons.sent, []);
  harness.socket().deliver([request()]);
  assert.deepEqual(harness.socket().sent, []);
  assert.equal(harness.count("tenure-lapsed"), 1);
});

test("ResponderLoop announces many addresses in batches of few system calls", () => {
  const harness = new Harness();
  harness.grant();
  const all = Array.from({ length: 1_000 }, (_, i) => ipv4FromNumber(0x0a000000 + i));
  for (const address of all) {
    harness.regrant(address);
    harness.loop.receive({ type: "announce", address });
  }
  const { sent, flushes } = harness.socket();
  assert.equal(new Set(sent.map(({ senderIp }) => senderIp)).size, BATCH_ADDRESSES_MAX);
  flushes.length = 0;
  harness.pass(BATCH_PAUSE_MS);
  assert.deepEqual(flushes, [64, 64, 64, 64]);
  harness.pass(40);
  assert.deepEqual(new Set(sent.map(({ senderIp }) => senderIp)), new Set(all));
});

test("ResponderLoop answers a request on the interface that received it", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  for (const socket of harness.sockets) socket.sent.length = 0;
  harness.socket(ETH1.index).deliver([request(VIP)]);
  assert.deepEqual(harness.socket(ETH0.index).sent, []);
  const [answer, ...more] = harness.socket(ETH1.index).sent;
  assert.deepEqual(more, []);
  assert.deepEqual(
    [answer?.operation, answer?.destination, answer?.senderMac, answer?.senderIp],
    ["reply", CLIENT, ETH1.mac, VIP],
  );
});

test("ResponderLoop answers a full batch with one flush", () => {
  const harness = new Harness();
  harness.grant();
  const { sent, flushes } = harness.socket();
  sent.length = 0;
  flushes.length = 0;
  harness.socket().deliver(Array.from({ length: 64 }, () => request()));
  assert.deepEqual([sent.length, flushes], [64, [64]]);
});

test("ResponderLoop discards frames that queued during a freeze", () => {
  const harness = new Harness();
  harness.grant();
  announced(harness);
  const { sent } = harness.socket();
  sent.length = 0;
  // The process was stopped: the clock went on, nothing woke the loop, frames queued.
  harness.now = after(harness.now, TENURE_MS);
  harness.socket().deliver([request(), request(), request()]);
  harness.loop.wake();
  assert.deepEqual(sent, [], "no answer, and no announcement that became due");
  assert.equal(harness.count("tenure-lapsed"), 3);
  assert.equal(harness.count("answered"), 0);
  assert.deepEqual(harness.news(), [{ type: "lapsed", interface: "eth0", lapses: 1 }]);
  assert.deepEqual(harness.report().vips, [], "what was granted is gone");
  harness.regrant(VIP, ["eth0"], 1);
  harness.socket().deliver([request()]);
  assert.equal(harness.socket().sent.at(-1)?.destination, CLIENT);
});

test("ResponderLoop tries a socket that fails to open again after a second", () => {
  const harness = new Harness();
  harness.refuse = "Cannot open a socket for ARP on interface 7: not permitted";
  harness.join();
  harness.regrant();
  const problem = { interface: "eth0", message: harness.refuse, breaks: "all" };
  assert.deepEqual(harness.report().problems, [problem]);
  harness.pass(999);
  assert.deepEqual(harness.report().problems, [problem]);
  harness.refuse = null;
  assert.deepEqual(harness.sockets, []);
  harness.pass(1);
  assert.deepEqual(harness.report().problems, []);
  assert.deepEqual(
    harness.socket().sent.map(({ operation }) => operation),
    ["request", "reply"],
    "what is granted is announced when the socket opens",
  );
});

test("ResponderLoop opens a socket that broke after 20 ms, and announces again", () => {
  const harness = new Harness();
  harness.grant();
  harness.pass(10_000);
  harness.socket().break();
  assert.match(harness.report().problems[0]?.message ?? "", /interface is down/);
  harness.pass(19);
  assert.equal(harness.sockets.length, 1);
  harness.pass(1);
  assert.equal(harness.sockets.length, 2);
  assert.deepEqual(harness.report().problems, []);
  assert.equal(harness.socket().sent.length, 2);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1);
});

test("ResponderLoop tries a broken socket's interface once a second while it stays down", () => {
  const harness = new Harness();
  harness.grant();
  harness.refuse = "Cannot open a socket for ARP on interface 7: the interface is down";
  harness.socket().break();
  harness.pass(20);
  harness.refuse = null;
  harness.pass(999);
  assert.equal(harness.sockets.length, 1);
  harness.pass(1);
  assert.equal(harness.sockets.length, 2);
});

test("ResponderLoop reports the problem of one interface and answers on the other", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  harness.refuse = "Cannot open";
  harness.socket(ETH0.index).break();
  harness.pass(5_000);
  harness.socket(ETH1.index).deliver([request()]);
  assert.equal(harness.count("answered"), 1);
  const [problem] = harness.report().problems;
  assert.deepEqual(problem, { interface: "eth0", message: "Cannot open", breaks: "all" });
});

for (const [what, replacement] of [
  ["index", { ...ETH0, index: 17 }],
  ["MAC", { ...ETH0, mac: OTHER_NODE }],
] as const) {
  test(`ResponderLoop opens anew and announces when an interface has a new ${what}`, () => {
    const harness = new Harness();
    harness.grant();
    const before = harness.socket();
    harness.loop.receive({ type: "interfaces", interfaces: [replacement] });
    assert.equal(before.isClosed, true);
    const socket = harness.socket(replacement.index);
    assert.notEqual(socket, before);
    assert.deepEqual(harness.news(), [], "the tenure goes on");
    assert.deepEqual(
      socket.sent.map(({ senderMac }) => senderMac),
      [replacement.mac, replacement.mac],
    );
    socket.deliver([request()]);
    assert.equal(socket.sent.at(-1)?.senderMac, replacement.mac);
    // The error of a socket that was given up opens nothing.
    before.break();
    harness.pass(5_000);
    assert.equal(harness.sockets.length, 2);
  });
}

test("ResponderLoop leaves the sockets of unchanged interfaces alone", () => {
  const harness = new Harness();
  harness.grant();
  const before = harness.socket();
  harness.loop.receive({ type: "interfaces", interfaces: [ETH1, { ...ETH0 }] });
  assert.equal(harness.socket(), before);
  harness.loop.receive({ type: "interfaces", interfaces: [ETH1] });
  assert.equal(before.isClosed, true);
});

test("ResponderLoop gives ranges to open sockets and to those that open later", () => {
  const harness = new Harness();
  harness.loop.receive({ type: "interfaces", interfaces: [ETH0] });
  assert.deepEqual(harness.socket().ranges, []);
  harness.loop.receive({ type: "ranges", ranges: POOL });
  harness.loop.receive({ type: "interfaces", interfaces: [ETH0, ETH1] });
  for (const { index } of [ETH0, ETH1]) assert.deepEqual(harness.socket(index).ranges, POOL);
});

test("ResponderLoop tells of another host once in 200 ms for an address", () => {
  const harness = new Harness();
  const second = "192.168.100.201" as Ip;
  harness.grant();
  harness.regrant(second);
  const hear = () => harness.socket().deliver([announcement(OTHER_NODE)]);
  hear();
  assert.deepEqual(harness.heard(), [
    { type: "heard", address: VIP, interface: "eth0", mac: OTHER_NODE },
  ]);
  harness.pass(199);
  hear();
  assert.equal(harness.heard().length, 1);
  harness.socket().deliver([announcement(OTHER_NODE, second)]);
  assert.equal(harness.heard().length, 2, "another address has a window of its own");
  harness.pass(1);
  hear();
  assert.equal(harness.heard().length, 3);
  assert.equal(harness.count("heard-announcement"), 4);
});

test("ResponderLoop tells nothing of the host's own other interfaces", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  harness.socket().deliver([announcement(ETH1.mac)]);
  assert.deepEqual(harness.heard(), []);
  // The window is still free for somebody else.
  harness.socket().deliver([announcement(OTHER_NODE)]);
  assert.equal(harness.heard().length, 1);
});

test("ResponderLoop counts every outcome by its name, and what was sent", () => {
  const harness = new Harness();
  assert.deepEqual(
    Object.keys(harness.report().counters).sort(),
    [...FRAME_COUNTERS, ...BEACON_COUNTERS].sort(),
  );
  harness.grant();
  harness.pass(10_000);
  const before = harness.report().counters;
  const frames = [request(), request("10.0.0.1" as Ip), new Uint8Array(20), request()];
  harness.socket().deliver(frames, [42, 42, 20, 9_000]);
  const { counters } = harness.report();
  const changed = Object.entries(counters).filter(([name, count]) => count !== before[name]);
  assert.deepEqual(Object.fromEntries(changed), {
    "arp-answered": 1,
    "arp-not-ours": 1,
    "arp-malformed-short": 1,
    "arp-malformed-oversized": 1,
    "arp-sent": (before["arp-sent"] ?? 0) + 1,
  });
});

test("ResponderLoop counts what the kernel did not take", () => {
  const harness = new Harness();
  harness.grant();
  const before = harness.count("sent");
  harness.socket().accepts = 1;
  harness.socket().deliver([request(), request(), request()]);
  assert.equal(harness.count("sent"), before + 1);
  assert.equal(harness.count("send-failed"), 2);
  harness.socket().close();
  harness.sockets[0]?.deliver([request()]);
  assert.equal(harness.count("send-failed"), 2, "a closed socket takes no frame to send");
});

test("ResponderLoop reports answers and the last one, once a second, for each address", () => {
  const harness = new Harness();
  harness.grant();
  const about = { address: VIP, announced: 0 };
  assert.deepEqual(harness.report().vips, [{ ...about, answered: 0, lastAnswer: null }]);
  const { now } = harness;
  harness.socket().deliver([request()]);
  harness.pass(999);
  harness.socket().deliver([request(VIP, { senderMac: OTHER_NODE, source: OTHER_NODE })]);
  const first = { at: now, to: CLIENT, interface: "eth0" };
  assert.deepEqual(harness.report().vips, [{ ...about, answered: 2, lastAnswer: first }]);
  harness.pass(1);
  harness.socket().deliver([request(VIP, { senderMac: OTHER_NODE, source: OTHER_NODE })]);
  const second = { at: harness.now, to: OTHER_NODE, interface: "eth0" };
  assert.deepEqual(harness.report().vips, [{ ...about, answered: 3, lastAnswer: second }]);
  harness.grant();
  assert.equal(harness.report().vips[0]?.answered, 3, "a grant again keeps the count");
  harness.loop.receive({ type: "revoke", address: VIP });
  assert.deepEqual(harness.report().vips, []);
});

test("ResponderLoop answers the same whatever the client's address is", () => {
  const harness = new Harness();
  harness.grant();
  const askers = [CLIENT_IP, "0.0.0.0" as Ip, "255.255.255.255" as Ip];
  harness.socket().deliver(askers.map((senderIp) => request(VIP, { senderIp })));
  const answers = harness.socket().sent.slice(-3);
  assert.deepEqual(
    answers.map(({ targetIp }) => targetIp),
    askers,
  );
});

test("ResponderLoop stopped closes everything and asks for no timer", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  harness.loop.receive({ type: "stop" });
  assert.deepEqual(
    harness.sockets.map(({ isClosed }) => isClosed),
    [true, true],
  );
  assert.equal(harness.beacons.isClosed, true);
  assert.equal(harness.isAsleep, true);
  harness.pass(120_000);
  assert.equal(harness.sockets.length, 2);
});
