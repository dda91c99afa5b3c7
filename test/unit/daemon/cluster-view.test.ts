// Tests of the cluster as a node sees it: when changes are told, which VIPs change with endpoints,
// and what a memory of the cluster counts beside lists that come late.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterChange } from "../../../src/daemon/cluster-view.ts";
import { ClusterView } from "../../../src/daemon/cluster-view.ts";
import { noConfigObjects } from "../../../src/daemon/config-objects.ts";
import type { EndpointSlice, Node, RawObject, Service } from "../../../src/k8s-sync/model.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import {
  endpoint,
  node,
  resource,
  service,
  skipBgp,
  slice,
} from "../../support/kubernetes-objects.ts";

const POOL = resource("lan", { addresses: ["10.0.0.0/28"] });
const ADVERTISEMENT = resource("all", { ipAddressPools: ["lan"] });
const DRAINING = { ready: false, serving: true, terminating: true };

const LOCAL = { externalTrafficPolicy: "Local" };
const WEB = service("shop/web", { ips: ["10.0.0.1"], spec: LOCAL });
const API = service("shop/api", { ips: ["10.0.0.2"], spec: LOCAL });
const WEB_SLICE = slice("shop/web-x", "web", [endpoint("n1")]);
const API_SLICE = slice("shop/api-x", "api", [endpoint("n2")]);

/** A view whose changes are told only by `flush()`, which gives them as text. */
class Watched {
  readonly #changes: ClusterChange[] = [];
  #deferred: (() => void)[] = [];
  readonly view = new ClusterView({
    onChange: (change) => this.#changes.push(change),
    defer: (run) => this.#deferred.push(run),
  });

  /** Everything but EndpointSlices. */
  static listed(services: readonly Service[] = [WEB, API]): Watched {
    const watched = new Watched();
    watched.view.serviceSink().replace(services);
    watched.view.nodeSink().replace([node("n1"), node("n2")]);
    watched.view.configSink("pool").replace([POOL]);
    watched.view.configSink("advertisement").replace([ADVERTISEMENT]);
    skipBgp(watched.view);
    return watched;
  }

  /** Everything, told already. */
  static ready(slices: readonly EndpointSlice[] = [WEB_SLICE, API_SLICE]): Watched {
    const watched = Watched.listed();
    watched.view.endpointSliceSink().replace(slices);
    watched.flush();
    watched.vips();
    return watched;
  }

  flush(): string[] {
    for (const run of this.#deferred.splice(0)) run();
    return this.#changes.splice(0).map(({ services, config, nodes }) => {
      const parts = [...services, ...(config ? ["config"] : []), ...(nodes ? ["nodes"] : [])];
      return parts.sort().join(" ");
    });
  }

  /** VIPs that have changed, each with where it is served, and those that were freed. */
  vips(): string[] {
    const { changed, freed } = this.view.takeVips();
    const specs = changed.map(({ address, serving }) => {
      const where = serving === "everywhere" ? [serving] : [...serving].map((one) => one.join(" "));
      return `${address}: ${where.join(", ") || "nowhere"}`;
    });
    return [...specs, ...freed.map((address) => `${address} freed`)].sort();
  }
}

test("ClusterView tells nothing before everything was listed, then all at once", () => {
  const watched = Watched.listed();
  assert.deepEqual(watched.flush(), []);
  assert.equal(watched.view.isSynced, false);
  watched.view.endpointSliceSink().replace([]);
  assert.deepEqual(watched.flush(), ["config nodes shop/api shop/web"]);
  assert.equal(watched.view.isSynced, true);
  assert.deepEqual(watched.flush(), [], "and once");
});

test("ClusterView excludes nobody while EndpointSlices cannot be read", () => {
  const watched = Watched.listed();
  watched.view.skipEndpoints();
  assert.deepEqual(watched.flush(), ["config nodes shop/api shop/web"]);
  assert.deepEqual(watched.vips(), ["10.0.0.1: everywhere", "10.0.0.2: everywhere"]);
  watched.view.skipEndpoints();
  assert.deepEqual(watched.flush(), [], "said again, it changes nothing");
});

test("ClusterView looks at EndpointSlices as soon as they can be read after all", () => {
  const watched = Watched.listed();
  watched.view.skipEndpoints();
  watched.flush();
  watched.vips();
  watched.view.endpointSliceSink().replace([WEB_SLICE]);
  assert.deepEqual(watched.flush(), [""], "neither a Service, nor the configuration, nor a Node");
  assert.deepEqual(watched.vips(), ["10.0.0.1: n1 ready", "10.0.0.2: nowhere"]);
});

test("ClusterView keeps what EndpointSlices said when they cannot be read any more", () => {
  const watched = Watched.ready();
  watched.view.skipEndpoints();
  assert.deepEqual([watched.flush(), watched.vips()], [[], []]);
  watched.view.serviceSink().upsert(WEB);
  watched.flush();
  assert.deepEqual(watched.vips(), ["10.0.0.1: n1 ready"]);
});

interface SliceRow {
  readonly name: string;
  readonly upsert?: EndpointSlice;
  readonly remove?: EndpointSlice;
  readonly vips: readonly string[];
}

const SLICES: readonly SliceRow[] = [
  { name: "that says the same again", upsert: WEB_SLICE, vips: [] },
  {
    name: "with one more endpoint on the same node",
    upsert: slice("shop/web-x", "web", [endpoint("n1"), endpoint("n1")]),
    vips: [],
  },
  { name: "of no Service", upsert: slice("shop/y", null, [endpoint("n1")]), vips: [] },
  { name: "of a Service without an address", upsert: slice("shop/y", "db", []), vips: [] },
  {
    name: "of a namesake in another namespace",
    upsert: slice("bank/web-x", "web", [endpoint("n2")]),
    vips: [],
  },
  { name: "that was never there goes", remove: slice("shop/z", "web", []), vips: [] },
  {
    name: "whose last endpoint terminates",
    upsert: slice("shop/web-x", "web", [endpoint("n1", DRAINING)]),
    vips: ["10.0.0.1: n1 terminating"],
  },
  {
    name: "beside the first",
    upsert: slice("shop/web-y", "web", [endpoint("n2")]),
    vips: ["10.0.0.1: n1 ready, n2 ready"],
  },
  { name: "goes", remove: WEB_SLICE, vips: ["10.0.0.1: nowhere"] },
  {
    name: "is given to another Service",
    upsert: slice("shop/web-x", "api", [endpoint("n1")]),
    vips: ["10.0.0.1: nowhere", "10.0.0.2: n2 ready, n1 ready"],
  },
  {
    name: "loses its Service",
    upsert: slice("shop/web-x", null, [endpoint("n1")]),
    vips: ["10.0.0.1: nowhere"],
  },
];

for (const { name, upsert, remove, vips } of SLICES) {
  test(`ClusterView: a slice ${name} changes ${vips.length} VIPs`, () => {
    const watched = Watched.ready();
    if (upsert !== undefined) watched.view.endpointSliceSink().upsert(upsert);
    if (remove !== undefined) watched.view.endpointSliceSink().remove(remove);
    assert.deepEqual(watched.flush(), vips.length === 0 ? [] : [""]);
    assert.deepEqual(watched.vips(), vips);
  });
}

test("ClusterView: a new list of slices changes the VIPs of those that differ", () => {
  const watched = Watched.ready();
  watched.view.endpointSliceSink().replace([WEB_SLICE]);
  watched.flush();
  assert.deepEqual(watched.vips(), ["10.0.0.2: nowhere"]);
});

test("ClusterView: slices that come before their Service count once it is there", () => {
  const watched = Watched.listed([]);
  watched.view.endpointSliceSink().replace([WEB_SLICE]);
  watched.flush();
  assert.deepEqual(watched.vips(), []);
  watched.view.serviceSink().upsert(WEB);
  assert.deepEqual(watched.flush(), ["shop/web"]);
  assert.deepEqual(watched.vips(), ["10.0.0.1: n1 ready"]);
});

test("ClusterView: a Service that turns to policy Cluster is served everywhere", () => {
  const watched = Watched.ready();
  watched.view.serviceSink().upsert(service("shop/web", { ips: ["10.0.0.1"] }));
  watched.flush();
  assert.deepEqual(watched.vips(), ["10.0.0.1: everywhere"]);
});

const NODE_ROWS: readonly (readonly [name: string, changed: Node, told: readonly string[]])[] = [
  ["that a kubelet writes again", node("n1"), []],
  [
    "with news that lbd does not look at",
    node("n1", { conditions: [{ type: "DiskPressure", status: "True" }] }),
    [],
  ],
  ["that is cordoned", node("n1", { unschedulable: true }), ["nodes"]],
  ["with another label", node("n1", { labels: { rack: "a" } }), ["nodes"]],
  [
    "that is not Ready",
    node("n1", { conditions: [{ type: "Ready", status: "False" }] }),
    ["nodes"],
  ],
  ["with another address", node("n1", { addresses: ["192.168.0.1"] }), ["nodes"]],
];

for (const [name, changed, told] of NODE_ROWS) {
  test(`ClusterView: a Node ${name} is ${told.length === 0 ? "no news" : "news"}`, () => {
    const watched = Watched.ready();
    watched.view.nodeSink().upsert(changed);
    assert.deepEqual(watched.flush(), told);
  });
}

function memory(changes: { services?: Service[]; pools?: RawObject[] } = {}) {
  const { services = [WEB], pools = [POOL] } = changes;
  const byKey = <T extends Service | Node | RawObject>(all: readonly T[]) =>
    new Map(all.map((one) => [objectKey(one), one]));
  return {
    services: byKey(services),
    nodes: byKey([node("n1")]),
    config: { ...noConfigObjects(), pool: byKey(pools), advertisement: byKey([ADVERTISEMENT]) },
  };
}

test("restore() lets a node serve what it served before, wherever endpoints may be", () => {
  const watched = new Watched();
  watched.view.restore(memory());
  assert.deepEqual(watched.flush(), ["config nodes shop/web"]);
  assert.equal(watched.view.isSynced, true);
  assert.deepEqual(watched.vips(), ["10.0.0.1: everywhere"]);
});

test("restore() of a memory without a valid configuration changes nothing", () => {
  const watched = new Watched();
  watched.view.restore(memory({ pools: [resource("lan", { addresses: ["10.0.0.300"] })] }));
  assert.deepEqual([watched.flush(), watched.view.isSynced], [[], false]);
});

test("restore() fills in only what was not listed yet", () => {
  const watched = new Watched();
  watched.view.serviceSink().replace([API]);
  watched.view.endpointSliceSink().replace([API_SLICE]);
  watched.view.restore(memory());
  watched.flush();
  assert.deepEqual([...watched.view.services.keys()], ["shop/api"]);
  assert.deepEqual(watched.vips(), ["10.0.0.2: n2 ready"]);
});

test("restore() gives way to a later list: what it has not is gone, what it has is new", () => {
  const watched = new Watched();
  watched.view.restore(memory());
  watched.flush();
  watched.vips();
  watched.view.serviceSink().replace([API]);
  assert.deepEqual(watched.flush(), ["shop/api shop/web"]);
  assert.deepEqual(watched.vips(), ["10.0.0.1 freed", "10.0.0.2: everywhere"]);
  watched.view.endpointSliceSink().replace([API_SLICE]);
  watched.flush();
  assert.deepEqual(watched.vips(), ["10.0.0.2: n2 ready"]);
});

test("restore() of what a list has said already changes nothing", () => {
  const watched = Watched.ready();
  watched.view.restore(memory({ services: [], pools: [] }));
  assert.deepEqual([watched.flush(), watched.vips()], [[], []]);
});

const INVALID = resource("lan", { addresses: ["nonsense"] });

test("a view whose first configuration is invalid works from the last valid one", () => {
  const remembered = memory();
  for (const [lastValid, isSynced] of [
    [() => remembered, true],
    [() => null, false],
    [() => memory({ pools: [INVALID] }), false],
  ] as const) {
    const view = new ClusterView({ onChange: () => {}, defer: (run) => run(), lastValid });
    view.serviceSink().replace([WEB]);
    view.nodeSink().replace([node("n1")]);
    view.configSink("pool").replace([INVALID]);
    view.configSink("advertisement").replace([ADVERTISEMENT]);
    skipBgp(view);
    view.skipEndpoints();
    assert.equal(view.isSynced, isSynced);
    assert.equal(view.configProblems.length > 0, true);
    assert.equal(view.takeVips().changed.length, isSynced ? 1 : 0);
    view.configSink("pool").upsert(POOL);
    assert.deepEqual([view.isSynced, view.configProblems], [true, []]);
  }
});
