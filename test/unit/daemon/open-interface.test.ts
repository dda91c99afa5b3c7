// Tests of an interface as the responder thread begins with it: nothing is open, nothing is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ArpResponder } from "../../../src/arp/responder.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import { newInterface } from "../../../src/daemon/open-interface.ts";
import { ip } from "../../support/ipam-requests.ts";

test("newInterface() is to be opened at its time, watches on, and has no problem", () => {
  const mac = "02:00:00:00:00:01" as Mac;
  const about = { name: "eth0", index: 7, mac, address: null, gateway: null };
  const responder = new ArpResponder().onInterface("eth0", mac);
  const since = { reopenAt: bootMs(5), watchedHosts: [ip("10.0.0.2")] };
  assert.deepEqual(newInterface(about, responder, since), {
    about,
    responder,
    socket: null,
    ...since,
    problem: null,
  });
});
