// Tests of an interface as the responder thread begins with it: nothing is open, nothing is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Grants } from "../../../src/answering/grants.ts";
import { ARP } from "../../../src/arp/protocol.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import { newInterface, ProtocolUse } from "../../../src/daemon/open-interface.ts";
import { NDP } from "../../../src/ndp/protocol.ts";
import { ip } from "../../support/ipam-requests.ts";

const MAC = "02:00:00:00:00:01" as Mac;

test("newInterface() has a channel for each protocol, to be opened at its time", () => {
  const about = { name: "eth0", index: 7, mac: MAC, address: null, gateway: null };
  const uses = [new ProtocolUse(ARP), new ProtocolUse(NDP)];
  const since = { reopenAt: bootMs(5), watchedHosts: [ip("10.0.0.2")] };
  const made = newInterface(about, { uses, grants: new Grants() }, since);
  assert.deepEqual([made.about, made.watchedHosts], [about, since.watchedHosts]);
  assert.deepEqual(
    made.channels.map(({ use, socket, reopenAt, problem }) => [use, socket, reopenAt, problem]),
    uses.map((use) => [use, null, since.reopenAt, null]),
  );
});

test("ProtocolUse.allCounters() names every outcome, and what was sent, by its protocol", () => {
  const use = new ProtocolUse(NDP);
  use.counters.answered = 2;
  use.announced = 3;
  const counters = use.allCounters();
  assert.deepEqual([counters["ndp-answered"], counters["ndp-announced"]], [2, 3]);
  const names = [...NDP.outcomes, "sent", "send-failed", "announced"];
  assert.deepEqual(Object.keys(counters).sort(), names.map((name) => `ndp-${name}`).sort());
});
