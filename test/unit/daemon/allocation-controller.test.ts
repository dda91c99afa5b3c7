// Tests of the leader's allocation against an API that takes every write: what is written, what is
// told by Event and how often, and who is asked again when something became possible.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ip, pool } from "../../support/ipam-requests.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { service } from "../../support/kubernetes-objects.ts";
import { AllocatingLeader } from "./allocation-harness.ts";

const LAN = pool("lan", ["10.0.0.0/30"]);
const DUAL = pool("lan", ["10.0.0.0/30", "2001:db8::/126"]);
const WARNING = "Warning AllocationFailed";

const shared = (port: number, protocol = "TCP"): ServiceOptions => ({
  annotations: { "metallb.io/allow-shared-ip": "dns", "metallb.io/loadBalancerIPs": "10.0.0.2" },
  spec: { ports: [{ port, protocol }] },
});

test("a Service gets address and annotation in one write, and one Event", async () => {
  const cluster = AllocatingLeader.of([LAN], service("shop/web"));
  assert.deepEqual(await cluster.events(), ['Normal IPAllocated web: Assigned IP ["10.0.0.0"]']);
  assert.equal(cluster.writes(), 1);
  const { annotations } = cluster.services.get("shop/web")?.metadata ?? {};
  assert.deepEqual(annotations, { "metallb.io/ip-allocated-from-pool": "lan" });
  cluster.allocation.reconcileAll();
  assert.deepEqual([await cluster.events(), cluster.writes()], [[], 0], "and no more");
});

test("a Service that waits is warned once, and served when it can be", async () => {
  const cluster = AllocatingLeader.of([pool("one", ["10.0.0.0/31"])], service("a/first"));
  cluster.set("a/second");
  cluster.set("a/third");
  await cluster.events();
  cluster.set("a/third");
  cluster.allocation.configure([pool("one", ["10.0.0.0/31"]), pool("two", [])], new Map());
  assert.deepEqual(await cluster.events(), []);
  cluster.delete("a/first");
  assert.deepEqual(await cluster.events(), ['Normal IPAllocated third: Assigned IP ["10.0.0.0"]']);
  assert.equal(cluster.allocation.pendingReason("a/third"), null);
});

test("a Service that waits for a second time is warned for a second time", async () => {
  const cluster = AllocatingLeader.of([pool("one", ["10.0.0.0/32"])], service("a/first"));
  cluster.set("a/web");
  const isWarning = (event: string): boolean => event.startsWith(`${WARNING} web`);
  assert.equal((await cluster.events()).filter(isWarning).length, 1);
  cluster.delete("a/first");
  await cluster.events();
  const reserved = new Map([[ip("10.1.0.0"), "the address of a node"]]);
  cluster.allocation.configure([pool("one", ["10.1.0.0/32"])], reserved);
  assert.equal((await cluster.events()).filter(isWarning).length, 1);
});

test("a Service that waits is warned again when it asks for something else in vain", async () => {
  const gold = pool("gold", ["10.1.0.0/32"], { autoAssign: false });
  const cluster = AllocatingLeader.of([gold], service("a/web"));
  const asks = (name: string) => ({ annotations: { "metallb.io/address-pool": name } });
  cluster.set("a/other", asks("gold"));
  await cluster.events();
  cluster.set("a/web", asks("gold"));
  const full = "no available IPs in pool gold (1 of 1 used)";
  assert.deepEqual(await cluster.events(), [
    `${WARNING} web: Failed to allocate IP for "a/web": ${full}`,
  ]);
  cluster.set("a/web", asks("tin"));
  assert.deepEqual(await cluster.events(), [
    `${WARNING} web: Failed to allocate IP for "a/web": unknown pool "tin"`,
  ]);
});

test("Services share an address, and one that waits joins when the port is given up", async () => {
  const cluster = AllocatingLeader.of([LAN], service("a/tcp", shared(53)));
  cluster.set("a/udp", shared(53, "UDP"));
  cluster.set("a/late", shared(53));
  await cluster.settle();
  assert.equal(cluster.addresses("a/udp"), "10.0.0.2");
  assert.equal(cluster.addresses("a/late"), "");
  const why = 'port TCP/53 is already in use on "10.0.0.2"';
  assert.equal(cluster.allocation.pendingReason("a/late"), why);
  cluster.set("a/tcp", shared(54));
  await cluster.settle();
  assert.equal(cluster.addresses("a/late"), "10.0.0.2");
});

test("a Service whose key changes loses the shared address, told once", async () => {
  const cluster = AllocatingLeader.of([LAN], service("a/tcp", shared(53)));
  cluster.set("a/udp", shared(53, "UDP"));
  await cluster.events();
  cluster.set("a/udp", { annotations: { "metallb.io/allow-shared-ip": "mine" } });
  const [cleared, assigned, ...others] = await cluster.events();
  const clash = `can't change sharing key for "a/udp", address also in use by a/tcp`;
  assert.ok(cleared?.startsWith("Normal ClearAssignment udp: Current IP"));
  assert.ok(cleared?.includes(clash));
  assert.equal(assigned, 'Normal IPAllocated udp: Assigned IP ["10.0.0.0"]');
  assert.deepEqual(others, []);
});

test("a request that cannot be read is told, and the address stays", async () => {
  const cluster = AllocatingLeader.of([LAN], service("a/web"));
  await cluster.events();
  cluster.writes();
  cluster.set("a/web", { spec: { loadBalancerIP: "x" } });
  assert.deepEqual(await cluster.events(), [
    "Warning LoadBalancerFailed web: Invalid requested loadbalancer IPs: " +
      'spec.loadBalancerIP: found "x", expected an IP',
  ]);
  assert.deepEqual([cluster.addresses("a/web"), cluster.writes()], ["10.0.0.0", 0]);
});

test("RequireDualStack with one cluster IP: a warning, and nothing is left", async () => {
  const cluster = AllocatingLeader.of([DUAL], service("a/web"));
  await cluster.events();
  cluster.set("a/web", { spec: { ipFamilyPolicy: "RequireDualStack" } });
  const told = await cluster.events();
  assert.match(told[1] ?? "", /^Warning not enough clusterips web: .*cluster IPs of one family/);
  const { metadata } = cluster.services.get("a/web") ?? {};
  assert.deepEqual([cluster.addresses("a/web"), metadata?.annotations], ["", {}]);
});

test("PreferDualStack lacks its second family, told once, until it is there", async () => {
  const spec = { clusterIPs: ["10.96.0.1", "fd00::1"], ipFamilyPolicy: "PreferDualStack" };
  const cluster = AllocatingLeader.of([LAN], service("a/web", { spec }));
  const lacks = "no available IPv6 address in pool lan, which has the other one";
  await cluster.settle();
  cluster.set("a/web", { spec });
  assert.deepEqual((await cluster.events()).slice(1), [
    `Normal AdditionalAssignFailed web: Failed to assign additional IP for "a/web": ${lacks}`,
  ]);
  cluster.set("a/web", { spec });
  assert.deepEqual(await cluster.events(), []);
  cluster.allocation.configure([DUAL], new Map());
  assert.deepEqual(await cluster.events(), [
    'Normal IPAllocated web: Assigned additional IP "2001:db8::"',
  ]);
  assert.equal(cluster.addresses("a/web"), "10.0.0.0 2001:db8::");
});

test("PreferDualStack gets the address that another Service gives up", async () => {
  const six = { spec: { clusterIPs: ["fd00::2"] } };
  const spec = { clusterIPs: ["10.96.0.1", "fd00::1"], ipFamilyPolicy: "PreferDualStack" };
  const small = pool("lan", ["10.0.0.0/30", "2001:db8::/128"]);
  const cluster = AllocatingLeader.of([small], service("a/six", six));
  cluster.set("a/web", { spec });
  await cluster.settle();
  cluster.set("a/web", { spec });
  await cluster.settle();
  assert.equal(cluster.addresses("a/web"), "10.0.0.0");
  cluster.delete("a/six");
  await cluster.settle();
  assert.equal(cluster.addresses("a/web"), "10.0.0.0 2001:db8::");
});

test("an annotation with the older prefix works, and is told of once for each change", async () => {
  const older = "metallb.universe.tf/address-pool";
  const cluster = AllocatingLeader.of([LAN], service("a/web", { annotations: { [older]: "lan" } }));
  const told = (await cluster.events()).filter((event) => event.includes("deprecatedAnnotation"));
  assert.equal(told.length, 1);
  assert.match(told[0] ?? "", /^Warning deprecatedAnnotation web: the annotation "metallb\.univ/);
  cluster.allocation.reconcileAll();
  assert.deepEqual(await cluster.events(), []);
  const more = { [older]: "lan", "metallb.universe.tf/allow-shared-ip": "k" };
  cluster.set("a/web", { annotations: more });
  assert.equal((await cluster.events()).length, 2);
});

test("a leader that takes over keeps every status, and writes nothing", async () => {
  const from = { "metallb.io/ip-allocated-from-pool": "lan" };
  const held = (port: number, protocol: string): ServiceOptions => {
    const { annotations, ...rest } = shared(port, protocol);
    return { ...rest, annotations: { ...annotations, ...from }, ips: ["10.0.0.2"] };
  };
  const cluster = AllocatingLeader.of(
    [LAN],
    service("a/new"),
    service("a/plain", { ips: ["10.0.0.0"], annotations: from }),
    service("a/tcp", held(53, "TCP")),
    service("a/udp", held(53, "UDP")),
  );
  assert.deepEqual(await cluster.events(), ['Normal IPAllocated new: Assigned IP ["10.0.0.1"]']);
  assert.equal(cluster.writes(), 1);
});

test("a hundred Services that wait are served after a hundred deletions", async () => {
  const names = Array.from({ length: 100 }, (_, i) => `a/s${i}`);
  const cluster = AllocatingLeader.of(
    [pool("p", ["10.0.0.0-10.0.0.99"])],
    ...names.map((n) => service(n)),
  );
  for (let i = 0; i < 100; i++) cluster.set(`b/w${i}`);
  await cluster.settle();
  for (const name of names) cluster.delete(name);
  await cluster.settle();
  const served = [...cluster.services.keys()].filter((key) => cluster.addresses(key) !== "");
  assert.equal(served.length, 100);
});

test("a Service whose status says it all is not written to, however often asked", async () => {
  const cluster = AllocatingLeader.of([pool("lan", ["10.0.0.1-10.0.0.9"])], service("a/web"));
  await cluster.settle();
  assert.equal(cluster.writes(), 1);
  for (let i = 0; i < 10; i++) cluster.allocation.reconcileAll();
  cluster.set("a/web", { labels: { some: "label" } });
  await cluster.settle();
  cluster.edit("a/web", ["10.0.0.1"], "VIP");
  await cluster.settle();
  assert.equal(cluster.writes(), 0);
});

test("a status that leaves forwarding to a proxy is put right: there is none", async () => {
  const cluster = AllocatingLeader.of([pool("lan", ["10.0.0.1-10.0.0.9"])], service("a/web"));
  await cluster.settle();
  cluster.writes();
  cluster.edit("a/web", ["10.0.0.1"], "Proxy");
  await cluster.settle();
  assert.deepEqual([cluster.writes(), cluster.addresses("a/web")], [1, "10.0.0.1"]);
});
