// Where a Service can be served decides who answers for it: externalTrafficPolicy Local, and a
// Service without any endpoint.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster, endpointOn } from "./support/daemon-cluster.ts";

const LOCAL = { externalTrafficPolicy: "Local" };
const TERMINATING = { ready: false, serving: true, terminating: true };

describe("a Service with externalTrafficPolicy Local", () => {
  const cluster = clusterForSuite({ nodes: 3 });

  test("is answered by the node that has an endpoint, whatever its rank", async () => {
    const c = cluster();
    for (const { name } of c.lab.nodes) {
      await c.createService(`on-${name}`, LOCAL, {}, [endpointOn(name)]);
      assert.equal(await c.untilAnswering(await c.addressOf(`on-${name}`)), name);
    }
    const { stdout } = await c.daemon("node1").lbctl(["explain", "default/on-node1"]);
    assert.match(stdout, /node2.*no endpoint on it serves \(externalTrafficPolicy: Local\)/);
  });

  test("moves without a gap when the last endpoint of its owner begins to terminate", async () => {
    const c = cluster();
    await c.createService("rollout", LOCAL, {}, [endpointOn("node1")]);
    const address = await c.addressOf("rollout");
    assert.equal(await c.untilAnswering(address), "node1");
    await c.setEndpoints("rollout", [endpointOn("node1", TERMINATING)]);
    await answersStill(c, address, "node1", "it serves, and nobody else can");
    await c.setEndpoints("rollout", [endpointOn("node1", TERMINATING), endpointOn("node3")]);
    await c.untilAnswering(address, { accepts: (node) => node === "node3" });
    const { stdout } = await c.daemon("node1").lbctl(["history", address]);
    assert.match(
      stdout,
      /lost +\S+ +\d+ +handed-over .*: the last endpoints on it are terminating/,
    );
    await c.setEndpoints("rollout", [endpointOn("node3")]);
    await answersStill(c, address, "node3", "nothing moves because of the one that is gone");
  });

  test("is answered by nobody without an endpoint, and again when there is one", async () => {
    const c = cluster();
    const address = await c.addressOf("rollout");
    await c.setEndpoints("rollout", [endpointOn("node3", { ready: false, serving: false })]);
    await eventually("nobody to answer", () => c.lab.client.whoAnswers(address), {
      until: (macs) => macs.length === 0,
    });
    const { stdout } = await c.daemon("node3").lbctl(["history", address]);
    assert.match(stdout, /lost +\S+ +\d+ +not-eligible +no endpoint of its Services serves/);
    assert.match(await c.status(c.daemon("node3")), /health +ok/, "that is the Service's affair");
    await c.setEndpoints("rollout", [endpointOn("node2")]);
    await c.untilAnswering(address, { accepts: (node) => node === "node2" });
  });

  test("is answered anywhere under Cluster, and under Local where it can be served", async () => {
    const c = cluster();
    const address = await c.addressOf("rollout");
    const patch = (policy: string) =>
      c.controlPlane.kubectl([
        ...["patch", "service", "rollout", "--type=merge"],
        ...["-p", JSON.stringify({ spec: { externalTrafficPolicy: policy } })],
      ]);
    await patch("Cluster");
    await answersStill(c, address, "node2", "it was right already");
    await c.daemon("node2").lbctl(["drain", "--timeout", "1"]);
    await c.untilAnswering(address, { accepts: (node) => node !== "node2" });
    await c.daemon("node2").lbctl(["undrain"]);
    await patch("Local");
    await c.untilAnswering(address, { accepts: (node) => node === "node2" });
  });

  test("is served like any other while EndpointSlices may not be read, and told why", async () => {
    const c = cluster();
    const role = JSON.parse(
      await c.controlPlane.kubectl(["get", "clusterrole", "lbd", "-o", "json"]),
    );
    const without = role.rules.filter(
      (rule: { resources: string[] }) => !rule.resources.includes("endpointslices"),
    );
    const apply = (rules: object[]) =>
      c.controlPlane.kubectl([
        ...["patch", "clusterrole", "lbd", "--type=merge"],
        ...["-p", JSON.stringify({ rules })],
      ]);
    await apply(without);
    await c.daemon("node2").kill("SIGTERM");
    await c.start(c.node("node2"));
    const status = await c.untilStatus(c.daemon("node2"), /does not give endpointslices/);
    assert.match(status, /next: +kubectl apply -f deploy\/rbac\.yaml/);
    await c.createService("blind");
    await c.untilAnswering(await c.addressOf("blind"));
    await apply(role.rules);
    await c.untilStatus(c.daemon("node2"), /health +ok/, 40_000);
  });
});

describe("a Service with externalTrafficPolicy Cluster", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("that has no endpoint at all is not answered, until it has one anywhere", async () => {
    const c = cluster();
    await c.createService("empty", {}, {}, []);
    const address = await c.addressOf("empty");
    assert.deepEqual(await c.lab.client.whoAnswers(address), []);
    const { stdout } = await c.daemon("node1").lbctl(["explain", "default/empty"]);
    assert.match(stdout, /no endpoint of its Services serves/);
    await c.setEndpoints("empty", [endpointOn("node1", TERMINATING)]);
    await c.untilAnswering(address);
    await c.setEndpoints("empty", []);
    await eventually("nobody to answer", () => c.lab.client.whoAnswers(address), {
      until: (macs) => macs.length === 0,
    });
  });
});

async function answersStill(c: DaemonCluster, address: string, node: string, why: string) {
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await c.lab.client.whoAnswers(address), [c.node(node).mac()], why);
  }
}
