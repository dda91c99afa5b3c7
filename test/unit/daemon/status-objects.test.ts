// What one daemon says of itself on an API server in memory: as the leader or not, with another
// host of its name, without its Node, and after an earlier process.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { l2StatusName } from "../../../src/daemon/service-l2-status.ts";
import { StatusObjects } from "../../../src/daemon/status-objects.ts";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import { timerSleep } from "../../../src/k8s-sync/sleep.ts";
import { eventually } from "../../lab/eventually.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";
import { whileTestRuns } from "../../support/while-test-runs.ts";

const GROUP = "/apis/metallb.io/v1beta1/namespaces/metallb-system";
const QUIET_MS = 300;
const HERE = { "app.kubernetes.io/managed-by": "lbd", "metallb.io/node": "n1" };

/** Node n1, which owns the address of shop/web and answers for it on eth0. */
async function bench(t: TestContext, options: { nodes?: readonly string[] } = {}) {
  const state = { isLeader: false, isSilenced: false, now: 0, owned: [ip("10.0.0.1")], changes: 1 };
  const server = await FakeApiServer.start();
  const client = new ApiClient(kubeconfigFor(server));
  const cluster = clusterOf({
    services: [service("shop/web", { ips: ["10.0.0.1"] })],
    nodes: (options.nodes ?? ["n1", "n2"]).map((name) => node(name)),
    pools: [resource("lan", { addresses: ["10.0.0.0/24"] })],
    advertisements: [resource("all", { interfaces: ["eth0", "eth9"] })],
  });
  const phase = { kind: "owning", interfaces: ["eth0"] };
  const statuses = new StatusObjects({
    ...{ node: "n1", namespace: "metallb-system", client, cluster },
    clock: { boot: () => bootMs(state.now), wall: () => wallMs(0) },
    random: () => 0.5,
    log: createLogger("silent", {}),
    isLeader: () => state.isLeader,
    isSilenced: () => state.isSilenced,
    machine: () => ({
      owned: () => state.owned,
      views: { state: () => ({ phase }) } as never,
    }),
    tenureChanges: () => state.changes,
    bgp: { announced: new Map() },
    record: () => {},
    sleep: (ms, signal) => timerSleep(Math.min(ms, 5), signal),
  });
  const running = (until: AbortSignal) => statuses.run(until);
  const { start, signal } = whileTestRuns(t, running, { client, server });
  const namesOf = (kind: string): string[] =>
    server.store
      .list(`metallb.io/v1beta1/${kind}`, "metallb-system")
      .map(({ metadata }) => metadata.name)
      .sort();
  const l2 = () => namesOf("servicel2statuses");
  const states = () => namesOf("configurationstates");
  const quiet = () => timerSleep(QUIET_MS, signal);
  return { state, server, start, l2, states, quiet };
}

const WEB = l2StatusName("n1", "shop/web");

test("a follower says it for itself, and the leader for the controller, too", async (t) => {
  const { state, start, states } = await bench(t);
  start();
  await eventually("its own", () => states().join() === "speaker-n1");
  state.isLeader = true;
  await eventually("both", () => states().join() === "controller,speaker-n1");
});

test("the interfaces are those that are named and answered on", async (t) => {
  const { server, start, l2 } = await bench(t);
  start();
  const read = () => server.get(`${GROUP}/servicel2statuses/${WEB}`) as { status?: object } | null;
  await eventually("the status", () => read()?.status !== undefined);
  assert.deepEqual(l2(), [WEB]);
  const status = { node: "n1", serviceName: "web", serviceNamespace: "shop" };
  assert.deepEqual(read()?.status, { ...status, interfaces: [{ name: "eth0" }] });
});

test("a VIP that this node loses takes its object with it", async (t) => {
  const { state, start, l2 } = await bench(t);
  start();
  await eventually("the object", () => l2().length === 1);
  state.now = 60_000;
  state.owned = [];
  state.changes += 1;
  await eventually("it to go", () => l2().length === 0);
});

test("what an earlier process left stays until this one has taken up what it had", async (t) => {
  const { state, server, start, l2, quiet } = await bench(t);
  server.put(`${GROUP}/servicel2statuses/old`, { metadata: { name: "old", labels: HERE } });
  start();
  await eventually("its own", () => l2().includes(WEB));
  await quiet();
  assert.deepEqual(l2(), [WEB, "old"]);
  state.now = 10_000;
  await eventually("the rest to go", () => l2().join() === WEB);
});

test("a host that is silenced by another of its name takes nothing from it", async (t) => {
  const { state, server, start, l2, states, quiet } = await bench(t);
  server.put(`${GROUP}/servicel2statuses/theirs`, { metadata: { name: "theirs", labels: HERE } });
  Object.assign(state, { isSilenced: true, now: 60_000 });
  start();
  await quiet();
  assert.deepEqual([l2(), states()], [["theirs"], []]);
});

test("a daemon whose Node is not there says nothing that could outlive it", async (t) => {
  const { start, l2, states, quiet } = await bench(t, { nodes: ["n2"] });
  start();
  await quiet();
  assert.deepEqual([l2(), states()], [[], []]);
});

test("the leader deletes what a daemon said whose Node is gone, nobody else does", async (t) => {
  const { state, server, start, states, quiet } = await bench(t);
  const labels = { "metallb.io/component-type": "speaker" };
  for (const name of ["speaker-n2", "speaker-n9"]) {
    server.put(`${GROUP}/configurationstates/${name}`, { metadata: { name, labels } });
  }
  start();
  await eventually("its own", () => states().includes("speaker-n1"));
  await quiet();
  assert.equal(states().includes("speaker-n9"), true);
  state.isLeader = true;
  await eventually("it to go", () => !states().includes("speaker-n9"));
  await quiet();
  assert.deepEqual(states(), ["controller", "speaker-n1", "speaker-n2"]);
});
