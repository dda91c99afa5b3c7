// Tests of where Services can be served: the conditions of endpoints as Kubernetes means them, many
// slices of one Service, slices that go to another, and Services that share an address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoints } from "../../../src/daemon/endpoints.ts";
import type { EndpointSlice } from "../../../src/k8s-sync/model.ts";
import { endpoint, service, slice } from "../../support/kubernetes-objects.ts";

const LOCAL = service("shop/web", { spec: { externalTrafficPolicy: "Local" } });
const CLUSTER = service("shop/web", { spec: { externalTrafficPolicy: "Cluster" } });
const UNSAID = service("shop/web");

const READY = { ready: true, serving: true, terminating: false };
const STARTING = { ready: false, serving: false, terminating: false };
const DRAINING = { ready: false, serving: true, terminating: true };
const ENDED = { ready: false, serving: false, terminating: true };
/** Of a Service with publishNotReadyAddresses. */
const PUBLISHED = { ready: true, serving: false, terminating: true };

function known(...slices: readonly EndpointSlice[]): Endpoints {
  const endpoints = new Endpoints();
  for (const one of slices) endpoints.set(one);
  return endpoints;
}

/** What is served, as text: "everywhere", or each node with its state, sorted. */
function shown(endpoints: Endpoints, ...services: readonly ReturnType<typeof service>[]): string {
  const serving = endpoints.serving(services);
  if (serving === "everywhere") return serving;
  const nodes = [...serving].map(([node, state]) => `${node} ${state}`).sort();
  return nodes.join(", ") || "nowhere";
}

const web = (...endpoints: ReturnType<typeof endpoint>[]) => [slice("shop/a", "web", endpoints)];

interface Row {
  readonly name: string;
  readonly slices: readonly EndpointSlice[];
  readonly local: string;
  readonly cluster: string;
}

const ROWS: readonly Row[] = [
  { name: "no slice", slices: [], local: "nowhere", cluster: "nowhere" },
  { name: "a slice without endpoints", slices: web(), local: "nowhere", cluster: "nowhere" },
  {
    name: "a slice without a Service",
    slices: [slice("shop/a", null, [endpoint("n1", READY)])],
    local: "nowhere",
    cluster: "nowhere",
  },
  {
    name: "a slice of the Service's namesake in another namespace",
    slices: [slice("bank/a", "web", [endpoint("n1", READY)])],
    local: "nowhere",
    cluster: "nowhere",
  },
  {
    name: "an endpoint that starts",
    slices: web(endpoint("n1", STARTING)),
    local: "nowhere",
    cluster: "nowhere",
  },
  {
    name: "an endpoint that has ended",
    slices: web(endpoint("n1", ENDED)),
    local: "nowhere",
    cluster: "nowhere",
  },
  {
    name: "an endpoint that is not ready, and does not say whether it serves",
    slices: web(endpoint("n1", { ready: false })),
    local: "nowhere",
    cluster: "nowhere",
  },
  {
    name: "an endpoint that terminates and still serves",
    slices: web(endpoint("n1", DRAINING)),
    local: "n1 terminating",
    cluster: "everywhere",
  },
  {
    name: "an endpoint that is published though it is not ready",
    slices: web(endpoint("n1", PUBLISHED)),
    local: "n1 ready",
    cluster: "everywhere",
  },
  {
    name: "an endpoint without conditions",
    slices: web({ nodeName: "n1" }),
    local: "n1 ready",
    cluster: "everywhere",
  },
  {
    name: "an endpoint with null for each condition",
    slices: web(endpoint("n1", { ready: null, serving: null, terminating: null })),
    local: "n1 ready",
    cluster: "everywhere",
  },
  {
    name: "an endpoint on no node",
    slices: web(endpoint(null, READY), { conditions: READY }),
    local: "nowhere",
    cluster: "everywhere",
  },
  {
    name: "an endpoint on a node and one on none",
    slices: web(endpoint(null, READY), endpoint("n2", READY)),
    local: "n2 ready",
    cluster: "everywhere",
  },
  {
    name: "a ready and a terminating endpoint on one node, in either order",
    slices: web(
      ...[endpoint("n1", DRAINING), endpoint("n1", READY)],
      ...[endpoint("n2", READY), endpoint("n2", DRAINING)],
    ),
    local: "n1 ready, n2 ready",
    cluster: "everywhere",
  },
  {
    name: "several slices",
    slices: [
      slice("shop/a", "web", [endpoint("n1", DRAINING), endpoint("n2", DRAINING)]),
      slice("shop/b", "web", [endpoint("n2", READY), endpoint("n3", STARTING)]),
      slice("shop/c", "web", []),
    ],
    local: "n1 terminating, n2 ready",
    cluster: "everywhere",
  },
  {
    name: "the two slices of a dual-stack Service",
    slices: [
      slice("shop/v4", "web", [endpoint("n1", READY)]),
      slice("shop/v6", "web", [endpoint("n1", READY), endpoint("n2", READY)]),
    ],
    local: "n1 ready, n2 ready",
    cluster: "everywhere",
  },
];

for (const { name, slices, local, cluster } of ROWS) {
  test(`serving() with ${name}: Local ${local}, Cluster ${cluster}`, () => {
    const endpoints = known(...slices);
    assert.equal(shown(endpoints, LOCAL), local);
    assert.equal(shown(endpoints, CLUSTER), cluster);
    assert.equal(shown(endpoints, UNSAID), cluster, "Cluster is the default");
  });
}

const DNS = service("shop/dns", { spec: { externalTrafficPolicy: "Local" } });
const DNS_TCP = service("shop/dns-tcp", { spec: { externalTrafficPolicy: "Local" } });
const API = service("shop/api");
const SHARED = [
  slice("shop/dns-x", "dns", [endpoint("n1", READY), endpoint("n2", DRAINING)]),
  slice("shop/tcp-x", "dns-tcp", [endpoint("n2", READY), endpoint("n3", READY)]),
];

test("serving() of an address that nobody has any more: nowhere", () => {
  assert.equal(shown(known(...SHARED)), "nowhere");
});

test("serving() of Services that share an address: where one is, ready before ending", () => {
  const endpoints = known(...SHARED);
  assert.equal(shown(endpoints, DNS, DNS_TCP), "n1 ready, n2 ready, n3 ready");
  assert.equal(shown(endpoints, DNS_TCP, DNS), "n1 ready, n2 ready, n3 ready");
});

test("serving() of a shared address: one of policy Cluster opens all nodes, once it serves", () => {
  const endpoints = known(...SHARED);
  assert.equal(shown(endpoints, DNS, API), "n1 ready, n2 terminating");
  endpoints.set(slice("shop/api-x", "api", [endpoint("n9", READY)]));
  assert.equal(shown(endpoints, DNS, API), "everywhere");
});

test("set() says whether that changes anything, so that a probe's flicker costs nothing", () => {
  const endpoints = new Endpoints();
  const told = (key: string, of: string | null, ...list: ReturnType<typeof endpoint>[]) =>
    endpoints.set(slice(key, of, list));
  assert.equal(told("shop/a", null, endpoint("n1", READY)), false, "of no Service");
  assert.equal(told("shop/a", "web"), false, "new, and empty");
  assert.equal(told("shop/a", "web", endpoint("n1", READY)), true, "the first endpoint");
  assert.equal(told("shop/a", "web", endpoint("n1", READY)), false, "said again");
  assert.equal(told("shop/a", "web", endpoint("n1"), endpoint("n1")), false, "one more there");
  assert.equal(told("shop/a", "web", endpoint("n1", DRAINING)), true, "the last one terminates");
  assert.equal(told("shop/a", "web", endpoint("n2", DRAINING)), true, "on another node");
  assert.equal(told("shop/a", "web", endpoint("n2", ENDED)), true, "none left");
});

test("remove() forgets one slice of its Service, and nothing of others", () => {
  const [dns, tcp] = [SHARED[0] ?? assert.fail(), SHARED[1] ?? assert.fail()];
  const endpoints = known(dns, tcp);
  assert.equal(endpoints.remove(slice("shop/other", "dns", [])), false, "unknown slice");
  assert.equal(endpoints.remove(slice("shop/dns-x", "web", [])), false, "unknown Service");
  assert.equal(endpoints.remove(slice("shop/dns-x", null, [])), false, "of no Service");
  assert.equal(endpoints.remove(dns), true);
  assert.equal(endpoints.remove(dns), false, "gone already");
  assert.equal(shown(endpoints, DNS), "nowhere");
  assert.equal(shown(endpoints, DNS_TCP), "n2 ready, n3 ready");
});

test("areOfOne() tells a slice that was given to another Service", () => {
  const before = slice("shop/a", "web", []);
  assert.equal(Endpoints.areOfOne(before, slice("shop/a", "web", [endpoint("n1")])), true);
  assert.equal(Endpoints.areOfOne(before, slice("shop/a", "api", [])), false);
  assert.equal(Endpoints.areOfOne(before, slice("shop/a", null, [])), false);
});
