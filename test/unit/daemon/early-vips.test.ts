// Tests of what a node that starts tells of VIPs before the cluster is listed: what its store knows
// of those that have a record, and what is to be taken back of it later.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { type ClusterMemory, ClusterView } from "../../../src/daemon/cluster-view.ts";
import { CONFIG_KINDS, noConfigObjects } from "../../../src/daemon/config-objects.ts";
import { EarlyVips } from "../../../src/daemon/early-vips.ts";
import type { ToResponder } from "../../../src/daemon/responder-messages.ts";
import type { OwnershipEvent, VipRecord } from "../../../src/ownership/types.ts";
import { node, resource, service } from "../../support/kubernetes-objects.ts";

const [WEB, API, OLD] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] as [Ip, Ip, Ip];

function memory(): ClusterMemory {
  const config = noConfigObjects();
  config.pool.set("lan", resource("lan", { addresses: ["10.0.0.0/28"] }));
  config.advertisement.set("all", resource("all", {}));
  const services = [
    service("shop/web", { ips: [WEB] }),
    service("shop/api", { ips: [API] }),
    service("shop/old", { ips: [OLD] }),
  ];
  return {
    services: new Map(services.map((one) => [`shop/${one.metadata.name}`, one])),
    nodes: new Map([["n1", node("n1")]]),
    config,
  };
}

function record(address: Ip): VipRecord {
  return { address, owner: "n1", epoch: epochOf(1), resourceVersion: "1" } as VipRecord;
}

function start(known: ClusterMemory | null) {
  const told: (OwnershipEvent | ToResponder)[] = [];
  const cluster = new ClusterView({ onChange: () => {}, defer: (run) => run() });
  const early = new EarlyVips({
    log: { info: () => {} },
    cluster,
    snapshots: { load: () => known },
    tellOwnership: (event) => told.push(event),
    tellResponder: (message) => told.push(message),
  });
  return { told, cluster, early };
}

/** All of the memory, but for some Services. */
function list(cluster: ClusterView, without: readonly string[]): void {
  const { services, nodes, config } = memory();
  const listed = [...services.values()].filter(({ metadata }) => !without.includes(metadata.name));
  cluster.serviceSink().replace(listed);
  cluster.nodeSink().replace([...nodes.values()]);
  for (const kind of CONFIG_KINDS) cluster.configSink(kind).replace([...config[kind].values()]);
  cluster.endpointSliceSink().replace([]);
}

test("EarlyVips: those that have a record are told, after the ranges that are answered for", () => {
  const { told, cluster, early } = start(memory());
  early.onRecords([record(WEB), record(OLD)]);
  assert.deepEqual(
    told.map(({ type }) => type),
    ["ranges", "vips"],
  );
  const [, vips] = told as [ToResponder, Extract<OwnershipEvent, { type: "vips" }>];
  assert.deepEqual(
    vips.changed.map(({ address }) => address),
    [WEB, OLD],
    "a Service without a record may be gone",
  );
  assert.deepEqual(vips.freed, []);
  assert.equal(cluster.services.size, 0, "the cluster itself is not known any better");
  assert.equal(cluster.isListed, false);
});

test("EarlyVips: what is listed in the end, and is no VIP any more, is taken back once", () => {
  const { cluster, early } = start(memory());
  early.onRecords([record(WEB), record(OLD)]);
  list(cluster, ["old"]);
  assert.deepEqual(early.takeGone(), [OLD]);
  assert.deepEqual(early.takeGone(), []);
});

test("EarlyVips: nothing is told of a cluster that is listed, or was never seen", () => {
  const listed = start(memory());
  list(listed.cluster, []);
  listed.early.onRecords([record(WEB)]);
  assert.deepEqual(listed.told, []);
  const fresh = start(null);
  fresh.early.onRecords([record(WEB)]);
  assert.deepEqual(fresh.told, []);
  assert.deepEqual(fresh.early.takeGone(), []);
});
