// Tests of the tenures on the responder thread: they begin and go on with beacons that left, what
// hangs on them is dropped, told and announced.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { ETH0, ETH1, Harness, HOLD_MS, KEY, request, TENURE_MS, VIP } from "./loop-harness.ts";

const OTHER = "192.168.101.200" as Ip;

test("ResponderLoop answers from the first beacon that left, while they leave", () => {
  const harness = new Harness();
  harness.join();
  harness.regrant();
  harness.pass(HOLD_MS - 1);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("tenure-lapsed"), 1);
  harness.pass(1);
  harness.socket().deliver([request()]);
  harness.pass(60_000);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 2);
  assert.deepEqual(harness.news(), []);
});

test("ResponderLoop goes silent 290 ms after the last beacon that left, and tells", () => {
  const harness = new Harness();
  harness.grant();
  harness.beacons.refused.add("eth0");
  harness.pass(TENURE_MS - 1);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1);
  assert.deepEqual(harness.news(), []);
  harness.pass(1);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1);
  assert.deepEqual(harness.news(), [{ type: "lapsed", interface: "eth0", lapses: 1 }]);
  assert.deepEqual(harness.report().vips, []);
});

test("ResponderLoop refuses a grant of somebody who has not heard of the lapse", () => {
  const harness = new Harness();
  harness.grant();
  harness.beacons.refused.add("eth0");
  harness.pass(TENURE_MS);
  harness.beacons.refused.clear();
  harness.pass(1_000);
  harness.regrant(VIP, ["eth0"], 0);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 0);
  harness.regrant(VIP, ["eth0"], 1);
  harness.socket().deliver([request()]);
  assert.equal(harness.count("answered"), 1);
});

test("ResponderLoop drops what is granted on a segment that lapses, on all its segments", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  harness.regrant(OTHER, ["eth1"]);
  harness.beacons.refused.add("eth0");
  harness.pass(1_000);
  assert.deepEqual(harness.news(), [{ type: "lapsed", interface: "eth0", lapses: 1 }]);
  harness.socket(ETH1.index).deliver([request(VIP), request(OTHER)]);
  const answered = harness.report().vips.map(({ address, answered: count }) => [address, count]);
  assert.deepEqual(answered, [[OTHER, 1]]);
});

test("ResponderLoop takes an interface that is gone for a lapse, and answers elsewhere", () => {
  const harness = new Harness();
  harness.grant(VIP, [ETH0, ETH1]);
  harness.loop.receive({ type: "interfaces", interfaces: [ETH1] });
  assert.deepEqual(harness.news(), [{ type: "lapsed", interface: "eth0", lapses: 1 }]);
  assert.deepEqual(harness.report().vips, [], "the grant named eth0, too");
  harness.socket(ETH1.index).deliver([request()]);
  assert.equal(harness.count("answered"), 0);
  harness.regrant(VIP, ["eth1"], 1);
  harness.pass(1_000);
  harness.socket(ETH1.index).deliver([request()]);
  assert.equal(harness.count("answered"), 1);
  assert.deepEqual(harness.news(), [], "the tenure on eth1 has gone on");
});

test("ResponderLoop takes an interface that goes before its tenure began for no lapse", () => {
  const harness = new Harness();
  harness.join([ETH0, ETH1]);
  harness.regrant(VIP, ["eth0", "eth1"]);
  harness.loop.receive({ type: "interfaces", interfaces: [ETH1] });
  harness.pass(HOLD_MS);
  assert.deepEqual(harness.news(), []);
  harness.socket(ETH1.index).deliver([request()]);
  assert.equal(harness.count("answered"), 1);
});

test("ResponderLoop has no tenure without a key or a cluster", () => {
  for (const missing of ["key", "cluster"]) {
    const harness = new Harness();
    if (missing !== "key") {
      harness.loop.receive({ type: "beacon-keys", sending: KEY, accepted: [KEY] });
    }
    if (missing !== "cluster") {
      harness.loop.receive({ type: "cluster", cluster: "0123456789abcdef" });
    }
    harness.loop.receive({ type: "interfaces", interfaces: [ETH0] });
    harness.regrant();
    harness.pass(1_000);
    harness.socket().deliver([request()]);
    assert.deepEqual(harness.beacons.sent, [], missing);
    assert.equal(harness.count("tenure-lapsed"), 1, missing);
  }
});

/** What was announced on the interface, and by which operation. */
function announcedOn(harness: Harness, index = ETH0.index): [string, string][] {
  return harness.socket(index).sent.map(({ senderIp, operation }) => [senderIp, operation]);
}

function bothOf(...addresses: readonly Ip[]): [string, string][] {
  return addresses.flatMap((address): [string, string][] => [
    [address, "request"],
    [address, "reply"],
  ]);
}

test("ResponderLoop announces what is granted on an interface when its tenure begins", () => {
  const harness = new Harness();
  harness.join([ETH0, ETH1]);
  harness.regrant();
  harness.regrant(OTHER, ["eth0", "eth1"]);
  harness.loop.receive({ type: "announce", address: VIP });
  harness.pass(HOLD_MS - 1);
  assert.deepEqual(announcedOn(harness), []);
  harness.pass(1);
  assert.deepEqual(announcedOn(harness), bothOf(VIP, OTHER));
  assert.deepEqual(announcedOn(harness, ETH1.index), bothOf(OTHER));
});

test("ResponderLoop announces nothing anew while a tenure goes on", () => {
  const harness = new Harness();
  harness.grant();
  harness.pass(5_000);
  assert.deepEqual(announcedOn(harness), []);
});

test("ResponderLoop announces again when a tenure begins after a lapse", () => {
  const harness = new Harness();
  harness.grant();
  harness.beacons.refused.add("eth0");
  harness.pass(TENURE_MS);
  harness.regrant(VIP, ["eth0"], 1);
  harness.pass(1_000);
  assert.deepEqual(announcedOn(harness), []);
  harness.beacons.refused.clear();
  harness.pass(100);
  assert.deepEqual(announcedOn(harness).slice(0, 2), bothOf(VIP));
});
