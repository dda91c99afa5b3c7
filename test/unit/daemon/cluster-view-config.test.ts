// Tests of the configuration as a node follows it: kinds that most clusters have none of, one bad
// object among good ones, and labels of nodes that decide what is valid.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterChange } from "../../../src/daemon/cluster-view.ts";
import { ClusterView } from "../../../src/daemon/cluster-view.ts";
import type { ConfigKind } from "../../../src/daemon/config-objects.ts";
import { CONFIG_KINDS } from "../../../src/daemon/config-objects.ts";
import { decodeObject } from "../../../src/k8s-sync/decode.ts";
import type { RawObject } from "../../../src/k8s-sync/model.ts";
import { node, resource, service, skipBgp } from "../../support/kubernetes-objects.ts";
import { SMALL } from "../../support/legacy-configs.ts";

const POOL = resource("lan", { addresses: ["10.0.0.0/28"] });
const WEB = service("shop/web", { ips: ["10.0.0.1"] });
const PEER = { myASN: 64_600, peerASN: 64_601, peerAddress: "10.9.0.1" };
const OPTIONAL: readonly ConfigKind[] = CONFIG_KINDS.filter(
  (kind) => kind !== "pool" && kind !== "advertisement",
);

/** Services, Nodes and endpoints are listed. */
function view(onChange: (change: { config: boolean }) => void = () => {}): ClusterView {
  const cluster = new ClusterView({ onChange, defer: (run) => run() });
  cluster.serviceSink().replace([WEB]);
  cluster
    .nodeSink()
    .replace([node("n1", { labels: { rack: "a" } }), node("n2", { labels: { rack: "b" } })]);
  cluster.skipEndpoints();
  return cluster;
}

function listAll(cluster: ClusterView, except: readonly ConfigKind[] = []): void {
  for (const kind of CONFIG_KINDS) {
    if (!except.includes(kind)) cluster.configSink(kind).replace(kind === "pool" ? [POOL] : []);
  }
}

const wheres = (cluster: ClusterView) => cluster.configProblems.map(({ where }) => where);

for (const kind of CONFIG_KINDS) {
  test(`ClusterView waits until the ${kind} list is read, or known not to be there`, () => {
    const cluster = view();
    listAll(cluster, [kind]);
    assert.equal(cluster.isSynced, false);
    cluster.skipConfig(kind);
    assert.equal(cluster.isSynced, OPTIONAL.includes(kind));
    cluster.configSink(kind).replace(kind === "pool" ? [POOL] : []);
    assert.equal(cluster.isSynced, true);
  });
}

test("ClusterView: a kind that is skipped after it was read keeps its objects", () => {
  const cluster = view();
  listAll(cluster);
  cluster.configSink("bgp-peer").replace([resource("tor", PEER)]);
  cluster.skipConfig("bgp-peer");
  assert.deepEqual(
    cluster.config.bgp.peers.map(({ name }) => name),
    ["tor"],
  );
});

test("ClusterView: a bad object of any kind keeps all that was valid, and is told", () => {
  const bad = {
    pool: { addresses: ["x"] },
    advertisement: { interfaces: [""] },
    "bgp-peer": { ...PEER, myASN: 0 },
    "bgp-advertisement": { localPref: -1 },
    "bfd-profile": { minimumTtl: 0 },
    community: { communities: [{ name: "a", value: "b" }] },
  };
  const cluster = view();
  listAll(cluster);
  for (const kind of Object.keys(bad) as (keyof typeof bad)[]) {
    const before = cluster.config;
    cluster.configSink(kind).upsert(resource("bad", bad[kind]));
    assert.equal(cluster.configProblems.length, 1, kind);
    assert.match(wheres(cluster)[0] ?? "", /^(\w+) "bad" spec\./);
    cluster.configSink("pool").upsert(resource("late", { addresses: ["10.1.0.0/28"] }));
    assert.equal(cluster.config, before, "nothing of the whole is taken");
    cluster.configSink("pool").remove(resource("late"));
    cluster.configSink(kind).remove(resource("bad"));
    assert.deepEqual(cluster.configProblems, []);
  }
});

test("ClusterView: what is wrong with objects of all kinds is told at once", () => {
  const cluster = view();
  listAll(cluster);
  cluster.configSink("pool").upsert(resource("bad", { addresses: ["x", "y"] }));
  cluster.configSink("bgp-peer").upsert(resource("tor", { ...PEER, bfdProfile: "gone" }));
  cluster.configSink("bfd-profile").upsert(resource("slow", { detectMultiplier: 1 }));
  assert.deepEqual(wheres(cluster), [
    'IPAddressPool "bad" spec.addresses[0]',
    'IPAddressPool "bad" spec.addresses[1]',
    'BFDProfile "slow" spec.detectMultiplier',
    'BGPPeer "tor" spec.bfdProfile',
  ]);
});

test("ClusterView: a node's label that lets two peers meet makes the whole invalid", () => {
  const changes: boolean[] = [];
  const cluster = view(({ config }) => changes.push(config));
  listAll(cluster);
  const onRack = (rack: string) => ({ ...PEER, nodeSelectors: [{ matchLabels: { rack } }] });
  cluster.configSink("bgp-peer").replace([resource("p", onRack("a")), resource("q", onRack("c"))]);
  assert.deepEqual(wheres(cluster), []);
  cluster.configSink("bgp-peer").upsert(resource("q", onRack("a")));
  assert.deepEqual(wheres(cluster), ['BGPPeer "q" spec.peerAddress']);
  cluster.nodeSink().upsert(node("n1", { labels: { rack: "z" } }));
  assert.deepEqual(wheres(cluster), [], "they meet nowhere now");
  cluster.nodeSink().upsert(node("n2", { labels: { rack: "a" } }));
  assert.deepEqual(wheres(cluster), ['BGPPeer "q" spec.peerAddress']);
  assert.equal(changes.at(-1), true, "it is told as a change of the configuration");
  cluster.configSink("bgp-peer").remove(resource("q"));
  cluster.nodeSink().upsert(node("n1", { labels: { rack: "a" } }));
  assert.equal(changes.at(-1), false, "with one peer, labels decide nothing");
});

function configMap(config: string): RawObject {
  const object = decodeObject({
    metadata: { name: "config", namespace: "metallb-system" },
    data: { config },
  });
  assert.ok(object !== null);
  return object;
}

test("ClusterView takes the old ConfigMap in place of resources, and follows it", () => {
  const cluster = view();
  listAll(cluster);
  const sink = cluster.configSink("config-map");
  cluster.configSink("pool").replace([]);
  sink.upsert(configMap(SMALL));
  assert.deepEqual(
    cluster.config.pools.map(({ name }) => name),
    ["default"],
  );
  assert.deepEqual(cluster.config.advertisements[0]?.pools, ["default"]);
  sink.upsert(configMap("address-pools: [{}]"));
  assert.match(wheres(cluster)[0] ?? "", /^ConfigMap "metallb-system\/config" config\.address/);
  assert.deepEqual([cluster.isConfigCurrent, cluster.config.pools.length], [false, 1]);
  sink.upsert(configMap(SMALL));
  cluster.configSink("pool").upsert(POOL);
  assert.match(cluster.configProblems[0]?.found ?? "", /pool "default" that the custom resources/);
  sink.remove(configMap(SMALL));
  assert.deepEqual(
    [cluster.isConfigCurrent, cluster.config.pools.map(({ name }) => name)],
    [true, ["lan"]],
  );
});

test("ClusterView takes no address away while pools may be in a ConfigMap it cannot read", () => {
  const cluster = view();
  listAll(cluster, ["config-map"]);
  cluster.configSink("pool").replace([]);
  cluster.skipConfig("config-map");
  assert.deepEqual([cluster.isSynced, cluster.isConfigCurrent], [false, false]);
  cluster.configSink("pool").replace([POOL]);
  assert.deepEqual([cluster.isSynced, cluster.isConfigCurrent], [true, true]);
  cluster.configSink("pool").remove(POOL);
  assert.deepEqual([cluster.config.pools.length, cluster.isConfigCurrent], [1, false]);
  cluster.configSink("config-map").replace([]);
  assert.deepEqual([cluster.config.pools.length, cluster.isConfigCurrent], [0, true]);
});

test("a status of a pool that is written changes nothing, and a label of it does", () => {
  const changes: ClusterChange[] = [];
  const cluster = new ClusterView({
    onChange: (change) => void changes.push(change),
    defer: (run) => run(),
  });
  const sink = cluster.configSink("pool");
  const lan = resource("lan", { addresses: ["10.0.0.0/24"] });
  cluster.serviceSink().replace([]);
  cluster.nodeSink().replace([]);
  sink.replace([lan]);
  cluster.configSink("advertisement").replace([]);
  skipBgp(cluster);
  cluster.skipEndpoints();
  changes.splice(0);
  sink.upsert({ ...lan, apiVersion: "metallb.io/v1beta1", status: { assignedIPv4: 1 } });
  assert.deepEqual(changes, []);
  assert.deepEqual(cluster.configObjects.pool.get("lan")?.status, { assignedIPv4: 1 });
  sink.upsert({ ...lan, metadata: { ...lan.metadata, labels: { tier: "edge" } } });
  assert.deepEqual(
    changes.map(({ config }) => config),
    [true],
  );
});
