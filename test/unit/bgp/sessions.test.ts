// What FRR says of its sessions.

import assert from "node:assert/strict";
import test from "node:test";
import { jsonDocuments, readSessions } from "../../../src/bgp/sessions.ts";

const UP = {
  bgpState: "Established",
  bgpTimerUpMsec: 5_000,
  remoteAs: 64513,
  messageStats: { depthOutq: 0, updatesSent: 4 },
  addressFamilyInfo: {
    ipv4Unicast: { acceptedPrefixCounter: 1, sentPrefixCounter: 12 },
    ipv6Unicast: { acceptedPrefixCounter: 0, sentPrefixCounter: 3 },
  },
  connectionsDropped: 0,
  lastResetDueTo: "Waiting for peer OPEN",
  peerBfdInfo: { status: "Up" },
};
const DOWN = {
  bgpState: "Active",
  connectionsDropped: 1,
  lastResetDueTo: "BFD down received",
  lastNotificationReason: "Cease/BFD Down",
};
const NEIGHBORS = {
  default: { vrfId: 0, vrfName: "default", "10.9.0.1": UP },
  red: { vrfId: 3, vrfName: "red", "10.9.0.2": DOWN },
};
const BFD = [{ peer: "10.9.0.1", vrf: "default", status: "up", diagnostic: "ok" }];
const COUNTERS = [{ peer: "10.9.0.1", vrf: "default", "session-up": 2 }];

test("sessions of all VRFs are read, with their routes, messages and BFD", () => {
  const [up, down] = readSessions(
    ...([NEIGHBORS, BFD, COUNTERS].map((one) => JSON.stringify(one)) as [string, string, string]),
  );
  assert.deepEqual(up, {
    ...{ neighbor: "10.9.0.1", vrf: "", state: "Established", isUp: true, upMs: 5_000 },
    ...{ lastReset: null, remoteAsn: 64513, sent: 15, received: 1, queued: 0 },
    messages: { depthOutq: 0, updatesSent: 4 },
    bfd: { isUp: true, status: "up", diagnostic: null, counters: { "session-up": 2 } },
  });
  assert.deepEqual([down?.vrf, down?.isUp, down?.lastReset], ["red", false, "Cease/BFD Down"]);
});

test("without an instance, BFD or anything known there are no sessions", () => {
  assert.deepEqual(readSessions("{}", "[]", "[]"), []);
  assert.deepEqual(readSessions('{"default": null}', "{}", "[]"), []);
  const [session] = readSessions('{"default": {"10.9.0.1": {}}}', "[]", "[]");
  assert.deepEqual([session?.state, session?.isUp, session?.bfd], ["unknown", false, null]);
});

test("documents that are printed one after the other are told apart, among other words", () => {
  const text = `{\n"a":{\n  "b":1\n}\n}\nbfdd is not running\n[]\n[\n  {"c":2}\n]\n`;
  assert.deepEqual(
    jsonDocuments(text).map((one) => JSON.parse(one) as unknown),
    [{ a: { b: 1 } }, [], [{ c: 2 }]],
  );
});
