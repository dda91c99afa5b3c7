// Tests of what a host may answer for, whatever the protocol: grants, those it stands in for, and
// the tenure.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Grants } from "../../../src/answering/grants.ts";
import type { Ip } from "../../../src/core/address.ts";
import { type Mac, macToBytes } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";

const ETH0 = "02:00:00:00:64:0b" as Mac;
const OTHER_NODE = "02:00:00:00:64:0c" as Mac;
const VIP = "192.168.100.200" as Ip;
const VIP6 = "fd00:100::c8" as Ip;
const FOREIGN = "192.168.100.77" as Ip;
const STOOD_IN = "192.168.1.99" as Ip;
const TENURE_UNTIL = bootMs(1_000);
const BEFORE = bootMs(999.999);

function granted(): Grants {
  const grants = new Grants();
  grants.grant(VIP, ["eth0"]);
  grants.standIn(STOOD_IN, "eth0", OTHER_NODE);
  grants.setTenure("eth0", TENURE_UNTIL);
  return grants;
}

test("Grants.standIn() has a MAC of its own for each interface", () => {
  const grants = granted();
  grants.setTenure("eth1", TENURE_UNTIL);
  grants.standIn(STOOD_IN, "eth1", ETH0);
  grants.standIn(STOOD_IN, "eth0", null);
  assert.equal(grants.standsInWith(STOOD_IN, "eth0", BEFORE), null);
  assert.deepEqual(grants.standsInWith(STOOD_IN, "eth1", BEFORE), macToBytes(ETH0));
});

test("Grants.hasTenure() ends with it, and is not had where none was ever set", () => {
  const grants = granted();
  assert.equal(grants.hasTenure("eth0", BEFORE), true);
  assert.equal(grants.hasTenure("eth0", TENURE_UNTIL), false);
  assert.equal(grants.hasTenure("eth9", bootMs(0)), false);
});

test("Grants.maySpeak() needs the grant, the interface and the tenure", () => {
  const grants = granted();
  assert.equal(grants.maySpeak(VIP, "eth0", BEFORE), true);
  assert.equal(grants.maySpeak(VIP, "eth0", TENURE_UNTIL), false);
  assert.equal(grants.maySpeak(VIP, "eth1", BEFORE), false);
  assert.equal(grants.maySpeak(FOREIGN, "eth0", BEFORE), false);
});

test("Grants of both families are beside each other", () => {
  const grants = granted();
  grants.grant(VIP6, ["eth0", "eth1"]);
  assert.deepEqual(grants.interfacesOf(VIP6), ["eth0", "eth1"]);
  assert.deepEqual(grants.interfacesOf(FOREIGN), []);
  grants.standIn(FOREIGN, "eth0", "02:00:00:00:64:0c" as Mac);
  assert.deepEqual(grants.interfacesOf(FOREIGN), ["eth0"], "it may be asked for, too");
  grants.revoke(VIP);
  assert.deepEqual(grants.all(), [{ address: VIP6, interfaces: ["eth0", "eth1"] }]);
});
