// VIPs on two segments at once, each answered on its own; and segments that have no IPv4, on which
// nodes watch each other over IPv6.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabNode } from "../lab/node.ts";

const POOLS = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["fd00:100::50-fd00:100::59"]}
---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: second, namespace: metallb-system}
spec: {addresses: ["fd00:101::50-fd00:101::59"], autoAssign: false}
`;
const IPV6 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
const FROM_SECOND = { "metallb.io/address-pool": "second" };

/** The node whose MAC on that segment the client learns. */
async function answeringOn(
  c: DaemonCluster,
  segment: "data" | "data2",
  address: string,
): Promise<string | null> {
  const mac = await c.lab.client.arping(address);
  return c.lab.nodes.find((node: LabNode) => node.mac(segment) === mac)?.name ?? mac;
}

describe("two segments of IPv6", () => {
  const cluster = clusterForSuite({
    ...{ nodes: 2, dualStack: true, secondDataSegment: true },
    prepare: (c) => c.controlPlane.apply(POOLS),
  });

  test("each address is answered on the interface whose prefix holds it", async () => {
    const c = cluster();
    await c.createService("first", IPV6);
    await c.createService("second", IPV6, FROM_SECOND);
    assert.equal(await c.addressOf("first"), "fd00:100::50");
    assert.equal(await c.addressOf("second"), "fd00:101::50");
    for (const [segment, address] of [
      ["data", "fd00:100::50"],
      ["data2", "fd00:101::50"],
    ] as const) {
      const owner = await c.untilAnswering(address, { accepts: () => true });
      assert.ok(owner !== "");
      assert.match((await answeringOn(c, segment, address)) ?? "", /^node\d$/);
    }
  });

  test("an address of a segment that its owner loses moves, and the other one stays", async () => {
    const c = cluster();
    const before = await answeringOn(c, "data", "fd00:100::50");
    const owner = (await answeringOn(c, "data2", "fd00:101::50")) ?? "";
    await c.node(owner).linkOn("data2").down();
    try {
      const other = c.lab.nodes.find(({ name }) => name !== owner);
      await c.untilAnswering("fd00:101::50", { accepts: (mac) => mac === other?.mac("data2") });
      assert.equal(await answeringOn(c, "data", "fd00:100::50"), before);
    } finally {
      await c.node(owner).linkOn("data2").up();
    }
  });
});

describe("a segment without IPv4", () => {
  const cluster = clusterForSuite({
    ...{ nodes: 3, dualStack: true },
    prepare: async (c) => {
      await c.controlPlane.apply(POOLS);
      for (const node of c.lab.nodes) {
        await node.run(["ip", "-4", "addr", "flush", "dev", "eth0"]);
      }
    },
  });

  test("is watched over IPv6: all nodes hear each other, and one answers", async () => {
    const c = cluster();
    await c.createService("six", IPV6);
    assert.equal(await c.addressOf("six"), "fd00:100::50");
    await c.untilAnswering("fd00:100::50");
    for (const daemon of c.daemons.values()) await c.untilStatus(daemon, /health +ok/, 30_000);
  });

  test("has its failover by beacons: a pulled cable moves the address at once", async () => {
    const c = cluster();
    const owner = await c.untilAnswering("fd00:100::50");
    await c.node(owner).dataLink.down();
    try {
      await c.untilAnswering("fd00:100::50", { accepts: (node) => node !== owner });
    } finally {
      await c.node(owner).dataLink.up();
    }
  });

  test("has its failover when an owner dies without the Kubernetes API", async () => {
    const c = cluster();
    const owner = await c.untilAnswering("fd00:100::50");
    await c.controlPlane.stopApiServer();
    try {
      await c.daemon(owner).kill();
      const accepts = (node: string): boolean => node !== owner;
      await c.untilAnswering("fd00:100::50", { accepts, timeoutMs: 3_000 });
    } finally {
      await c.controlPlane.startApiServer();
    }
  });
});

describe("an address outside every connected prefix", () => {
  const ROUTED = "fd00:999::50";
  const ROUTED_POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: routed, namespace: metallb-system}
spec: {addresses: ["fd00:999::50-fd00:999::59"]}
`;
  const cluster = clusterForSuite({
    ...{ nodes: 2, dualStack: true },
    prepare: (c) => c.controlPlane.apply(ROUTED_POOL),
  });

  test("is answered by nobody, and an Event on its Service says why", async () => {
    const c = cluster();
    await c.createService("routed", IPV6, { "metallb.io/address-pool": "routed" });
    assert.equal(await c.addressOf("routed"), ROUTED);
    const told = async () =>
      (await c.events("routed")).find(({ reason }) => reason === "announceFailed")?.note ?? "";
    const note = await eventually("the Event", told, { timeoutMs: 40_000 });
    assert.match(note, /nobody answers for fd00:999::50: no node is eligible/);
    assert.match(note, /no interface with carrier has a prefix that holds fd00:999::50/);
  });

  test("is answered where an L2Advertisement names the interface", async () => {
    const c = cluster();
    await c.controlPlane.apply(`
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: everything, namespace: metallb-system}
spec: {interfaces: [eth0]}
`);
    // As a gateway would have it: the address is on this segment.
    await c.lab.client.run(["ip", "route", "add", "fd00:999::/64", "dev", "eth0"]);
    await c.untilAnswering(ROUTED, { timeoutMs: 15_000 });
  });
});
