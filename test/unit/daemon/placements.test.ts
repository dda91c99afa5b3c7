// Tests of which nodes may own the addresses of a pool: exclusion, advertisements, health, and the
// interfaces that are left.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterConfig } from "../../../src/config/cluster-config.ts";
import {
  EXCLUDE_LABEL,
  exclusion,
  healthProblem,
  Placements,
} from "../../../src/daemon/placements.ts";
import type { Node } from "../../../src/k8s-sync/model.ts";
import type { NodePlacement } from "../../../src/ownership/types.ts";
import type { NodeOptions, ServiceOptions } from "../../support/kubernetes-objects.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";

/** Specs of L2Advertisements by name. */
type Advertisements = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A configuration with pools "lan" and "dmz" and these advertisements, by name. */
function configOf(advertisements: Advertisements): ClusterConfig {
  const cluster = clusterOf({
    pools: [
      resource("lan", { addresses: ["10.0.0.0/28"] }),
      resource("dmz", { addresses: ["10.1.0.0/28"] }),
    ],
    advertisements: Object.entries(advertisements).map(([name, spec]) => resource(name, spec)),
  });
  assert.deepEqual(cluster.configProblems, []);
  return cluster.config;
}

/** For addresses of Services like these; none: one that has no labels. */
function placementIn(
  pool: string,
  config: ClusterConfig,
  object: Node,
  services: readonly ServiceOptions[] = [{}],
) {
  const made = new Placements(config, new Map([["n1", object]]));
  const all = services.map((options, i) => service(`shop/s${i}`, options));
  return made.of(pool, all)?.nodes.get("n1");
}

const RACK_A = { nodeSelectors: [{ matchLabels: { rack: "a" } }] };
const RACK_B = { nodeSelectors: [{ matchLabels: { rack: "b" } }] };
const OUT_OF_SERVICE = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" };

const EDGE = [{ matchLabels: { tier: "edge" } }];
const TIERED: ServiceOptions = { labels: { tier: "edge" } };
const SHARED = { annotations: { "metallb.universe.tf/allow-shared-ip": "" } };
const SHARES =
  "its Service has the annotation allow-shared-ip, which cannot be used with the " +
  "serviceSelectors of an L2Advertisement";

interface Row {
  readonly name: string;
  readonly advertisements: Advertisements;
  readonly node?: NodeOptions;
  readonly services?: readonly ServiceOptions[];
  readonly expected: NodePlacement;
}

const no = (reason: string): NodePlacement => ({ allowed: false, reason });
const yes = (
  interfaces: readonly string[] | null,
  unhealthy: string | null = null,
  preference = 0,
): NodePlacement => ({ allowed: true, interfaces, unhealthy, preference });

const ROWS: readonly Row[] = [
  {
    name: "no to an excluded node, whatever the label says",
    advertisements: { all: {} },
    node: { labels: { [EXCLUDE_LABEL]: "false" } },
    expected: no(`it has the label ${EXCLUDE_LABEL}`),
  },
  {
    name: "no when nothing advertises the pool",
    advertisements: { other: { ipAddressPools: ["dmz"] } },
    expected: no('no L2Advertisement covers pool "lan"'),
  },
  {
    name: "no when no advertisement selects the node, and names those of the pool",
    advertisements: { a: RACK_A, b: RACK_B, other: { ipAddressPools: ["dmz"] } },
    node: { labels: { rack: "c" } },
    expected: no('not selected by L2Advertisement "a", "b"'),
  },
  {
    name: "no when the one that selects the node is of another pool",
    advertisements: { a: { ...RACK_A, ipAddressPools: ["dmz"] }, b: RACK_B },
    node: { labels: { rack: "a" } },
    expected: no('not selected by L2Advertisement "b"'),
  },
  { name: "yes on every interface", advertisements: { all: {} }, expected: yes(null) },
  {
    name: "yes on the interfaces of all that select it, sorted, each once",
    advertisements: {
      a: { ...RACK_A, interfaces: ["eth2", "eth1"] },
      again: { interfaces: ["eth2", "eth0"] },
      b: { ...RACK_B, interfaces: ["eth9"] },
    },
    node: { labels: { rack: "a" } },
    expected: yes(["eth0", "eth1", "eth2"]),
  },
  {
    name: "yes on every interface as soon as one that selects it names none",
    advertisements: { a: { ...RACK_A, interfaces: ["eth1"] }, all: {} },
    node: { labels: { rack: "a" } },
    expected: yes(null),
  },
  {
    name: "yes on named interfaces when the one that names none does not select it",
    advertisements: { a: RACK_A, named: { interfaces: ["eth1"] } },
    expected: yes(["eth1"]),
  },
  {
    name: "yes as a last resort to a node that is not healthy",
    advertisements: { all: {} },
    node: { taints: [OUT_OF_SERVICE] },
    expected: yes(null, "the Node is tainted out-of-service"),
  },
  {
    name: "no when no advertisement selects the Service",
    advertisements: { edge: { serviceSelectors: EDGE } },
    expected: no('no L2Advertisement of pool "lan" selects its Service (serviceSelectors)'),
  },
  {
    name: "yes where one selects the Service and the node",
    advertisements: { edge: { ...RACK_A, serviceSelectors: EDGE } },
    node: { labels: { rack: "a" } },
    services: [TIERED],
    expected: yes(null),
  },
  {
    name: "no where one selects the Service alone, and another the node alone",
    advertisements: {
      edge: { ...RACK_B, serviceSelectors: EDGE },
      web: { ...RACK_A, serviceSelectors: [{ matchLabels: { tier: "web" } }] },
    },
    node: { labels: { rack: "a" } },
    services: [TIERED],
    expected: no('not selected by L2Advertisement "edge"'),
  },
  {
    name: "yes where any selector selects the Service",
    advertisements: { any: { serviceSelectors: [{ matchLabels: { no: "x" } }, ...EDGE] } },
    services: [TIERED],
    expected: yes(null),
  },
  {
    name: "no to a Service that may share where one with selectors selects it",
    advertisements: { edge: { serviceSelectors: EDGE }, all: {} },
    services: [{ ...TIERED, ...SHARED }],
    expected: no(SHARES),
  },
  {
    name: "yes to a Service that may share where the one with selectors is for others",
    advertisements: { edge: { serviceSelectors: EDGE }, all: { interfaces: ["eth0"] } },
    services: [SHARED],
    expected: yes(["eth0"]),
  },
  {
    name: "yes to an address of two Services when one of them is announced",
    advertisements: { edge: { serviceSelectors: EDGE }, all: { interfaces: ["eth0"] } },
    services: [{ ...TIERED, ...SHARED }, SHARED],
    expected: yes(["eth0"]),
  },
  {
    name: "which weight the node has, over all advertisements that select it",
    advertisements: {
      a: { preferredNodeSelectors: [prefer(60, "lb"), prefer(7, "big"), prefer(1, "not")] },
      b: { ...RACK_A, preferredNodeSelectors: [prefer(50, "lb")] },
      c: { ...RACK_B, preferredNodeSelectors: [prefer(100, "lb")] },
      d: { serviceSelectors: EDGE, preferredNodeSelectors: [prefer(100, "lb")] },
      e: { ipAddressPools: ["dmz"], preferredNodeSelectors: [prefer(100, "lb")] },
    },
    node: { labels: { rack: "a", lb: "", big: "" } },
    expected: yes(null, null, 117),
  },
];

function prefer(weight: number, label: string) {
  return { weight, preference: { matchExpressions: [{ key: label, operator: "Exists" }] } };
}

for (const { name, advertisements, node: options, services, expected } of ROWS) {
  test(`Placements.of() says ${name}`, () => {
    const found = placementIn("lan", configOf(advertisements), node("n1", options), services);
    assert.deepEqual(found, expected);
  });
}

test("Placements.of() has every node, and is shared by those alike", () => {
  const nodes = new Map([
    ["n1", node("n1", { labels: { rack: "a" } })],
    ["n2", node("n2")],
  ]);
  const edge = { ...RACK_B, serviceSelectors: EDGE, ipAddressPools: ["lan"] };
  const config = configOf({ a: { ...RACK_A, ipAddressPools: ["lan"] }, edge, rest: RACK_B });
  const made = new Placements(config, nodes);
  const web = service("shop/web", { labels: { tier: "web" } });
  const expected = new Map([
    ["n1", yes(null)],
    ["n2", no('not selected by L2Advertisement "a", "rest"')],
  ]);
  assert.deepEqual(made.of("lan", [web]), { pool: "lan", nodes: expected });
  assert.equal(made.of("lan", [service("shop/api")]), made.of("lan", [web]));
  assert.notEqual(made.of("lan", [service("shop/x", TIERED)]), made.of("lan", [web]));
  assert.equal(made.of("gone", [web]), undefined);
  assert.equal(made.ofAnyService("gone"), undefined);
  const all = no('not selected by L2Advertisement "a", "edge", "rest"');
  assert.deepEqual(made.ofAnyService("lan")?.nodes.get("n2"), all);
});

const condition = (type: string, status: string) => ({ conditions: [{ type, status }] });

const HEALTH: readonly (readonly [name: string, NodeOptions, string | null])[] = [
  ["not ready", condition("Ready", "False"), "the Node is not Ready"],
  ["without network", condition("NetworkUnavailable", "True"), "the Node has NetworkUnavailable"],
  ["out of service", { taints: [OUT_OF_SERVICE] }, "the Node is tainted out-of-service"],
  [
    "not ready and out of service",
    { ...condition("Ready", "False"), taints: [OUT_OF_SERVICE] },
    "the Node is not Ready",
  ],
  ["silent: Ready is unknown", condition("Ready", "Unknown"), null],
  ["without conditions", {}, null],
  ["ready", condition("Ready", "True"), null],
  ["with network", condition("NetworkUnavailable", "False"), null],
  ["short of memory", condition("MemoryPressure", "True"), null],
  ["cordoned", { taints: [{ key: "node.kubernetes.io/unschedulable", effect: "x" }] }, null],
];

for (const [name, options, expected] of HEALTH) {
  test(`healthProblem() of a node that is ${name}: ${expected}`, () => {
    assert.equal(healthProblem(node("n1", options)), expected);
  });
}

test("exclusion() is about the one label", () => {
  assert.equal(exclusion(node("n1", { labels: { [`${EXCLUDE_LABEL}-not`]: "" } })), null);
  const labelled = node("n1", { labels: { [EXCLUDE_LABEL]: "" } });
  assert.notEqual(exclusion(labelled), null);
  assert.equal(exclusion(labelled, { ignoreExcludeLabel: true }), null);
});
