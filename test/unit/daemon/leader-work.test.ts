// Tests of what a node does as the leader: it reads the Services before it gives anything away,
// tries that again for as long as it leads, and stops allocating when it does not.

import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { prefixOf } from "../../../src/core/address.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import { LeaderWork } from "../../../src/daemon/leader-work.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import type { Outcome } from "../../../src/k8s-sync/outcome.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";

const OBJECTS = {
  nodes: [node("n1", { addresses: ["10.0.0.2"] })],
  pools: [resource("lan", { addresses: ["10.0.0.0/29"] })],
  services: [service("shop/old", { ips: ["10.0.0.1"] })],
};

const listOf = (...names: readonly string[]): Outcome<unknown> =>
  success({
    metadata: { resourceVersion: "9" },
    items: names.map((name) => ({
      metadata: { name, namespace: "shop", resourceVersion: "8" },
      spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"] },
    })),
  });

/** A leader whose API answers what the test says, one answer a request. */
function leader(t: TestContext, objects: Parameters<typeof clusterOf>[0] = OBJECTS) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  const cluster = clusterOf(objects);
  const asked: string[] = [];
  const patched: string[] = [];
  const answers: ((outcome: Outcome<unknown>) => void)[] = [];
  const state = { isLeading: true };
  const allocation = new AllocationController({
    services: () => cluster.services,
    patch: (one, { ingress }) => {
      patched.push(`${one.metadata.name} ${ingress.map((entry) => entry.ip).join(",")}`);
      return new Promise(() => {});
    },
    events: new ServiceEvents({ node: "n1", record: () => {} }),
    isLeader: () => state.isLeading,
    later: () => {},
  });
  const own = ip("10.0.0.3");
  const nic = { index: 2, name: "eth0", mac: null, hasCarrier: true, canAnswer: true };
  const work = new LeaderWork({
    client: {
      server: "https://10.0.0.4:6443",
      request: ({ path }) => {
        asked.push(path);
        return new Promise((resolve) => {
          answers.push(resolve as (outcome: Outcome<unknown>) => void);
        });
      },
    },
    cluster,
    allocation,
    interfaces: () => [
      { ...nic, addresses: [{ ip: own, prefix: prefixOf(own, 29) }], gateway: null },
    ],
    isLeading: () => state.isLeading,
    log: createLogger("silent", {}),
  });
  /** The API answers the request that waits. */
  const answer = async (outcome: Outcome<unknown>): Promise<void> => {
    answers.shift()?.(outcome);
    await turn();
    await turn();
  };
  return { work, cluster, asked, patched, answer, state, tick: t.mock.timers };
}

test("configure() of a node that does not lead gives nothing away", (t) => {
  const { work, cluster, patched, state } = leader(t);
  state.isLeading = false;
  cluster.serviceSink().upsert(service("shop/new"));
  work.configure();
  assert.deepEqual(patched, []);
  const { all, ofHosts } = work.reserved;
  assert.deepEqual([...ofHosts.keys()].sort(), ["10.0.0.2", "10.0.0.3", "10.0.0.4"]);
  assert.equal(all.get(ip("10.0.0.4")), "the address of the API server");
  assert.equal(all.get(ip("10.0.0.0")), "the network address of 10.0.0.0/29");
});

test("onLeading() gives nothing away before the Services were read from the API", async (t) => {
  const { work, cluster, asked, patched, answer } = leader(t);
  work.onLeading(true);
  assert.deepEqual([asked, patched], [["/api/v1/services"], []]);
  await answer(listOf("new"));
  assert.deepEqual([...cluster.services.keys()], ["shop/new"], "what a watch showed is replaced");
  assert.deepEqual(patched, ["new 10.0.0.1"], "which nobody has any more");
});

test("onLeading() asks again every second while the API fails, and for no longer", async (t) => {
  const { work, asked, patched, answer, tick } = leader(t);
  work.onLeading(true);
  for (const count of [1, 2, 3]) {
    assert.equal(asked.length, count);
    await answer(failed("timeout", "late"));
    tick.tick(999);
    await turn();
    assert.equal(asked.length, count, "not sooner");
    tick.tick(1);
    await turn();
  }
  await answer(listOf("new"));
  assert.equal(patched.length, 1);
  tick.tick(10_000);
  await turn();
  assert.equal(asked.length, 4);
});

test("onLeading() of a leader that is one no more stops asking", async (t) => {
  const { work, asked, answer, state, tick } = leader(t);
  work.onLeading(true);
  await answer(failed("timeout", "late"));
  state.isLeading = false;
  work.onLeading(false);
  tick.tick(10_000);
  await turn();
  assert.equal(asked.length, 1);
});

test("an answer that comes after the leadership has gone gives nothing away", async (t) => {
  const { work, patched, answer, state } = leader(t);
  work.onLeading(true);
  state.isLeading = false;
  work.onLeading(false);
  await answer(listOf("new"));
  assert.deepEqual(patched, []);
});

test("onLeading() before there is a valid configuration waits for one", async (t) => {
  const { work, cluster, patched, answer } = leader(t, { ...OBJECTS, pools: [resource("x", {})] });
  work.onLeading(true);
  await answer(listOf("new"));
  assert.deepEqual([cluster.isSynced, patched], [false, []]);
  cluster.poolSink().replace(OBJECTS.pools);
  work.configure();
  assert.deepEqual(patched, ["new 10.0.0.1"]);
});
