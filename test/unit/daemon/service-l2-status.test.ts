// Tests of which ServiceL2Statuses there should be, and which of other nodes are not so any more.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnersNow } from "../../../src/daemon/service-l2-status.ts";
import {
  isStaleL2Status,
  l2StatusName,
  selectorOf,
  selectorOfOthers,
  wantedL2Statuses,
} from "../../../src/daemon/service-l2-status.ts";
import { decodeOwnedObject } from "../../../src/k8s-sync/decode.ts";
import { ip } from "../../support/ipam-requests.ts";
import { node } from "../../support/kubernetes-objects.ts";

const N1 = node("n1");
const NOWHERE = { services: [], interfaces: null };

test("wantedL2Statuses() of nothing that is owned: none", () => {
  assert.equal(wantedL2Statuses(N1, []).size, 0);
  assert.equal(wantedL2Statuses(N1, [NOWHERE]).size, 0);
});

test("wantedL2Statuses() of a Service: its labels, its node, and no interfaces for all", () => {
  const [one] = wantedL2Statuses(N1, [{ services: ["shop/web"], interfaces: null }]).values();
  assert.ok(one !== undefined);
  assert.match(one.name, /^l2-[0-9a-f]{16}$/);
  assert.deepEqual(one.labels, {
    "app.kubernetes.io/managed-by": "lbd",
    "metallb.io/node": "n1",
    "metallb.io/service-name": "web",
    "metallb.io/service-namespace": "shop",
  });
  assert.deepEqual(one.status, {
    node: "n1",
    serviceName: "web",
    serviceNamespace: "shop",
    interfaces: [],
  });
});

test("wantedL2Statuses() of Services that share a VIP: one each", () => {
  const vip = { services: ["shop/api", "shop/web"], interfaces: null };
  const names = [...wantedL2Statuses(N1, [vip]).values()].map(({ status }) => status.serviceName);
  assert.deepEqual(names, ["api", "web"]);
});

test("wantedL2Statuses() of a Service with two VIPs here: one, with all its interfaces", () => {
  const vip = (...interfaces: string[]) => ({ services: ["shop/web"], interfaces });
  const interfacesOf = (...vips: { services: string[]; interfaces: string[] | null }[]) => {
    const [one, ...more] = wantedL2Statuses(N1, vips).values();
    assert.deepEqual(more, []);
    return one?.status.interfaces;
  };
  const both = [{ name: "eth0" }, { name: "eth1" }];
  assert.deepEqual(interfacesOf(vip("eth1"), vip("eth0", "eth1")), both);
  assert.deepEqual(interfacesOf(vip("eth1"), { services: ["shop/web"], interfaces: null }), []);
});

test("l2StatusName() is one for each node and Service, and always the same", () => {
  const names = ["n1 a/b", "n2 a/b", "n1 a/c"].map((text) => text.split(" "));
  const made = names.map(([node = "", key = ""]) => l2StatusName(node, key));
  assert.equal(new Set(made).size, 3);
  assert.equal(l2StatusName("n1", "a/b"), made[0]);
});

test("selectorOf() a node and selectorOfOthers() leave what lbd did not make alone", () => {
  const ours = "app.kubernetes.io/managed-by=lbd";
  assert.equal(selectorOf("n1"), `${ours},metallb.io/node=n1`);
  const others = `${ours},metallb.io/node,metallb.io/node notin (n1,n2)`;
  assert.equal(selectorOfOthers(["n1", "n2"]), others);
  assert.equal(selectorOfOthers([]), `${ours},metallb.io/node`);
});

const OWNERS: OwnersNow = {
  isNode: (name) => name !== "gone",
  addressesOf: (key) => (key === "shop/web" ? [ip("10.0.0.1"), ip("10.0.0.2")] : []),
  ownerOf: (address) => (address === "10.0.0.1" ? "n2" : null),
};

for (const { name, status, expected } of [
  { name: "of a Node that is gone", status: { node: "gone" }, expected: true },
  { name: "of a node that owns an address by the record", status: { node: "n2" }, expected: false },
  { name: "of a node whose addresses others own", status: { node: "n1" }, expected: true },
  {
    name: "of a Service that is gone",
    status: { node: "n2", serviceName: "db" },
    expected: true,
  },
  { name: "whose status is still to be written", status: { node: undefined }, expected: false },
]) {
  test(`isStaleL2Status() ${name}: ${expected}`, () => {
    const whole = { serviceName: "web", serviceNamespace: "shop", ...status };
    const object = decodeOwnedObject({ metadata: { name: "l2-1" }, status: whole });
    assert.ok(object !== null);
    assert.equal(isStaleL2Status(object, OWNERS), expected);
  });
}
