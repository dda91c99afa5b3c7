// The main job: a Service gets an address, one node answers for it, and everybody can see why.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deployBackends } from "../lab/backends.ts";
import { eventually } from "../lab/eventually.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import { clusterForSuite } from "./support/daemon-cluster.ts";

describe("a Service of type LoadBalancer", () => {
  const cluster = clusterForSuite({ nodes: 3 });

  test("gets the first address of the pool, and the pool's annotation", async () => {
    const c = cluster();
    await c.createService("web", { ports: [{ port: 80, targetPort: 8080 }] });
    assert.equal(await c.addressOf("web"), "192.168.100.50");
    const { annotations } = await c.service("web");
    assert.deepEqual(annotations["metallb.io/ip-allocated-from-pool" as never], "lan");
    const event = await c.untilEvent("web", "IPAllocated");
    assert.equal(event.note, 'Assigned IP ["192.168.100.50"]');
  });

  test("is answered by exactly one node, and an Event names it", async () => {
    const c = cluster();
    const owner = await c.untilAnswering("192.168.100.50");
    assert.deepEqual(await c.lab.client.whoAnswers("192.168.100.50"), [c.node(owner).mac()]);
    const event = await c.untilEvent("web", "nodeAssigned");
    assert.equal(event.note, `announcing from node "${owner}" with protocol "layer2"`);
    const lease = await c.controlPlane.get<{ spec: { holderIdentity: string } }>(
      "lease",
      "lbd-vip-192.168.100.50",
      "-n",
      "lbd-system",
    );
    assert.equal(lease.spec.holderIdentity, owner);
  });

  test("carries HTTP from the client to a pod through kube-proxy", async () => {
    const c = cluster();
    await startKubeProxies(c.controlPlane);
    const pods = [{ name: "web-1", node: c.lab.node(2) }];
    await deployBackends(c.controlPlane, { service: "web", port: 8080, pods });
    const ask = () => c.lab.client.curl("http://192.168.100.50/", { timeoutMs: 500 });
    const answer = await eventually("HTTP", ask, { until: ({ status }) => status === 200 });
    assert.equal(JSON.parse(answer.body).pod, "web-1");
  });

  test("is explained link by link on the owner, down to the last answer on the wire", async () => {
    const c = cluster();
    const owner = await c.untilAnswering("192.168.100.50");
    const { stdout, code } = await c.daemon(owner).lbctl(["explain", "default/web"]);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`192\\.168\\.100\\.50 \\(node ${owner} answers for it\\)`));
    for (const step of ["service", "pool", "advertisement", "node", "owner", "wire"]) {
      assert.match(stdout, new RegExp(`ok +${step} `), step);
    }
    assert.match(
      stdout,
      new RegExp(`answers, the last \\d+ s ago to ${c.lab.client.mac()} on eth0`),
    );
  });

  test("gets the address that it asks for, by field or by annotation", async () => {
    const c = cluster();
    await c.createService("by-field", { loadBalancerIP: "192.168.100.55" });
    const asked = { "metallb.io/loadBalancerIPs": "192.168.100.56" };
    await c.createService("by-annotation", {}, asked);
    assert.equal(await c.addressOf("by-field"), "192.168.100.55");
    assert.equal(await c.addressOf("by-annotation"), "192.168.100.56");
  });

  test("that asks for another's address gets none, and a warning with its name", async () => {
    const c = cluster();
    await c.createService("thief", { loadBalancerIP: "192.168.100.55" });
    const event = await c.untilEvent("thief", "AllocationFailed");
    assert.equal(event.type, "Warning");
    assert.match(event.note, /address also in use by default\/by-field \(192\.168\.100\.55: /);
    assert.deepEqual((await c.service("thief")).addresses, []);
    assert.deepEqual((await c.service("by-field")).addresses, ["192.168.100.55"]);
  });

  test("that asks for an address of no pool gets none, and a warning that says so", async () => {
    const c = cluster();
    await c.createService("stranger", { loadBalancerIP: "192.168.200.1" });
    const event = await c.untilEvent("stranger", "AllocationFailed");
    assert.match(event.note, /\["192\.168\.200\.1"\] is not allowed in config/);
    assert.deepEqual((await c.service("stranger")).addresses, []);
  });

  test("that asks for garbage gets none, and a warning that quotes it", async () => {
    const c = cluster();
    await c.createService("garbled", {}, { "metallb.io/loadBalancerIPs": "not-an-ip" });
    const event = await c.untilEvent("garbled", "LoadBalancerFailed");
    assert.match(event.note, /found "not-an-ip", expected an IP/);
  });

  test("that waits gets the address as soon as another Service gives it up", async () => {
    const c = cluster();
    await c.controlPlane.kubectl(["delete", "service", "by-field"]);
    assert.equal(await c.addressOf("thief"), "192.168.100.55");
  });

  test("that is deleted is not answered any more, and its Lease goes", async () => {
    const c = cluster();
    await c.untilAnswering("192.168.100.56");
    await c.controlPlane.kubectl(["delete", "service", "by-annotation"]);
    await eventually("silence", () => c.answering("192.168.100.56"), {
      timeoutMs: 10_000,
      until: (node) => node === null,
    });
    const leases = () =>
      c.controlPlane.kubectl(["get", "leases", "-n", "lbd-system", "-o", "name"]);
    await eventually("the Lease to go", leases, {
      timeoutMs: 20_000,
      until: (names) => !names.includes("lbd-vip-192.168.100.56"),
    });
  });

  test("that flips between types ends with what its last type asks for", async () => {
    const c = cluster();
    await c.createService("flipper");
    const set = (type: string) =>
      c.controlPlane.kubectl([
        "patch",
        "service",
        "flipper",
        "-p",
        JSON.stringify({ spec: { type } }),
      ]);
    for (let i = 0; i < 5; i++) {
      await set("ClusterIP");
      await set("LoadBalancer");
    }
    const address = await c.addressOf("flipper");
    await c.untilAnswering(address);
    await set("ClusterIP");
    await eventually("no address", () => c.service("flipper"), {
      timeoutMs: 10_000,
      until: ({ addresses }) => addresses.length === 0,
    });
    const { annotations } = await c.service("flipper");
    assert.equal("metallb.io/ip-allocated-from-pool" in annotations, false);
    await eventually("silence", () => c.answering(address), {
      timeoutMs: 10_000,
      until: (node) => node === null,
    });
  });

  test("with a loadBalancerClass is left to its own implementation", async () => {
    const c = cluster();
    await c.createService("classy", { loadBalancerClass: "example.com/other" });
    await c.createService("plain");
    await c.addressOf("plain");
    assert.deepEqual((await c.service("classy")).addresses, []);
  });
});
