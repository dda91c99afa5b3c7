// Tests of which nodes may own the addresses of a pool: exclusion, advertisements, health, and the
// interfaces that are left.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterConfig } from "../../../src/config/cluster-config.ts";
import {
  EXCLUDE_LABEL,
  exclusion,
  healthProblem,
  placements,
} from "../../../src/daemon/placements.ts";
import type { Node } from "../../../src/k8s-sync/model.ts";
import type { NodePlacement } from "../../../src/ownership/types.ts";
import type { NodeOptions } from "../../support/kubernetes-objects.ts";
import { clusterOf, node, resource } from "../../support/kubernetes-objects.ts";

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

function placementIn(pool: string, config: ClusterConfig, object: Node) {
  return placements(config, new Map([["n1", object]]))
    .get(pool)
    ?.nodes.get("n1");
}

const RACK_A = { nodeSelectors: [{ matchLabels: { rack: "a" } }] };
const RACK_B = { nodeSelectors: [{ matchLabels: { rack: "b" } }] };
const OUT_OF_SERVICE = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" };

interface Row {
  readonly name: string;
  readonly advertisements: Advertisements;
  readonly node?: NodeOptions;
  readonly expected: NodePlacement;
}

const no = (reason: string): NodePlacement => ({ allowed: false, reason });
const yes = (interfaces: readonly string[] | null, unhealthy: string | null = null) =>
  ({ allowed: true, interfaces, unhealthy }) as const;

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
];

for (const { name, advertisements, node: options, expected } of ROWS) {
  test(`placements() says ${name}`, () => {
    assert.deepEqual(placementIn("lan", configOf(advertisements), node("n1", options)), expected);
  });
}

test("placements() has every pool with every node", () => {
  const nodes = new Map([
    ["n1", node("n1", { labels: { rack: "a" } })],
    ["n2", node("n2")],
  ]);
  const config = configOf({ a: { ...RACK_A, ipAddressPools: ["lan"] }, rest: RACK_B });
  const notA = no('not selected by L2Advertisement "a", "rest"');
  const notRest = no('not selected by L2Advertisement "rest"');
  assert.deepEqual(
    placements(config, nodes),
    new Map([
      [
        "dmz",
        {
          pool: "dmz",
          nodes: new Map([
            ["n1", notRest],
            ["n2", notRest],
          ]),
        },
      ],
      [
        "lan",
        {
          pool: "lan",
          nodes: new Map([
            ["n1", yes(null)],
            ["n2", notA],
          ]),
        },
      ],
    ]),
  );
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
  assert.notEqual(exclusion(node("n1", { labels: { [EXCLUDE_LABEL]: "" } })), null);
});
