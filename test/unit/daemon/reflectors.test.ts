// Tests of what the daemon does without: resources that the API does not have or does not show.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { ClusterView } from "../../../src/daemon/cluster-view.ts";
import { Namespaces } from "../../../src/daemon/namespaces.ts";
import { Reflectors } from "../../../src/daemon/reflectors.ts";
import type { ApiRequest, ApiWatches } from "../../../src/k8s-sync/client.ts";
import type { ApiFailureKind, Outcome } from "../../../src/k8s-sync/outcome.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";
import type { WatchMessage } from "../../../src/k8s-sync/watch.ts";

/** Every list is empty, but for those of resources that fail; watches say nothing. */
class Server implements ApiWatches {
  readonly paths: string[] = [];
  readonly #failing: Readonly<Record<string, ApiFailureKind>>;

  constructor(failing: Readonly<Record<string, ApiFailureKind>>) {
    this.#failing = failing;
  }

  request<T = unknown>({ path, query }: ApiRequest): Promise<Outcome<T>> {
    this.paths.push(path + (query?.fieldSelector === undefined ? "" : `?${query.fieldSelector}`));
    const kind = this.#failing[path.split("/").at(-1) ?? ""];
    const list = { items: [], metadata: { resourceVersion: "1" } };
    const answer = kind === undefined ? success(list as T) : failed(kind, `${path} fails`);
    return Promise.resolve(answer);
  }

  async *watch(_request: unknown, signal?: AbortSignal): AsyncGenerator<WatchMessage> {
    yield { type: "OPENED" };
    if (signal !== undefined && !signal.aborted) await once(signal, "abort");
  }
}

async function run(t: TestContext, failing: Readonly<Record<string, ApiFailureKind>>) {
  const server = new Server(failing);
  const cluster = new ClusterView({ onChange: () => {}, defer: (work) => work() });
  const reflectors = new Reflectors({
    client: server,
    clock: { boot: () => bootMs(0), wall: () => wallMs(0) },
    random: () => 0.5,
    namespace: "metallb-system",
    legacyConfigMap: "kube-balancers/old.config",
    leasesPath: "/apis/coordination.k8s.io/v1/namespaces/lbd-system/leases",
    cluster,
    namespaces: new Namespaces(() => {}),
    first: null,
    leaseSink: { replace: () => {}, upsert: () => {}, remove: () => {} },
    onFailure: () => {},
  });
  const stop = new AbortController();
  const done = reflectors.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
  });
  // Every list has been answered once the event loop has nothing left but watches and waits.
  await new Promise((resolve) => setImmediate(resolve));
  return { server, cluster, reflectors };
}

test("Reflectors list every kind of resource that the cluster is configured with", async (t) => {
  const { server, cluster } = await run(t, {});
  const metallb = server.paths.filter((path) => path.startsWith("/apis/metallb.io/"));
  assert.deepEqual(metallb.sort(), [
    "/apis/metallb.io/v1beta1/namespaces/metallb-system/bfdprofiles",
    "/apis/metallb.io/v1beta1/namespaces/metallb-system/bgpadvertisements",
    "/apis/metallb.io/v1beta1/namespaces/metallb-system/communities",
    "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools",
    "/apis/metallb.io/v1beta1/namespaces/metallb-system/l2advertisements",
    "/apis/metallb.io/v1beta2/namespaces/metallb-system/bgppeers",
  ]);
  const legacy = "/api/v1/namespaces/kube-balancers/configmaps?metadata.name=old.config";
  assert.equal(server.paths.includes(legacy), true);
  assert.equal(cluster.isSynced, true);
});

const ROWS: readonly (readonly [resource: string, kind: ApiFailureKind, goesOn: boolean])[] = [
  ["bgppeers", "not-found", true],
  ["communities", "forbidden", true],
  ["bfdprofiles", "unreachable", false],
  ["bgpadvertisements", "server-error", false],
  // The lists are empty: all pools may be in the ConfigMap.
  ["configmaps", "forbidden", false],
  ["ipaddresspools", "not-found", false],
  ["l2advertisements", "forbidden", false],
  ["endpointslices", "forbidden", true],
  ["services", "forbidden", false],
];

for (const [resource, kind, goesOn] of ROWS) {
  test(`Reflectors ${goesOn ? "go on without" : "wait for"} ${resource}: ${kind}`, async (t) => {
    const { cluster, reflectors } = await run(t, { [resource]: kind });
    assert.equal(cluster.isSynced, goesOn);
    assert.equal(reflectors.failures().get(resource)?.kind, kind, "it is told in any case");
  });
}
