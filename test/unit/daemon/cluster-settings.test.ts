// Settings of the node file that decide what the cluster is for a daemon: whose Services are
// lbd's, and which nodes may own anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterView, type ClusterViewOptions } from "../../../src/daemon/cluster-view.ts";
import { EXCLUDE_LABEL } from "../../../src/daemon/placements.ts";
import { ip } from "../../support/ipam-requests.ts";
import { node, resource, service, skipBgp } from "../../support/kubernetes-objects.ts";

const CLASS = "example.com/lbd";
const EXCLUDED = node("n1", { labels: { [EXCLUDE_LABEL]: "" } });

function clusterWith(settings: Partial<ClusterViewOptions>): ClusterView {
  const cluster = new ClusterView({ onChange: () => {}, defer: (run) => run(), ...settings });
  const spec = { loadBalancerClass: CLASS };
  cluster
    .serviceSink()
    .replace([
      service("shop/classless", { ips: ["10.0.0.1"] }),
      service("shop/classy", { ips: ["10.0.0.2"], spec }),
    ]);
  cluster.nodeSink().replace([EXCLUDED]);
  cluster.configSink("pool").replace([resource("lan", { addresses: ["10.0.0.0/24"] })]);
  cluster.configSink("advertisement").replace([resource("all")]);
  skipBgp(cluster);
  cluster.skipEndpoints();
  return cluster;
}

test("a cluster without a class has the VIPs of Services that have none", () => {
  assert.deepEqual(clusterWith({}).addresses(), ["10.0.0.1"]);
});

test("a cluster with a class has the VIPs of Services of exactly that class", () => {
  assert.deepEqual(clusterWith({ loadBalancerClass: CLASS }).addresses(), ["10.0.0.2"]);
  assert.deepEqual(clusterWith({ loadBalancerClass: `${CLASS}2` }).addresses(), []);
});

test("a cluster that ignores the exclude label lets its nodes own addresses", () => {
  const allowed = (ignoreExcludeLabel: boolean) => {
    const cluster = clusterWith({ ignoreExcludeLabel });
    return cluster.placementOf(ip("10.0.0.1"))?.nodes.get("n1")?.allowed;
  };
  assert.deepEqual([allowed(true), allowed(false)], [true, false]);
});

test("a cluster that ignores the exclude label says that nothing excludes the node", () => {
  assert.equal(clusterWith({ ignoreExcludeLabel: true }).exclusion(EXCLUDED), null);
});
