// Tests of what a node does as the leader: the Services are listed anew before it gives anything
// away, and it stops allocating when it does not lead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { prefixOf } from "../../../src/core/address.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import { LeaderWork } from "../../../src/daemon/leader-work.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { Namespaces } from "../../../src/daemon/namespaces.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import { ip } from "../../support/ipam-requests.ts";
import {
  clusterOf,
  node,
  resource,
  service,
  withLabels,
} from "../../support/kubernetes-objects.ts";
import { nothingFormer } from "./former-harness.ts";

const OBJECTS = {
  nodes: [node("n1", { addresses: ["10.0.0.2"] })],
  pools: [resource("lan", { addresses: ["10.0.0.0/29"] })],
  services: [service("shop/old", { ips: ["10.0.0.1"] })],
};

/** A leader for which the Services are listed when the test says so. */
function leader(objects: Parameters<typeof clusterOf>[0] = OBJECTS) {
  const cluster = clusterOf(objects);
  const patched: string[] = [];
  const lists: (() => void)[] = [];
  const state = { isLeading: true, fenced: null as Promise<void> | null, fences: 0 };
  const allocation = new AllocationController({
    services: () => cluster.services,
    patch: (one, { ingress }) => {
      patched.push(`${one.metadata.name} ${ingress.map((entry) => entry.ip).join(",")}`);
      return new Promise(() => {});
    },
    events: new ServiceEvents({ node: "n1", record: () => {} }),
    isLeader: () => state.isLeading,
    later: () => {},
    wire: { use: () => "free", handedOut: () => {} },
    former: nothingFormer(),
  });
  const namespaces = new Namespaces(() => work.configure());
  const own = ip("10.0.0.3");
  const nic = { index: 2, name: "eth0", mac: null, hasCarrier: true, canAnswer: true };
  const work = new LeaderWork({
    server: () => "https://10.0.0.4:6443",
    relistServices: () => new Promise((resolve) => void lists.push(resolve)),
    fence: async () => {
      state.fences += 1;
      if (state.fenced === null) return "not-needed";
      await state.fenced;
      return "written";
    },
    cluster,
    namespaces,
    allocation,
    interfaces: () => [
      { ...nic, addresses: [{ ip: own, prefix: prefixOf(own, 29) }], gateway: null },
    ],
    isLeading: () => state.isLeading,
    log: createLogger("silent", {}),
  });
  /** The list that was asked for has these. */
  const list = async (...names: readonly string[]): Promise<void> => {
    cluster.serviceSink().replace(names.map((name) => service(`shop/${name}`)));
    for (const resolve of lists.splice(0)) resolve();
    await turn();
    await turn();
  };
  return { work, cluster, namespaces, lists, patched, list, state };
}

test("configure() of a node that does not lead gives nothing away", () => {
  const { work, cluster, patched, state } = leader();
  state.isLeading = false;
  cluster.serviceSink().upsert(service("shop/new"));
  work.configure();
  assert.deepEqual(patched, []);
  const { all, ofHosts } = work.reserved;
  assert.deepEqual([...ofHosts.keys()].sort(), ["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  assert.equal(all.get(ip("10.0.0.4")), "the address of the API server");
  assert.equal(all.get(ip("10.0.0.0")), "the network address of 10.0.0.0/29");
});

test("onLeading() gives nothing away before the Services were read from the API", async () => {
  const { work, cluster, lists, patched, list } = leader();
  work.onLeading(true);
  assert.deepEqual([lists.length, patched], [1, []]);
  await list("new");
  assert.deepEqual([...cluster.services.keys()], ["shop/new"], "what a watch showed is replaced");
  assert.deepEqual(patched, ["new 10.0.0.1"], "which nobody has any more");
});

test("after a leader that did not give up nothing is given away before the fence", async () => {
  const { work, cluster, lists, patched, list, state } = leader();
  const fencing = Promise.withResolvers<void>();
  state.fenced = fencing.promise;
  work.onLeading(true);
  await list("new");
  assert.deepEqual([state.fences, patched], [1, []]);
  work.configure();
  assert.deepEqual(patched, [], "nor for a change of the configuration");
  fencing.resolve();
  await turn();
  assert.deepEqual([lists.length, patched], [1, []], "what arrived before is read first");
  cluster.serviceSink().replace([service("shop/late", { ips: ["10.0.0.1"] })]);
  cluster.serviceSink().upsert(service("shop/new"));
  for (const resolve of lists.splice(0)) resolve();
  await turn();
  await turn();
  assert.equal(patched.at(-1), "new 10.0.0.5");
});

test("a fence of before the leadership was lost counts for nothing", async () => {
  const { work, lists, patched, list, state } = leader();
  const fencing = Promise.withResolvers<void>();
  state.fenced = fencing.promise;
  work.onLeading(true);
  await list("new");
  work.onLeading(false);
  work.onLeading(true);
  fencing.resolve();
  await turn();
  await turn();
  assert.deepEqual([lists.length, patched], [2, []]);
});

test("a change of anything gives nothing away before the Services were read", async () => {
  const { work, cluster, patched, list } = leader();
  work.onLeading(true);
  cluster.nodeSink().upsert(node("n2"));
  cluster.serviceSink().upsert(service("shop/new"));
  work.configure();
  assert.deepEqual(patched, []);
  await list("new");
  assert.deepEqual(patched, ["new 10.0.0.1"]);
});

test("a list from before the leadership was lost and won again does not count", async () => {
  const { work, cluster, lists, patched, list } = leader();
  work.onLeading(true);
  const [before] = lists.splice(0);
  work.onLeading(false);
  work.onLeading(true);
  cluster.serviceSink().upsert(service("shop/new"));
  before?.();
  await turn();
  await turn();
  assert.deepEqual(patched, []);
  await list("new");
  assert.deepEqual(patched, ["new 10.0.0.1"]);
});

test("an answer that comes after the leadership has gone gives nothing away", async () => {
  const { work, patched, list, state } = leader();
  work.onLeading(true);
  state.isLeading = false;
  work.onLeading(false);
  await list("new");
  assert.deepEqual(patched, []);
});

test("onLeading() before there is a valid configuration waits for one", async () => {
  const { work, cluster, patched, list } = leader({ ...OBJECTS, pools: [resource("x", {})] });
  work.onLeading(true);
  await list("new");
  assert.deepEqual([cluster.isSynced, patched], [false, []]);
  cluster.configSink("pool").replace(OBJECTS.pools);
  work.configure();
  assert.deepEqual(patched, ["new 10.0.0.1"]);
});

const TENANTS = resource("lan", {
  addresses: ["10.0.0.0/29"],
  serviceAllocation: { namespaceSelectors: [{ matchLabels: { team: "red" } }] },
});

test("configure() with a pool for some namespaces waits for their list", async () => {
  const serviceAllocation = {
    namespaces: ["other"],
    namespaceSelectors: [{ matchLabels: { team: "red" } }],
  };
  const pools = [resource("lan", { addresses: ["10.0.0.0/29"], serviceAllocation })];
  const { work, cluster, namespaces, patched, list } = leader({ ...OBJECTS, pools });
  work.onLeading(true);
  await list();
  cluster.serviceSink().upsert(service("shop/old", { ips: ["10.0.0.1"] }));
  work.configure();
  assert.deepEqual(patched, [], "nor is anything taken away");
  namespaces.sink().replace([withLabels("shop", { team: "red" })]);
  assert.deepEqual(patched, ["old 10.0.0.1"]);
});

test("configure() goes on without namespaces where no pool selects them", async () => {
  const { work, patched, list } = leader();
  work.onLeading(true);
  await list("new");
  assert.deepEqual(patched, ["new 10.0.0.1"]);
});

test("a namespace that gets the label of a pool gets its addresses", async () => {
  const { work, cluster, namespaces, patched, list } = leader({ ...OBJECTS, pools: [TENANTS] });
  namespaces.sink().replace([withLabels("shop", { team: "red" }), withLabels("den")]);
  work.onLeading(true);
  await list("new");
  assert.deepEqual(patched.splice(0), ["new 10.0.0.1"]);
  cluster.serviceSink().upsert(service("den/other"));
  work.configure();
  assert.deepEqual(patched, [], "no pool is for it");
  namespaces.sink().upsert(withLabels("den", { team: "red" }));
  assert.deepEqual(patched, ["other 10.0.0.5"]);
});
