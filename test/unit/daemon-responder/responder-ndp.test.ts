// Tests of the responder thread's loop with IPv6 addresses: what is asked, answered and announced
// by Neighbor Discovery, beside ARP, and in which groups the host is.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { NDP } from "../../../src/ndp/protocol.ts";
import {
  advertisement,
  announcementBy,
  CLIENT_IP6,
  CLIENT_MAC,
  OTHER_MAC,
  solicitation,
  VIP6,
} from "../../support/ndp-frames.ts";
import { ETH0, ETH1, Harness, VIP } from "./loop-harness.ts";

const FREE = "fd00:100::d0" as Ip;

function ndp(harness: Harness, index = ETH0.index) {
  return harness.socket(index, NDP);
}

/** Forgets what was sent before. */
function quiet(harness: Harness): void {
  for (const socket of harness.all) {
    socket.sent.length = 0;
    socket.sentNdp.length = 0;
  }
}

test("ResponderLoop opens a socket for each protocol on each interface", () => {
  const harness = new Harness();
  harness.join([ETH0, ETH1]);
  const opened = harness.all.map(({ options }) => [options.interfaceIndex, options.protocol.name]);
  assert.deepEqual(opened, [
    [ETH0.index, "arp"],
    [ETH0.index, "ndp"],
    [ETH1.index, "arp"],
    [ETH1.index, "ndp"],
  ]);
});

test("ResponderLoop answers for an IPv6 address by Neighbor Discovery", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  quiet(harness);
  ndp(harness).deliver([solicitation()]);
  const [reply] = ndp(harness).sentNdp;
  assert.deepEqual(
    [reply?.destination, reply?.destinationIp, reply?.target, reply?.linkLayer],
    [CLIENT_MAC, CLIENT_IP6, VIP6, ETH0.mac],
  );
  assert.deepEqual(harness.socket().sent, [], "nothing by ARP");
  const { counters, vips } = harness.report();
  assert.deepEqual([counters["ndp-answered"], counters["arp-answered"]], [1, 0]);
  assert.equal(vips[0]?.lastAnswer?.to, CLIENT_MAC);
});

test("ResponderLoop answers nothing by Neighbor Discovery when the tenure is over", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  harness.beacons.refused.add("eth0");
  harness.pass(400);
  quiet(harness);
  ndp(harness).deliver([solicitation()]);
  assert.deepEqual(ndp(harness).sentNdp, []);
});

test("ResponderLoop announces an IPv6 address at once, and again as an IPv4 one", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  harness.regrant(VIP);
  quiet(harness);
  for (const address of [VIP, VIP6]) harness.loop.receive({ type: "announce", address });
  harness.pass(5_000);
  const at = ndp(harness).sentNdp.map(({ target, isOverride, isSolicited }) => [
    ...[target, isOverride, isSolicited],
  ]);
  assert.deepEqual(at, Array(6).fill([VIP6, true, false]));
  assert.equal(harness.socket().sent.length, 12, "a request and a reply for each of the same");
  assert.equal(harness.report().counters["ndp-announced"], 6);
});

test("ResponderLoop is in the group of an IPv6 address while it is granted", () => {
  const harness = new Harness();
  harness.grant(VIP6, [ETH0, ETH1]);
  harness.regrant(VIP);
  assert.deepEqual([...harness.groups.joined], [`eth0 ${VIP6}`, `eth1 ${VIP6}`]);
  harness.regrant(VIP6, ["eth1"]);
  assert.deepEqual([...harness.groups.joined], [`eth1 ${VIP6}`]);
  assert.deepEqual(harness.groups.left, [`eth0 ${VIP6}`], "the other was never left");
  harness.loop.receive({ type: "revoke", address: VIP6 });
  assert.deepEqual([...harness.groups.joined], []);
});

test("ResponderLoop is in the group of an IPv6 address that it stands in for", () => {
  const harness = new Harness();
  harness.join();
  const standIn = { type: "stand-in", address: VIP6, interface: "eth0" } as const;
  harness.loop.receive({ ...standIn, mac: OTHER_MAC });
  assert.deepEqual([...harness.groups.joined], [`eth0 ${VIP6}`]);
  harness.loop.receive({ ...standIn, mac: null });
  assert.deepEqual([...harness.groups.joined], []);
});

test("ResponderLoop joins the groups anew on an interface whose socket is opened again", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  const before = harness.groups.rejoined.length;
  ndp(harness).break();
  harness.pass(50);
  assert.deepEqual(harness.groups.rejoined.slice(before), ["eth0"]);
});

test("ResponderLoop tries again with each report to join what could not be joined", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  const before = harness.groups.retries;
  harness.report();
  assert.equal(harness.groups.retries, before + 1);
});

test("ResponderLoop opens a socket anew that takes no other filter, and says so", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  ndp(harness).refusesRanges = "Cannot replace the filter for NDP";
  const range = { family: 6, start: 1n, end: 2n } as const;
  harness.loop.receive({ type: "ranges", ranges: [range] });
  assert.deepEqual(harness.report().problems, [
    { interface: "eth0", message: "Cannot replace the filter for NDP", breaks: "ipv6" },
  ]);
  harness.pass(20);
  assert.deepEqual(harness.report().problems, []);
  assert.deepEqual(ndp(harness).ranges, [range]);
});

test("ResponderLoop leaves all groups when it stops", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  harness.loop.receive({ type: "stop" });
  assert.equal(harness.groups.isClosed, true);
  assert.ok(harness.all.every(({ isClosed }) => isClosed));
});

test("ResponderLoop asks who uses an IPv6 address, and tells who does", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  quiet(harness);
  const probe = { type: "probe", interface: "eth0", isHurried: true } as const;
  harness.loop.receive({ ...probe, addresses: [FREE] });
  const [asked] = ndp(harness).sentNdp;
  assert.deepEqual(
    [asked?.operation, asked?.sourceIp, asked?.target, asked?.linkLayer],
    ["solicitation", "::", FREE, null],
  );
  const answer = { sourceIp: FREE, target: FREE, destinationIp: "ff02::1" as Ip };
  ndp(harness).deliver([advertisement({ ...answer, isSolicited: false })]);
  harness.pass(300);
  const probed = harness.posted.filter((message) => message.type === "probed");
  assert.deepEqual(probed, [
    { type: "probed", probed: [{ address: FREE, interface: "eth0", macs: [OTHER_MAC] }] },
  ]);
});

test("ResponderLoop asks who owns an IPv6 address of another node", () => {
  const harness = new Harness();
  harness.join();
  harness.pass(300);
  harness.loop.receive({ type: "ask", address: VIP6, interface: "eth0", owner: OTHER_MAC });
  ndp(harness).deliver([advertisement()]);
  harness.pass(1_000);
  const asked = harness.posted.flatMap((one) => (one.type === "asked" ? one.asked : []));
  assert.deepEqual(asked, [{ address: VIP6, interface: "eth0", macs: [OTHER_MAC], isDeaf: false }]);
});

test("ResponderLoop tells of another host that announces an IPv6 address of this node", () => {
  const harness = new Harness();
  harness.grant(VIP6);
  ndp(harness).deliver([announcementBy(OTHER_MAC)]);
  assert.deepEqual(harness.heard(), [
    { type: "heard", address: VIP6, interface: "eth0", mac: OTHER_MAC as Mac },
  ]);
});
