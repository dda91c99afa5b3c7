// Tests of what a node remembers of the cluster: what is saved in the real Store is what a later
// daemon loads; damaged rows are left out, and what was never valid is not remembered.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import Database from "better-sqlite3";
import { wallMs } from "../../../src/core/time.ts";
import type { ClusterMemory } from "../../../src/daemon/cluster-view.ts";
import { ClusterView } from "../../../src/daemon/cluster-view.ts";
import { CONFIG_KINDS, noConfigObjects } from "../../../src/daemon/config-objects.ts";
import { Snapshots } from "../../../src/daemon/snapshots.ts";
import { decodeObject, decodeService } from "../../../src/k8s-sync/decode.ts";
import type { SnapshotKind } from "../../../src/store/store.ts";
import { Store } from "../../../src/store/store.ts";
import { node, resource, service, skipBgp } from "../../support/kubernetes-objects.ts";
import { SMALL } from "../../support/legacy-configs.ts";
import { tempDir } from "../../support/temp-dir.ts";

const CLOCK = { wall: () => wallMs(0) };
const POOL = resource("lan", { addresses: ["10.0.0.0/28", "2001:db8::/120"], autoAssign: false });
const ADVERTISEMENT = resource("all", { ipAddressPools: ["lan"] });
const FROM_LAN = { "metallb.io/ip-allocated-from-pool": "lan" };
const WEB = service("shop/web", { ips: ["10.0.0.1", "2001:db8::1"], annotations: FROM_LAN });
const API = service("shop/api", { ips: ["10.0.0.2"] });

const FULL_SERVICE = decodeService({
  metadata: {
    name: "full",
    namespace: "shop",
    uid: "u",
    resourceVersion: "9",
    labels: { tier: "front" },
    annotations: FROM_LAN,
    deletionTimestamp: "2026-01-02T03:04:05Z",
  },
  spec: {
    type: "LoadBalancer",
    clusterIPs: ["10.96.0.9", "fd00::9"],
    ipFamilies: ["IPv4", "IPv6"],
    ipFamilyPolicy: "PreferDualStack",
    loadBalancerIP: "10.0.0.9",
    externalTrafficPolicy: "Local",
    ports: [
      { port: 80, name: "http" },
      { port: 53, protocol: "UDP" },
    ],
    selector: { app: "web" },
  },
  status: { loadBalancer: { ingress: [{ ip: "10.0.0.9", ipMode: "VIP" }, { hostname: "x" }] } },
});

const FULL_NODE = node("n1", {
  labels: { rack: "a" },
  taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }],
  conditions: [{ type: "Ready", status: "False" }],
  addresses: ["192.168.0.1"],
  unschedulable: true,
});

interface Life {
  readonly cluster: ClusterView;
  readonly store: Store;
  /** What the next daemon on this host loads. */
  readonly next: () => ClusterMemory | null;
  /** Writes this in the place of an object, while no daemon runs. */
  readonly damage: (kind: SnapshotKind, key: string, object: string) => void;
}

/** A daemon whose view is saved at every change. */
function daemon(t: TestContext): Life {
  const path = join(tempDir(t), "state.db");
  let store = Store.open(path, wallMs(0));
  t.after(() => store.close());
  const cluster = new ClusterView({
    onChange: (change) => new Snapshots(store, cluster, CLOCK).save(change),
    defer: (run) => run(),
  });
  const unused = new ClusterView({ onChange: () => {}, defer: () => {} });
  const damage = (kind: SnapshotKind, key: string, object: string): void => {
    store.close();
    const database = new Database(path);
    const update = "UPDATE snapshot SET object = ? WHERE kind = ? AND key = ?";
    assert.equal(database.prepare(update).run(object, kind, key).changes, 1);
    database.close();
    store = Store.open(path, wallMs(0));
  };
  return { cluster, store, next: () => new Snapshots(store, unused, CLOCK).load(), damage };
}

function list(cluster: ClusterView, services = [WEB, API]): void {
  cluster.skipEndpoints();
  skipBgp(cluster);
  cluster.configSink("advertisement").replace([ADVERTISEMENT]);
  cluster.nodeSink().replace([FULL_NODE, node("n2")]);
  cluster.serviceSink().replace(services);
  cluster.configSink("pool").replace([POOL]);
}

test("load() from a store that never saw the cluster is null", (t) => {
  assert.equal(daemon(t).next(), null);
});

test("load() is null for a daemon that was killed before it had listed everything", (t) => {
  const { cluster, next } = daemon(t);
  cluster.serviceSink().replace([WEB]);
  cluster.configSink("pool").replace([POOL]);
  assert.equal(next(), null);
});

test("load() gives what was saved, field by field", (t) => {
  const { cluster, next } = daemon(t);
  const full = FULL_SERVICE ?? assert.fail("it has a name");
  list(cluster, [WEB, full]);
  assert.deepEqual(next(), {
    services: new Map([
      ["shop/full", full],
      ["shop/web", WEB],
    ]),
    nodes: new Map([
      ["n1", FULL_NODE],
      ["n2", node("n2")],
    ]),
    config: {
      ...noConfigObjects(),
      pool: new Map([["lan", POOL]]),
      advertisement: new Map([["all", ADVERTISEMENT]]),
    },
  });
});

test("load() after a restore gives a view that answers for the same addresses", (t) => {
  const { cluster, next } = daemon(t);
  list(cluster);
  const later = new ClusterView({ onChange: () => {}, defer: (run) => run() });
  later.restore(next() ?? assert.fail("nothing is remembered"));
  assert.deepEqual(later.addresses().sort(), cluster.addresses().sort());
  const vips = (view: ClusterView) =>
    view.takeVips().changed.sort((a, b) => (a.address < b.address ? -1 : 1));
  const before = vips(cluster);
  assert.equal(before.length, 3);
  assert.deepEqual(vips(later), before);
});

test("save() keeps up: Services that change and go, Nodes and pools that go", (t) => {
  const { cluster, next } = daemon(t);
  list(cluster);
  const moved = service("shop/web", { ips: ["10.0.0.7"] });
  cluster.serviceSink().upsert(moved);
  cluster.serviceSink().remove(API);
  cluster.nodeSink().remove(node("n2"));
  cluster.configSink("pool").upsert(resource("spare", { addresses: ["10.1.0.0/24"] }));
  cluster.configSink("advertisement").remove(ADVERTISEMENT);
  const memory = next();
  assert.deepEqual(memory?.services, new Map([["shop/web", moved]]));
  assert.deepEqual([...(memory?.nodes.keys() ?? [])], ["n1"]);
  assert.deepEqual([...(memory?.config.pool.keys() ?? [])], ["lan", "spare"]);
  assert.deepEqual(memory?.config.advertisement, new Map());
});

test("save() remembers every kind of object that the cluster is configured with", (t) => {
  const { cluster, next } = daemon(t);
  list(cluster);
  const specs = {
    "bgp-peer": { myASN: 1, peerASN: 2, peerAddress: "10.0.0.254", bfdProfile: "fast" },
    "bgp-advertisement": { communities: ["quiet"] },
    "bfd-profile": {},
    community: { communities: [{ name: "quiet", value: "1:2" }] },
  } as const;
  for (const [kind, spec] of Object.entries(specs)) {
    const name = kind === "bfd-profile" ? "fast" : "it";
    cluster.configSink(kind as keyof typeof specs).replace([resource(name, spec)]);
  }
  assert.deepEqual(cluster.configProblems, []);
  assert.deepEqual(next()?.config, cluster.configObjects);
  const kinds = CONFIG_KINDS.filter((kind) => next()?.config[kind].size === 1);
  assert.deepEqual(kinds, CONFIG_KINDS.slice(0, -1));
  for (const kind of kinds) cluster.configSink(kind).replace([]);
  const config = decodeObject({ metadata: { name: "config" }, data: { config: SMALL } });
  cluster.configSink("config-map").replace(config === null ? [] : [config]);
  assert.deepEqual([...(next()?.config["config-map"].values() ?? [])], [config]);
});

test("save() writes down who has which address, and of which pool", (t) => {
  const { cluster, store } = daemon(t);
  list(cluster);
  assert.deepEqual(store.allocations(), [
    { address: "10.0.0.1", service: "shop/web", pool: "lan" },
    { address: "10.0.0.2", service: "shop/api", pool: "" },
    { address: "2001:db8::1", service: "shop/web", pool: "lan" },
  ]);
  cluster.serviceSink().remove(WEB);
  assert.deepEqual(store.allocations(), [{ address: "10.0.0.2", service: "shop/api", pool: "" }]);
});

test("a configuration that is not valid is not remembered: the last valid one is", (t) => {
  const { cluster, next } = daemon(t);
  list(cluster);
  cluster.configSink("pool").upsert(resource("bad", { addresses: ["10.0.0.300"] }));
  cluster.serviceSink().upsert(service("shop/new", { ips: ["10.0.0.8"] }));
  const memory = next();
  assert.deepEqual([...(memory?.config.pool.keys() ?? [])], ["lan"]);
  assert.equal(memory?.services.has("shop/new"), true, "what else changes is remembered");
  cluster.configSink("pool").remove(resource("bad"));
  cluster.configSink("pool").upsert(resource("good", { addresses: ["10.1.0.0/24"] }));
  assert.deepEqual([...(next()?.config.pool.keys() ?? [])], ["good", "lan"]);
});

const DAMAGE: readonly (readonly [name: string, object: string])[] = [
  ["is cut off", '{"metadata":{"na'],
  ["is no object", "7"],
  ["is empty", ""],
  ["has no name", '{"metadata":{}}'],
];

for (const [name, object] of DAMAGE) {
  test(`load() leaves out a row that ${name}, and has the rest`, (t) => {
    const { cluster, next, damage } = daemon(t);
    list(cluster);
    damage("service", "shop/web", object);
    damage("node", "n1", object);
    damage("advertisement", "all", object);
    const memory = next();
    assert.deepEqual(memory?.services, new Map([["shop/api", API]]));
    assert.deepEqual([...(memory?.nodes.keys() ?? [])], ["n2"]);
    assert.deepEqual(memory?.config.advertisement, new Map());
    damage("pool", "lan", object);
    assert.equal(next(), null, "without any pool nothing could be answered for");
  });
}

test("load() survives a field of another type: the object counts without it", (t) => {
  const { cluster, next, damage } = daemon(t);
  list(cluster);
  const object = { metadata: { name: "web", namespace: "shop" }, status: 7 };
  damage("service", "shop/web", JSON.stringify(object));
  assert.deepEqual(next()?.services.get("shop/web")?.status, { ingress: [] });
});
