// Tests of interfaces that an L2Advertisement names and this node lacks: when they are listed, and
// when, and how often, the Services that depend on them are told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MissingInterfaces } from "../../../src/daemon/missing-interfaces.ts";
import { EXCLUDE_LABEL } from "../../../src/daemon/placements.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import type { ClusterObjects } from "../../support/kubernetes-objects.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";

/** Two Services share an address of pool "lan", one has an address of pool "dmz". */
const OBJECTS: ClusterObjects = {
  nodes: [node("n1"), node("n2")],
  pools: [
    resource("lan", { addresses: ["10.0.0.0/28"] }),
    resource("dmz", { addresses: ["10.1.0.0/28"] }),
  ],
  services: [
    service("shop/web", { ips: ["10.0.0.1"] }),
    service("shop/api", { ips: ["10.0.0.1"] }),
    service("shop/dmz", { ips: ["10.1.0.1"] }),
  ],
};

function advertised(spec: Readonly<Record<string, unknown>>, more: ClusterObjects = {}) {
  return clusterOf({ ...OBJECTS, advertisements: [resource("ad", spec)], ...more });
}

/** What is told as `service: note's interfaces`. */
function watched() {
  const told: string[] = [];
  const events = new ServiceEvents({
    node: "n1",
    record: ({ regarding, reason, type, note }) => {
      const names = [...note.matchAll(/"(\w+)"/g)].map(([, name]) => name).slice(0, -1);
      told.push(`${type} ${reason} ${regarding.namespace}/${regarding.name}: ${names.join(",")}`);
    },
  });
  const missing = new MissingInterfaces(events);
  const check = (cluster: ReturnType<typeof clusterOf>, ...present: readonly string[]) => {
    missing.check({ node: "n1", cluster, present: new Set(present) });
    return { names: missing.names(), told: told.splice(0).sort() };
  };
  return { check };
}

const warning = (key: string, names: string) => `Warning announceFailed ${key}: ${names}`;

interface Row {
  readonly name: string;
  readonly cluster: ReturnType<typeof clusterOf>;
  readonly names: readonly string[];
  readonly told: readonly string[];
}

const ETH_1_AND_2 = { interfaces: ["eth2", "eth1"] };

const ROWS: readonly Row[] = [
  {
    name: "tells every Service when all that are named are missing",
    cluster: advertised(ETH_1_AND_2),
    names: ["eth1", "eth2"],
    told: [
      warning("shop/api", "eth1,eth2"),
      warning("shop/dmz", "eth1,eth2"),
      warning("shop/web", "eth1,eth2"),
    ],
  },
  {
    name: "tells the Services of the pool alone that the advertisement is about",
    cluster: advertised({ ...ETH_1_AND_2, ipAddressPools: ["dmz"] }),
    names: ["eth1", "eth2"],
    told: [warning("shop/dmz", "eth1,eth2")],
  },
  {
    name: "lists one of two that is missing, and tells nobody: the other one answers",
    cluster: advertised({ interfaces: ["eth0", "eth1"] }),
    names: ["eth1"],
    told: [],
  },
  {
    name: "has nothing to say when no interface is named",
    cluster: advertised({}),
    names: [],
    told: [],
  },
  {
    name: "has nothing to say when all are there",
    cluster: advertised({ interfaces: ["eth0"] }),
    names: [],
    told: [],
  },
  {
    name: "has nothing to say of an advertisement for other nodes",
    cluster: advertised({ ...ETH_1_AND_2, nodeSelectors: [{ matchLabels: { rack: "b" } }] }),
    names: [],
    told: [],
  },
  {
    name: "has nothing to say on a node that is excluded",
    cluster: advertised(ETH_1_AND_2, { nodes: [node("n1", { labels: { [EXCLUDE_LABEL]: "" } })] }),
    names: [],
    told: [],
  },
  {
    name: "has nothing to say on a node that the API does not know",
    cluster: advertised(ETH_1_AND_2, { nodes: [node("n2")] }),
    names: [],
    told: [],
  },
];

for (const { name, cluster, names, told } of ROWS) {
  test(`MissingInterfaces.check() ${name}`, () => {
    assert.deepEqual(watched().check(cluster, "eth0"), { names, told });
  });
}

test("MissingInterfaces.check() tells once, until something else is missing", () => {
  const { check } = watched();
  const cluster = advertised({ interfaces: ["eth1"], ipAddressPools: ["dmz"] });
  const first = { names: ["eth1"], told: [warning("shop/dmz", "eth1")] };
  assert.deepEqual(check(cluster), first);
  assert.deepEqual(check(cluster), { names: ["eth1"], told: [] });
  assert.deepEqual(check(cluster, "eth0"), { names: ["eth1"], told: [] });
  const changed = advertised({ interfaces: ["eth1", "eth2"], ipAddressPools: ["dmz"] });
  const both = { names: ["eth1", "eth2"], told: [warning("shop/dmz", "eth1,eth2")] };
  assert.deepEqual(check(changed), both);
});

test("MissingInterfaces.check() tells again of one that was there in between", () => {
  const { check } = watched();
  const cluster = advertised({ interfaces: ["eth1"], ipAddressPools: ["dmz"] });
  check(cluster);
  assert.deepEqual(check(cluster, "eth1"), { names: [], told: [] });
  assert.deepEqual(check(cluster).told, [warning("shop/dmz", "eth1")]);
});

test("MissingInterfaces.check() tells a Service that comes later, and it alone", () => {
  const { check } = watched();
  const cluster = advertised({ interfaces: ["eth1"], ipAddressPools: ["dmz"] });
  check(cluster);
  cluster.serviceSink().upsert(service("shop/new", { ips: ["10.1.0.2"] }));
  assert.deepEqual(check(cluster).told, [warning("shop/new", "eth1")]);
});
