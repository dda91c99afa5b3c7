// Tests of the address by which the nodes rank for a VIP.

import assert from "node:assert/strict";
import { test } from "node:test";
import { rankByOf } from "../../../src/daemon/rank-by.ts";
import { currentAddresses } from "../../../src/daemon/service-request.ts";
import { ip } from "../../support/ipam-requests.ts";
import { service } from "../../support/kubernetes-objects.ts";

const SHARED = ip("fd00::1");
const A = service("shop/a", { ips: ["10.0.0.1", "fd00::1"] });
const Z = service("shop/z", { ips: ["fd00::1", "10.0.0.2"] });

test("rankByOf() is the first address of its Service, for each of its addresses", () => {
  for (const address of currentAddresses(A)) {
    assert.equal(rankByOf(address, [A], currentAddresses), "10.0.0.1");
  }
});

test("rankByOf() of a shared address goes by the first Service by name, not by order", () => {
  for (const services of [
    [A, Z],
    [Z, A],
  ]) {
    assert.equal(rankByOf(SHARED, services, currentAddresses), "10.0.0.1");
  }
});

test("rankByOf() of an address that no Service has is itself", () => {
  assert.equal(rankByOf(SHARED, [], currentAddresses), SHARED);
  assert.equal(rankByOf(SHARED, [service("shop/new")], currentAddresses), SHARED);
});
