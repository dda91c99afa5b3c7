// Tests of the leader that asks the wire first: who waits, who gets another address, who is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mac } from "../../../src/core/mac.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import { ip, pool } from "../../support/ipam-requests.ts";
import { service } from "../../support/kubernetes-objects.ts";
import { AllocatingLeader } from "./allocation-harness.ts";

const LAN = pool("lan", ["10.0.0.0/30"]);
const PRINTER = "02:00:00:00:00:99" as Mac;

const annotations = { "metallb.io/allow-shared-ip": "dns" };
const TCP = { annotations, spec: { ports: [{ port: 53, protocol: "TCP" }] } };
const UDP = { annotations, spec: { ports: [{ port: 53, protocol: "UDP" }] } };

/** A leader that knows nothing of the wire yet. */
function asking(...services: Service[]): AllocatingLeader {
  const leader = AllocatingLeader.of([LAN]);
  leader.unprobed = "unknown";
  for (const one of services) {
    leader.services.set(`${one.metadata.namespace}/${one.metadata.name}`, one);
    leader.allocation.reconcile(`${one.metadata.namespace}/${one.metadata.name}`);
  }
  return leader;
}

test("A Service waits for the probe of its address, and says so, then has it", async () => {
  const leader = asking(service("a/web"));
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "");
  const reason = leader.allocation.pendingReason("a/web") ?? "";
  assert.match(reason, /it gets 10\.0\.0\.0 unless somebody on the network answers for it/);
  assert.deepEqual(await leader.events(), []);
  leader.probed("10.0.0.0");
  assert.deepEqual(await leader.events(), ['Normal IPAllocated web: Assigned IP ["10.0.0.0"]']);
  assert.equal(leader.allocation.pendingReason("a/web"), null);
  assert.equal(leader.writes(), 1);
});

test("Services that come together wait for a probe each, and none for another's", async () => {
  const leader = asking(service("a/one"), service("a/two"), service("a/three"));
  leader.probed("10.0.0.1");
  await leader.settle();
  assert.equal(leader.addresses("a/two"), "10.0.0.1");
  leader.probed("10.0.0.0");
  leader.probed("10.0.0.2");
  await leader.settle();
  assert.equal(leader.addresses("a/one"), "10.0.0.0");
  assert.equal(leader.addresses("a/three"), "10.0.0.2");
});

test("An address that another host has is told of once, and the next one taken", async () => {
  const leader = asking(service("a/web"));
  leader.probed("10.0.0.0", PRINTER);
  leader.probed("10.0.0.1");
  const note =
    `"10.0.0.0" is passed over: host ${PRINTER}, which is no node of the cluster, ` +
    "answers for it; find that host and change it";
  assert.deepEqual(await leader.events(), [
    `Warning addressInUse web: ${note}`,
    'Normal IPAllocated web: Assigned IP ["10.0.0.1"]',
  ]);
  leader.wire.set(ip("10.0.0.2"), "free");
  leader.probed("10.0.0.0", PRINTER);
  leader.set("a/more");
  assert.deepEqual(await leader.events(), ['Normal IPAllocated more: Assigned IP ["10.0.0.2"]']);
});

test("A fourth of what is free is asked for ahead of need, 8 to 64, fewer of many pools", () => {
  const upcoming = (prefix: string, pools = 1): number => {
    const leader = asking();
    const all = Array.from({ length: pools }, (_, i) => pool(`p${i}`, [`10.${i}.0.0/${prefix}`]));
    leader.allocation.configure(all, new Map());
    return leader.allocation.upcoming().length;
  };
  assert.equal(upcoming("28"), 8);
  assert.equal(upcoming("30"), 4, "all there are");
  assert.equal(upcoming("25"), 32);
  assert.equal(upcoming("16"), 64);
  assert.equal(upcoming("16", 32), 32 * 32);
  assert.equal(upcoming("16", 200), 200 * 8);
});

test("What was found out ahead of need is told to the first Service that it concerns", async () => {
  const leader = asking();
  assert.deepEqual(leader.allocation.upcoming(), ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  leader.probed("10.0.0.0", PRINTER);
  assert.deepEqual(leader.allocation.upcoming(), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  leader.probed("10.0.0.1");
  leader.set("a/web");
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.1");
  const [first] = await leader.events();
  assert.match(first ?? "", /^Warning addressInUse web: "10\.0\.0\.0" is passed over/);
});

test("What was known before this node led is told, too", async () => {
  const leader = asking();
  leader.wire.set(ip("10.0.0.0"), { macs: [PRINTER] });
  leader.wire.set(ip("10.0.0.1"), "free");
  leader.set("a/web");
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.1");
  const [first] = await leader.events();
  assert.match(first ?? "", /^Warning addressInUse web: "10\.0\.0\.0" is passed over/);
});

test("A request for an address that another host has warns once, and waits", async () => {
  const asks = { spec: { loadBalancerIP: "10.0.0.3" } };
  const leader = asking();
  leader.set("a/web", asks);
  leader.probed("10.0.0.3", PRINTER);
  const [event, ...rest] = await leader.events();
  assert.deepEqual(rest, []);
  assert.match(event ?? "", /^Warning AllocationFailed web: .*"10\.0\.0\.3" is in use .*00:99/);
  assert.match(leader.allocation.pendingReason("a/web") ?? "", /is in use on the network/);
  leader.probed("10.0.0.3", PRINTER);
  assert.deepEqual(await leader.events(), []);
  leader.probed("10.0.0.3");
  assert.deepEqual(await leader.events(), ['Normal IPAllocated web: Assigned IP ["10.0.0.3"]']);
});

test("What a status says is kept, whoever else answers for it", async () => {
  const leader = asking(service("a/web", { ips: ["10.0.0.2"] }));
  leader.probed("10.0.0.2", PRINTER);
  leader.allocation.reconcileAll();
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.2");
});

test("Who joins an address that a Service has does not wait for a probe", async () => {
  const leader = asking(service("a/tcp", TCP));
  leader.probed("10.0.0.0");
  await leader.settle();
  leader.set("a/udp", UDP);
  await leader.settle();
  assert.equal(leader.addresses("a/udp"), "10.0.0.0");
});

test("Two that would share what turns out to be used share the next one", async () => {
  const tcp = service("a/tcp", TCP);
  const leader = asking(tcp, service("a/udp", UDP));
  leader.probed("10.0.0.0", PRINTER);
  leader.probed("10.0.0.1");
  await leader.settle();
  assert.equal(leader.addresses("a/tcp"), "10.0.0.1");
  assert.equal(leader.addresses("a/udp"), "10.0.0.1");
});

test("A pool that other hosts use up is told of with how many they are", async () => {
  const leader = asking();
  for (const last of [0, 1, 2, 3]) leader.probed(`10.0.0.${last}`, PRINTER);
  leader.set("a/web");
  const why = "no available IPs: lan (0 of 4 used, 4 quarantined, as other hosts answer for them)";
  const failed = `Warning AllocationFailed web: Failed to allocate IP for "a/web": ${why}`;
  assert.deepEqual(await leader.events(), [failed]);
  leader.allocation.reconcile("a/web");
  assert.deepEqual(await leader.events(), [], "on the transition only");
  leader.probed("10.0.0.2");
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.2");
});

test("A Service that asks for another address has none while that is probed", async () => {
  const leader = asking(service("a/web", { ips: ["10.0.0.0"] }));
  leader.set("a/web", { spec: { loadBalancerIP: "10.0.0.1" } });
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "", "another one could get it meanwhile");
  leader.probed("10.0.0.1");
  await leader.settle();
  assert.equal(leader.addresses("a/web"), "10.0.0.1");
});

test("A Service that goes while its address is probed leaves it to others", async () => {
  const leader = asking(service("a/web"));
  leader.delete("a/web");
  leader.probed("10.0.0.0");
  leader.set("a/more");
  await leader.settle();
  assert.equal(leader.addresses("a/more"), "10.0.0.0");
  assert.equal(leader.addresses("a/web"), "");
});
