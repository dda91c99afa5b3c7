// Tests of the probes before an address is handed out: what is sent when, and which frames say that
// somebody uses the address (RFC 5227 section 2.1.1).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { MAC_BROADCAST } from "../../../src/core/mac.ts";
import type { Probed } from "../../../src/daemon/responder-messages.ts";
import {
  announcement,
  answer,
  CLIENT,
  CLIENT_IP,
  ETH0,
  ETH1,
  Harness,
  OTHER_NODE,
  request,
  VIP,
} from "./loop-harness.ts";

const MORE = "192.168.100.201" as Ip;
const NOBODY = "0.0.0.0" as Ip;

function probing(...addresses: readonly Ip[]): Harness {
  const harness = new Harness();
  harness.join();
  probe(harness, addresses);
  return harness;
}

function probe(harness: Harness, addresses: readonly Ip[], isHurried = true): void {
  harness.loop.receive({ type: "probe", interface: "eth0", addresses, isHurried });
}

/** What the main thread was told of the addresses since the last call. */
function told(harness: Harness): Probed[] {
  const found = harness.posted.flatMap((one) => (one.type === "probed" ? one.probed : []));
  harness.posted.splice(0);
  return found;
}

test("Probes go to everybody, say nothing of who asks, and leave in one batch", () => {
  const harness = probing(VIP, MORE);
  const socket = harness.socket();
  assert.deepEqual(
    socket.sent.map(({ destination, senderIp, targetIp }) => [destination, senderIp, targetIp]),
    [VIP, MORE].map((address) => [MAC_BROADCAST, NOBODY, address]),
  );
  assert.equal(socket.flushes.filter((count) => count > 0).length, 1);
});

test("Probes that somebody waits for are repeated once, and over after 200 ms", () => {
  const harness = probing(VIP);
  harness.pass(99);
  assert.equal(harness.socket().sent.length, 1);
  harness.pass(1);
  assert.equal(harness.socket().sent.length, 2);
  harness.pass(99);
  assert.deepEqual(told(harness), []);
  harness.pass(1);
  assert.deepEqual(told(harness), [{ address: VIP, interface: "eth0", macs: [] }]);
});

test("Probes that nobody waits for leave a second for hosts that sleep", () => {
  const harness = probing();
  probe(harness, [VIP], false);
  harness.pass(999);
  assert.deepEqual(told(harness), []);
  assert.equal(harness.socket().sent.length, 2);
  harness.socket().deliver([answer(CLIENT, VIP)]);
  harness.pass(1);
  assert.deepEqual(told(harness), [{ address: VIP, interface: "eth0", macs: [CLIENT] }]);
});

const USES: readonly (readonly [name: string, frame: Uint8Array])[] = [
  ["a reply", answer(CLIENT, VIP)],
  ["an announcement", announcement(CLIENT)],
  ["a request from it", request(MORE, { senderIp: VIP })],
  ["a probe of another host for it", request(VIP, { senderIp: NOBODY })],
];

for (const [name, frame] of USES) {
  test(`An address is in use when there is ${name}`, () => {
    const harness = probing(VIP);
    harness.socket().deliver([frame]);
    harness.pass(200);
    assert.deepEqual(told(harness), [{ address: VIP, interface: "eth0", macs: [CLIENT] }]);
  });
}

const OTHER_FRAMES: readonly (readonly [name: string, frame: Uint8Array])[] = [
  ["somebody asks for it", request(VIP, { senderIp: CLIENT_IP })],
  ["another address is used", answer(CLIENT, MORE)],
  ["this host's own probe comes back", request(VIP, { source: ETH0.mac, senderIp: NOBODY })],
];

for (const [name, frame] of OTHER_FRAMES) {
  test(`An address is not in use because ${name}`, () => {
    const harness = probing(VIP);
    harness.socket().deliver([frame]);
    harness.pass(200);
    assert.deepEqual(told(harness), [{ address: VIP, interface: "eth0", macs: [] }]);
  });
}

/** Whom the main thread was told of since the last call. */
function sighted(harness: Harness): string[] {
  const found = harness.posted.flatMap((one) => (one.type === "sighted" ? [one.sighted] : []));
  harness.posted.splice(0);
  return found.map(({ address, interface: name, mac }) => `${address} ${name} ${mac}`);
}

/** The addresses were asked for, and nobody answered. */
function asked(...addresses: readonly Ip[]): Harness {
  const harness = probing(...addresses);
  harness.pass(200);
  harness.posted.splice(0);
  return harness;
}

const SIGHTED = `${VIP} eth0 ${CLIENT}`;

for (const [name, frame] of USES) {
  test(`An address that was asked for is told of when there is ${name} later`, () => {
    const harness = asked(VIP);
    harness.pass(60_000);
    harness.socket().deliver([frame]);
    assert.deepEqual(sighted(harness), [SIGHTED]);
  });
}

for (const [name, frame] of OTHER_FRAMES) {
  test(`An address that was asked for is not told of because ${name}`, () => {
    const harness = asked(VIP);
    harness.socket().deliver([frame]);
    assert.deepEqual(sighted(harness), []);
  });
}

test("The use of an address is told by who asks for a VIP of this node, too", () => {
  const harness = asked(MORE);
  harness.grant(VIP);
  harness.socket().deliver([request(VIP, { senderIp: MORE })]);
  assert.deepEqual(sighted(harness), [`${MORE} eth0 ${CLIENT}`]);
  assert.equal(harness.count("answered"), 1);
});

test("The use of an address is told while nothing is answered from here", () => {
  const harness = asked(VIP);
  harness.loop.receive({ type: "mute", isMuted: true });
  harness.socket().deliver([announcement(CLIENT)]);
  assert.deepEqual(sighted(harness), [SIGHTED]);
});

test("The use of an address is told once a second", () => {
  const harness = asked(VIP);
  const flood = Array.from({ length: 50 }, () => announcement(CLIENT));
  harness.socket().deliver(flood);
  harness.pass(999);
  harness.socket().deliver(flood);
  assert.deepEqual(sighted(harness), [SIGHTED]);
  harness.pass(1);
  harness.socket().deliver(flood);
  assert.deepEqual(sighted(harness), [SIGHTED]);
});

test("The use of an address is told neither after minutes nor once a Service has it", () => {
  const harness = asked(VIP, MORE);
  harness.loop.receive({ type: "unwatch", address: MORE });
  harness.socket().deliver([announcement(CLIENT, MORE)]);
  assert.deepEqual(sighted(harness), []);
  harness.pass(302_000);
  harness.socket().deliver([announcement(CLIENT)]);
  assert.deepEqual(sighted(harness), []);
  const later = asked(VIP, MORE);
  later.loop.receive({ type: "unwatch", address: null });
  later.socket().deliver([announcement(CLIENT), announcement(CLIENT, MORE)]);
  assert.deepEqual(sighted(later), []);
});

test("The question who owns an address is not answered by who asks for it", () => {
  const harness = probing();
  harness.loop.receive({ type: "ask", address: VIP, interface: "eth0", owner: OTHER_NODE });
  harness.socket().deliver([request(VIP, { senderIp: NOBODY }), answer(OTHER_NODE, VIP)]);
  harness.pass(500);
  const asked = harness.posted.flatMap((one) =>
    one.type === "asked" ? one.asked.map(({ macs }) => macs) : [],
  );
  assert.deepEqual(asked, [[OTHER_NODE]]);
});

test("The owner is asked alone when nobody answers, and told of when that is what it needs", () => {
  for (const isDeaf of [true, false]) {
    const harness = probing();
    harness.loop.receive({ type: "ask", address: VIP, interface: "eth0", owner: OTHER_NODE });
    harness.pass(499);
    const broadcast = harness.socket().sent.map(({ destination }) => destination);
    assert.deepEqual(new Set(broadcast), new Set([MAC_BROADCAST]));
    harness.pass(1);
    assert.equal(harness.socket().sent.at(-1)?.destination, OTHER_NODE);
    if (isDeaf) harness.socket().deliver([answer(OTHER_NODE, VIP)]);
    harness.pass(250);
    const asked = harness.posted.flatMap((one) => (one.type === "asked" ? one.asked : []));
    assert.deepEqual(asked, [{ address: VIP, interface: "eth0", macs: [], isDeaf }]);
  }
});

test("What cannot be sent is told at once, and is no silence", () => {
  const harness = new Harness();
  harness.join([ETH1]);
  probe(harness, [VIP]);
  assert.deepEqual(told(harness), [{ address: VIP, interface: "eth0", macs: null }]);
});
