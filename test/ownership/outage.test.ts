// The Kubernetes API is slow, gone or refuses: what worked goes on, and the status says why.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, whileMachineRuns } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";

const ADDRESS = "192.168.100.50";

describe("an API outage", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("silences nobody, past the Lease too, and nothing moves after it", async () => {
    const c = cluster();
    await c.createService("web");
    await c.addressOf("web");
    const owner = await c.untilAnswering(ADDRESS);
    const before = await c.vip(c.daemon(owner), ADDRESS);
    await c.controlPlane.stopApiServer();
    await whileMachineRuns(c, ADDRESS, async () => {
      const until = performance.now() + 20_000;
      while (performance.now() < until) {
        assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
      }
    });
    const status = await c.untilStatus(c.daemon(owner), /NOT reachable/);
    assert.match(status, /The Kubernetes API does not give/);
    assert.match(status, /next: +look at the API server; lbd keeps trying by itself/);
    await c.controlPlane.startApiServer();
    await c.untilStatus(c.daemon(owner), /health +ok/, 30_000);
    const after = await c.vip(c.daemon(owner), ADDRESS);
    assert.deepEqual([after?.owner, after?.epoch], [owner, before?.epoch]);
  });

  test("of etcd alone is survived too, and new Services are served after it", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    await c.controlPlane.restartEtcd();
    await c.createService("after-etcd");
    await c.untilAnswering(await c.addressOf("after-etcd"));
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("by a missing permission names it, and what to do", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const role = ["rolebinding", "lbd", "-n", "lbd-system"];
    const saved = await c.controlPlane.kubectl(["get", ...role, "-o", "json"]);
    await c.controlPlane.kubectl(["delete", ...role]);
    const status = await c.untilStatus(c.daemon(owner), /leases/, 20_000);
    assert.match(status, /next: +kubectl apply -f deploy\/rbac\.yaml/);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    const { metadata, ...rest } = JSON.parse(saved);
    const clean = { ...rest, metadata: { name: metadata.name, namespace: metadata.namespace } };
    await c.controlPlane.apply(JSON.stringify(clean));
    await c.untilStatus(c.daemon(owner), /health +ok/, 30_000);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("by a frozen API server, which answers nothing at all, silences nobody", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    await c.controlPlane.freezeApiServer();
    try {
      await c.untilStatus(c.daemon(owner), /degraded/, 30_000);
      assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
    } finally {
      await c.controlPlane.thawApiServer();
    }
    await c.untilStatus(c.daemon(owner), /health +ok/, 40_000);
    await eventually("one owner", () => c.lab.client.whoAnswers(ADDRESS), {
      until: (macs) => macs.length === 1,
    });
  });
});
