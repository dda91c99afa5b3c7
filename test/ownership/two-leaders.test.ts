// Two leaders for a moment: one stands still while it writes, its Lease passes, another one leads,
// and what the first has sent arrives only then. No address is ever of two Services.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import type { ApiClient } from "../../src/k8s-sync/client.ts";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { POOL } from "../cluster/support/daemon-cluster.ts";
import { type ProxiedCluster, proxiedClusterForSuite } from "../cluster/support/proxied-cluster.ts";
import {
  listServices,
  openApi,
  untilAllHave,
  watchForTwice,
} from "../cluster/support/service-watch.ts";
import { eventually } from "../lab/eventually.ts";

const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 200;
const MANY = 12;

describe("a leader that stands still beside its successor", () => {
  const proxied = proxiedClusterForSuite({ nodes: 2 });
  let api: ApiClient;

  before(async () => {
    api = await openApi(proxied().cluster.controlPlane);
  });
  after(() => api.close());
  afterEach(async () => {
    const c = proxied().cluster;
    proxied().setFault("");
    // The API server's own Service is not the test's to delete.
    const ours = ["-n", "default", "--field-selector=metadata.name!=kubernetes"];
    await c.controlPlane.kubectl(["delete", "services,endpointslices", ...ours]);
  });

  /** What the leader writes is on its way from now on; returns its node. */
  const holdUp = async (p: ProxiedCluster): Promise<string> => {
    const leader = await untilLeader(p.cluster);
    p.setFault(`late-statuses ${p.cluster.node(leader).address("management")}`);
    return leader;
  };

  /** Services that wait; the leader stops as soon as it has decided for some of them. */
  const stopLeader = async (p: ProxiedCluster, plan: { names: string[]; sent: number }) => {
    const { cluster: c } = p;
    const leader = await holdUp(p);
    const before = p.statusWrites("late").length;
    await c.createServices(plan.names.map((name) => ({ name })));
    const sent = await eventually(
      "writes of the leader",
      () => p.statusWrites("late").slice(before),
      {
        timeoutMs: TIMEOUT_MS,
        until: (names) => names.length >= plan.sent,
      },
    );
    await c.daemon(leader).freeze();
    const waiting = (await listServices(api)).filter(
      ({ status }) => !status?.loadBalancer?.ingress,
    );
    assert.ok(waiting.length >= plan.sent, "they wait for both leaders");
    return { leader, sent };
  };

  /** All that was held up is on its way no more; returns with what the API server answered. */
  const letArrive = async (p: ProxiedCluster): Promise<{ taken: string[]; refused: string[] }> => {
    const taken = p.statusWrites(200).length;
    p.setFault("");
    const refusals = () => [...p.statusWrites(409), ...p.statusWrites(404)];
    await eventually("all to arrive", () => p.statusWrites("late").length, {
      timeoutMs: TIMEOUT_MS,
      until: (count) => p.statusWrites(200).length + refusals().length >= count,
    });
    return { taken: p.statusWrites(200).slice(taken), refused: refusals() };
  };

  test("gives nothing twice, whatever of it arrives", async () => {
    const p = proxied();
    const { cluster: c } = p;
    await c.controlPlane.apply(POOL.replace("192.168.100.59", "192.168.100.99"));
    const watching = new AbortController();
    const twice = watchForTwice(api, watching.signal);
    const names = Array.from({ length: MANY }, (_, i) => `early-${i}`);
    const { leader, sent } = await stopLeader(p, { names, sent: 2 });
    // From here on the two leaders count otherwise: what the first gives to one goes to another.
    const [gone = ""] = sent;
    await c.deleteService(gone);
    await untilLeader(c, (node) => node !== leader);
    const left = names.filter((name) => name !== gone);
    await untilAllHave(api, left);
    const had = await addresses(api);
    const { taken, refused } = await letArrive(p);
    assert.deepEqual(taken, [], "what a former leader sent is refused");
    assert.ok(refused.length >= sent.length);
    const late = c.createServices([{ name: "late-1" }, { name: "late-2" }]);
    c.daemon(leader).thaw();
    await late;
    await untilAllHave(api, ["late-1", "late-2"]);
    watching.abort();
    assert.deepEqual(await twice, []);
    const has = await addresses(api);
    for (const name of left) assert.equal(has.get(name), had.get(name), name);
  });

  test("gives nothing twice where its successor leaves a Service waiting", async () => {
    const p = proxied();
    const { cluster: c } = p;
    await c.controlPlane.apply(POOL.replace("192.168.100.59", "192.168.100.51"));
    const watching = new AbortController();
    const twice = watchForTwice(api, watching.signal);
    const { leader } = await stopLeader(p, { names: ["one", "two"], sent: 2 });
    // One address is left: the successor has nothing to write to one of the two.
    await c.controlPlane.apply(POOL.replace("50-192.168.100.59", "51-192.168.100.51"));
    await untilLeader(c, (node) => node !== leader);
    await untilAllHave(api, ["one"]);
    await c.untilEvent("two", "AllocationFailed");
    const { taken } = await letArrive(p);
    c.daemon(leader).thaw();
    await c.controlPlane.apply(POOL.replace("50-192.168.100.59", "51-192.168.100.52"));
    await untilAllHave(api, ["one", "two"]);
    watching.abort();
    assert.deepEqual([taken, await twice], [[], []]);
  });
});

async function addresses(api: ApiClient): Promise<ReadonlyMap<string, string>> {
  const services = await listServices(api);
  return new Map(
    services.map(({ metadata, status }) => [
      metadata.name,
      (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(),
    ]),
  );
}

/** The node that holds the leader's Lease, once it is one that `accepts`. */
async function untilLeader(
  c: DaemonCluster,
  accepts: (node: string) => boolean = () => true,
): Promise<string> {
  const argv = ["get", "lease", "lbd-controller", "-n", "lbd-system", "-o"];
  const read = async (): Promise<string> => {
    const { stdout } = await c.controlPlane.tryKubectl([
      ...argv,
      "jsonpath={.spec.holderIdentity}",
    ]);
    return c.lab.nodes.find(({ name }) => stdout.startsWith(`${name}_`))?.name ?? "";
  };
  return eventually("a leader", read, {
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    until: (node) => node !== "" && accepts(node),
  });
}
