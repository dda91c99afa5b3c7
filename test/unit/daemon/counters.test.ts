// Tests of what the parts of the daemon count as they work, for whoever reads the metrics.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Epoch } from "../../../src/core/epoch.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import { Journal } from "../../../src/daemon/journal.ts";
import { LeaseWriter } from "../../../src/daemon/lease-writer.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import { LeaseClient } from "../../../src/k8s-sync/leases.ts";
import { type ApiFailureKind, failed, success } from "../../../src/k8s-sync/outcome.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { ip, pool } from "../../support/ipam-requests.ts";
import { clusterOf, resource, service } from "../../support/kubernetes-objects.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { nothingFormer } from "./former-harness.ts";

const CLOCK = { boot: () => bootMs(0), wall: () => wallMs(0) };
const EVENTS = new ServiceEvents({ node: "n1", record: () => {} });
const VIP = ip("10.0.0.1");

test("ApiClient counts what came of its requests, and watches when they are opened", async (t) => {
  const server = await FakeApiServer.start();
  const client = new ApiClient(kubeconfigFor(server), { timeoutMs: 1_000 });
  t.after(async () => {
    await client.close();
    await server.stop();
  });
  await client.request({ method: "GET", path: "/api/v1/nodes" });
  await client.request({ method: "GET", path: "/api/v1/nodes/nobody" });
  const stop = new AbortController();
  const watch = { path: "/api/v1/nodes", query: {}, idleTimeoutMs: 1_000 };
  for await (const _ of client.watch(watch, stop.signal)) stop.abort();
  assert.deepEqual(Object.fromEntries(client.counts()), { ok: 2, "not-found": 1 });
});

test("LeaseWriter counts its writes by their outcome", async () => {
  const answers: (ApiFailureKind | null)[] = [null, "conflict", "already-exists", "timeout"];
  const request = async <T>() => {
    const kind = answers.shift();
    const lease = { kind: "Lease", metadata: { name: "a", resourceVersion: "1" }, spec: {} };
    return kind == null ? success(lease as T) : failed(kind, "no");
  };
  const writer = new LeaseWriter({ leases: new LeaseClient({ request }, "lbd"), clock: CLOCK });
  const lease = { name: "a", holderIdentity: "n1", leaseDurationSeconds: 15, leaseTransitions: 1 };
  for (const resourceVersion of [null, "1", null, "2"]) {
    await writer.write({ lease, resourceVersion, timeoutMs: 1 }, () => null);
  }
  assert.deepEqual(writer.counts(), { written: 1, conflict: 2, failed: 1 });
});

test("Journal counts what it writes down, by change and cause", (t) => {
  const store = Store.open(join(tempDir(t), "state.db"), wallMs(0));
  t.after(() => store.close());
  const log = createLogger("silent", {});
  const cluster = clusterOf({});
  const options = {
    ...{ node: "n1", clock: CLOCK, store, log, cluster, events: EVENTS },
    views: () => ({ silence: () => null }),
  };
  const journal = new Journal(options);
  const gained = { type: "gained", address: VIP, epoch: 1 as Epoch, previousOwner: null } as const;
  for (let i = 0; i < 2; i++) journal.ownChange({ ...gained, cause: "unheld" });
  journal.vipRecord({ address: VIP, owner: "n2", epoch: 2, resourceVersion: "1" });
  // The others are there, too: a counter that begins above zero shows no first time.
  const [counted, untouched] = [
    journal.counts().filter(({ count }) => count > 0),
    new Journal(options).counts(),
  ];
  assert.ok(untouched.length > 20 && untouched.every(({ count }) => count === 0));
  assert.deepEqual(counted, [
    { change: "gained", cause: "unheld", count: 2 },
    { change: "moved", cause: "observed", count: 1 },
  ]);
});

test("ClusterView counts objects taken in, and configurations refused", () => {
  const cluster = clusterOf({ pools: [resource("lan", { addresses: ["10.0.0.0/28"] })] });
  const { updates, refusals } = cluster.counts;
  cluster.serviceSink().upsert(service("a/web"));
  cluster.serviceSink().remove(service("a/web"));
  assert.deepEqual(cluster.counts, { updates: updates + 2, refusals });
  cluster.configSink("pool").upsert(resource("bad", { addresses: ["x"] }));
  assert.deepEqual(cluster.counts, { updates: updates + 3, refusals: refusals + 1 });
});

test("AllocationController counts writes that fail, and tells of pools as leader", async () => {
  const web = service("a/web");
  const outcomes = [failed("server-error", "500"), failed("conflict", "409")];
  const { promise: isOver, resolve: over } = Promise.withResolvers<void>();
  const allocation: AllocationController = new AllocationController({
    services: () => new Map([["a/web", web]]),
    patch: async () => outcomes.shift() ?? success(web),
    events: EVENTS,
    isLeader: () => true,
    wire: { use: () => "free", handedOut: () => {} },
    former: nothingFormer(),
    later: (milliseconds, run) => {
      if (milliseconds > 0) setImmediate(outcomes.length > 0 ? run : over);
    },
  });
  allocation.configure([pool("lan", ["10.0.0.0/30"])], new Map());
  assert.deepEqual(allocation.usage(), []);
  allocation.lead();
  await isOver;
  assert.equal(allocation.failedWrites, 1, "a conflict is no failure");
  const [lan] = allocation.usage();
  assert.deepEqual([lan?.pool, lan?.assignedIpv4, lan?.availableIpv4], ["lan", 1, 3]);
  allocation.follow();
  assert.deepEqual(allocation.usage(), []);
});

test("Store tells the size of its files", (t) => {
  const store = Store.open(join(tempDir(t), "state.db"), wallMs(0));
  t.after(() => store.close());
  const before = store.bytes();
  assert.ok(before > 0);
  store.saveSetting("big", new Uint8Array(100_000));
  // The write-ahead log is filled from its start again, so it grows by less.
  assert.ok(store.bytes() > Math.max(before, 100_000));
});
