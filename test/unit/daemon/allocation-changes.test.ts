// What a change of each field of a Service does to the address that it has: it stays, it is given
// up for another, or it is given up. As MetalLB does it, with what surprises.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pool } from "../../support/ipam-requests.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { service } from "../../support/kubernetes-objects.ts";
import { AllocatingLeader } from "./allocation-harness.ts";

const isEdge = ({ labels }: { labels: Readonly<Record<string, string>> }) => labels.tier === "edge";
const POOLS = [
  pool("dual", ["10.4.0.0/30", "2001:db8::/126"], { autoAssign: false }),
  pool("edge", ["10.2.0.0/30"], {
    autoAssign: false,
    allotment: { priority: 1, admits: isEdge, offersTo: isEdge },
  }),
  pool("gold", ["10.1.0.0/30"], { autoAssign: false }),
  pool("lan", ["10.0.0.0/30"]),
];
const WANTED = "metallb.io/loadBalancerIPs";
const POOL = "metallb.io/address-pool";
const SHARE = "metallb.io/allow-shared-ip";

interface Row {
  readonly change: string;
  readonly before?: ServiceOptions;
  readonly after: ServiceOptions;
  /** With 10.0.0.0 before, unless it is said otherwise. */
  readonly has: string;
}

const DUAL_IPS = ["10.96.0.1", "fd00::1"];
const annotated = (annotations: Record<string, string>): ServiceOptions => ({ annotations });
const spec = (fields: Record<string, unknown>): ServiceOptions => ({ spec: fields });
const inEdge = { labels: { tier: "edge" }, annotations: { [POOL]: "edge" } };
const inDual = (ipFamilyPolicy: string, clusterIPs = DUAL_IPS): ServiceOptions => ({
  annotations: { [POOL]: "dual" },
  spec: { ipFamilyPolicy, clusterIPs },
});

const ROWS: readonly Row[] = [
  { change: "labels", after: { labels: { tier: "edge" } }, has: "10.0.0.0" },
  {
    change: "labels, away from those that its pool is for",
    before: inEdge,
    after: annotated({ [POOL]: "edge" }),
    has: "",
  },
  { change: "ports", after: spec({ ports: [{ port: 443 }] }), has: "10.0.0.0" },
  { change: "selector", after: spec({ selector: { app: "b" } }), has: "10.0.0.0" },
  { change: "policy", after: spec({ externalTrafficPolicy: "Local" }), has: "10.0.0.0" },
  { change: "session affinity", after: spec({ sessionAffinity: "ClientIP" }), has: "10.0.0.0" },
  {
    change: "source ranges",
    after: spec({ loadBalancerSourceRanges: ["192.0.2.0/24"] }),
    has: "10.0.0.0",
  },
  { change: "external IPs", after: spec({ externalIPs: ["10.0.0.3"] }), has: "10.0.0.0" },
  { change: "sharing key", after: annotated({ [SHARE]: "k" }), has: "10.0.0.0" },
  { change: "loadBalancerIP", after: spec({ loadBalancerIP: "10.0.0.3" }), has: "10.0.0.3" },
  {
    change: "loadBalancerIP, as it is",
    after: spec({ loadBalancerIP: "10.0.0.0" }),
    has: "10.0.0.0",
  },
  { change: "loadBalancerIP, taken", after: spec({ loadBalancerIP: "10.0.0.1" }), has: "" },
  { change: "loadBalancerIP, of no pool", after: spec({ loadBalancerIP: "10.9.0.1" }), has: "" },
  { change: "loadBalancerIP, garbage", after: spec({ loadBalancerIP: "x" }), has: "10.0.0.0" },
  {
    change: "loadBalancerIP, gone",
    before: spec({ loadBalancerIP: "10.0.0.3" }),
    after: {},
    has: "10.0.0.3",
  },
  { change: "addresses", after: annotated({ [WANTED]: "10.1.0.2" }), has: "10.1.0.2" },
  {
    change: "addresses, beside loadBalancerIP",
    after: { ...annotated({ [WANTED]: "10.1.0.2" }), ...spec({ loadBalancerIP: "10.1.0.2" }) },
    has: "10.0.0.0",
  },
  {
    change: "addresses, of two pools",
    after: annotated({ [WANTED]: "10.0.0.3,2001:db8::" }),
    has: "",
  },
  { change: "pool", after: annotated({ [POOL]: "gold" }), has: "10.1.0.0" },
  { change: "pool, unknown", after: annotated({ [POOL]: "tin" }), has: "" },
  { change: "pool, not for it", after: annotated({ [POOL]: "edge" }), has: "" },
  { change: "pool, gone", before: annotated({ [POOL]: "gold" }), after: {}, has: "10.1.0.0" },
  {
    change: "pool, in the older prefix beside an empty present one",
    after: annotated({ [POOL]: "", "metallb.universe.tf/address-pool": "gold" }),
    has: "10.0.0.0",
  },
  { change: "type", after: spec({ type: "NodePort" }), has: "" },
  { change: "cluster IP, gone", after: spec({ clusterIPs: [] }), has: "" },
  { change: "cluster IP, of the other family", after: spec({ clusterIPs: ["fd00::1"] }), has: "" },
  { change: "class: left as it is", after: spec({ loadBalancerClass: "a/b" }), has: "10.0.0.0" },
  {
    change: "family policy, to prefer two",
    before: inDual("SingleStack", ["10.96.0.1"]),
    after: inDual("PreferDualStack"),
    has: "10.4.0.0 2001:db8::",
  },
  {
    change: "family policy, to require two of one cluster IP",
    before: inDual("SingleStack", ["10.96.0.1"]),
    after: inDual("RequireDualStack", ["10.96.0.1"]),
    has: "",
  },
  {
    change: "family policy, from preferring to requiring",
    before: inDual("PreferDualStack"),
    after: inDual("RequireDualStack"),
    has: "10.4.0.0 2001:db8::",
  },
  {
    change: "family policy, to one",
    before: inDual("PreferDualStack"),
    after: inDual("SingleStack", ["10.96.0.1"]),
    has: "10.4.0.0",
  },
];

for (const { change, before = {}, after, has } of ROWS) {
  test(`a Service that changes its ${change}`, async () => {
    const cluster = AllocatingLeader.of(POOLS, service("a/web", before), service("b/other"));
    await cluster.settle();
    assert.notEqual(cluster.addresses("a/web"), "");
    assert.equal(cluster.addresses("b/other") === "", false);
    cluster.set("a/web", after);
    await cluster.settle();
    assert.equal(cluster.addresses("a/web"), has);
  });
}

test("a status that is edited by hand stays where it may, and is put right", async () => {
  const cluster = AllocatingLeader.of(POOLS, service("a/web"), service("b/other"));
  await cluster.settle();
  const edit = async (...ips: string[]): Promise<string> => {
    cluster.edit("a/web", ips);
    await cluster.settle();
    return cluster.addresses("a/web");
  };
  assert.equal(await edit("10.0.0.3"), "10.0.0.3");
  assert.equal(await edit(), "10.0.0.3", "emptied");
  assert.equal(await edit("10.0.0.1"), "10.0.0.0", "another's");
  assert.equal(await edit("10.9.9.9"), "10.0.0.0", "of no pool");
  assert.equal(await edit("10.0.0.2", "10.0.0.3"), "10.0.0.0", "two of a family");
  assert.equal(cluster.addresses("b/other"), "10.0.0.1");
});

test("a leader with a class has its own Services, and leaves others as they are", async () => {
  const ofClass = (loadBalancerClass: string) => spec({ loadBalancerClass });
  const cluster = new AllocatingLeader({ class: "example.com/lbd" }).lead(POOLS, [
    service("a/ours", ofClass("example.com/lbd")),
    service("b/theirs", ofClass("example.com/other")),
    service("c/classless", { ips: ["10.0.0.3"] }),
  ]);
  await cluster.settle();
  assert.equal(cluster.addresses("a/ours"), "10.0.0.0");
  assert.equal(cluster.addresses("b/theirs"), "");
  assert.equal(cluster.addresses("c/classless"), "10.0.0.3", "ignored, not cleaned");
  cluster.set("c/classless", spec({ type: "NodePort" }));
  await cluster.settle();
  assert.equal(cluster.addresses("c/classless"), "10.0.0.3");
  assert.equal(cluster.writes(), 1);
});
