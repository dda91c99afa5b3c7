// Tests of shadow mode: whom lbd would choose, by MetalLB's own ranking, against who answers on the
// wire; what it asks the segments for, and what it says of Services' addresses.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { prefixOf } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import { ConfigPlanner } from "../../../src/daemon/config-planner.ts";
import type { ToResponder } from "../../../src/daemon/responder-messages.ts";
import { Shadow } from "../../../src/daemon/shadow.ts";
import { chooseOwner, ownerDifference } from "../../../src/daemon/shadow-comparison.ts";
import { Ranking } from "../../../src/ownership/ranking.ts";
import type { NodePlacement, Serving } from "../../../src/ownership/types.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";
import { NOTHING_WITHHELD } from "./former-harness.ts";

const ranking = () => new Ranking((text) => createHash("sha256").update(text).digest("hex"));

const ALLOWED: NodePlacement = { allowed: true, interfaces: null, unhealthy: null };

function choose(
  address: string,
  placements: Readonly<Record<string, NodePlacement>>,
  serving: Serving = "everywhere",
) {
  const nodes = Object.keys(placements);
  const placement = { pool: "lan", nodes: new Map(Object.entries(placements)) };
  const spec = { address: ip(address), rankBy: ip(address), placement, serving };
  const here = { node: "elsewhere", segments: [] };
  return chooseOwner(spec, { nodes, here, ranking: ranking() });
}

const abc = (changes: Readonly<Record<string, NodePlacement>> = {}) => ({
  ...{ "node-a": ALLOWED, "node-b": ALLOWED, "node-c": ALLOWED },
  ...changes,
});

const CHOICES: readonly (readonly [
  name: string,
  node: string | null,
  ReturnType<typeof choose>,
])[] = [
  ["the first of the golden order for .240", "node-a", choose("192.168.1.240", abc())],
  ["the first of the golden order for .241", "node-c", choose("192.168.1.241", abc())],
  [
    "the next one, when the first is not allowed",
    "node-c",
    choose("192.168.1.240", abc({ "node-a": { allowed: false, reason: "no" } })),
  ],
  [
    "the next one, when the first is not healthy",
    "node-c",
    choose("192.168.1.240", abc({ "node-a": { ...ALLOWED, unhealthy: "not Ready" } })),
  ],
  [
    "one that is preferred, before the first",
    "node-b",
    choose("192.168.1.240", abc({ "node-b": { ...ALLOWED, preference: 10 } })),
  ],
  [
    "the node with the endpoint",
    "node-b",
    choose("192.168.1.240", abc(), new Map([["node-b", "ready" as const]])),
  ],
  ["nobody without an endpoint", null, choose("192.168.1.240", abc(), new Map())],
  ["nobody without Nodes", null, choose("192.168.1.240", {})],
];

for (const [name, expected, choice] of CHOICES) {
  test(`chooseOwner() chooses ${name}`, () => {
    assert.equal(choice.node, expected);
    assert.equal(choice.reason === "", expected !== null, "who chooses nobody says why");
  });
}

const MAC_A = "02:00:00:00:00:0a" as Mac;
const MAC_B = "02:00:00:00:00:0b" as Mac;
const NAMES = new Map([
  [MAC_A, "a"],
  [MAC_B, "b"],
]);
const NOBODY = { node: null, reason: "it has no endpoint" };

const DIFFERENCES: readonly (readonly [
  name: string,
  choice: { node: string | null; reason: string },
  macs: readonly Mac[] | null,
  expected: string | null,
])[] = [
  ["the one that is chosen", { node: "a", reason: "" }, [MAC_A], null],
  ["nobody was asked yet", { node: "a", reason: "" }, null, null],
  ["nobody, and nobody should", NOBODY, [], null],
  [
    "nobody, where this host would, which does not hear itself",
    { node: "me", reason: "" },
    [],
    null,
  ],
  ["another", { node: "a", reason: "" }, [MAC_B], "b answers; lbd would choose a"],
  [
    "a stranger",
    { node: "a", reason: "" },
    ["02:00:00:00:00:99" as Mac],
    "a host with MAC 02:00:00:00:00:99 answers; lbd would choose a",
  ],
  ["two", { node: "a", reason: "" }, [MAC_A, MAC_B], "a and b answer, and one should"],
  ["one, and nobody should", NOBODY, [MAC_A], "a answers; lbd would not: it has no endpoint"],
  [
    "nobody, where another would",
    { node: "a", reason: "" },
    [],
    "nobody else answers (this host may); lbd would choose a",
  ],
];

for (const [name, choice, macs, expected] of DIFFERENCES) {
  test(`ownerDifference() when the answer is ${name}`, () => {
    const answer = macs === null ? null : { macs };
    assert.equal(ownerDifference(choice, answer, { here: "me", names: NAMES }), expected);
  });
}

function shadow(t: { after: (run: () => void) => void; mock: typeof import("node:test").mock }) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const cluster = clusterOf({
    services: [
      service("shop/web", { ips: ["10.0.0.1"] }),
      service("shop/odd", { ips: ["10.9.0.1"] }),
    ],
    nodes: [
      node("n1", { addresses: ["10.0.0.8"] }),
      node("n2", { addresses: ["10.0.0.9", "fd00::9"] }),
    ],
    pools: [resource("lan", { addresses: ["10.0.0.1-10.0.0.4"] })],
    advertisements: [resource("all")],
  });
  const planner = new ConfigPlanner({
    places: { namespace: "", legacyConfigMap: "a/b" },
    clock: { boot: () => bootMs(0) },
    cluster,
    namespaces: { labels: new Map() },
    reserved: () => new Map(),
    withheld: () => NOTHING_WITHHELD,
    machine: () => ({ views: { state: () => null, ranked: () => [] } as never }),
  });
  const told: ToResponder[] = [];
  const one = new Shadow({
    file: { nodeName: "n1" },
    cluster,
    planner,
    interfaces: () => [{ mac: MAC_A }],
    tellResponder: (message) => told.push(message),
  });
  const stop = new AbortController();
  t.after(() => stop.abort());
  void one.run(stop.signal);
  return { one, told };
}

/** In which n2 has an address, too. */
const PREFIX6 = prefixOf(ip("fd00::"), 64);
const PREFIX = { family: 4, start: 0x0a000000n, end: 0x0a0000ffn, length: 24 } as const;

test("Shadow mutes the responder first, and asks for nodes and VIPs on the segment", (t) => {
  const { one, told } = shadow(t);
  one.post({ type: "segments", segments: [{ interface: "eth0", prefixes: [PREFIX, PREFIX6] }] });
  for (let i = 0; i < 12; i++) t.mock.timers.tick(1_000);
  assert.deepEqual(told[0], { type: "mute", isMuted: true });
  const asked = told.flatMap((one) =>
    one.type === "ask" ? [`${one.address} ${one.interface}`] : [],
  );
  // Not for fd00::9: a host that is about to use it would give it up (RFC 4862 section 5.4.3).
  assert.deepEqual([...new Set(asked)].sort(), ["10.0.0.1 eth0", "10.0.0.9 eth0"]);
  const types = new Set(told.map(({ type }) => type));
  assert.deepEqual([...types].sort(), ["ask", "mute", "ranges"], "and nothing else is asked of it");
});

test("Shadow tells of owners and of addresses that lbd would not choose", (t) => {
  const { one } = shadow(t);
  const chosen = ranking().order(["n1", "n2"], ip("10.0.0.1"))[0] ?? "";
  const other = chosen === "n1" ? "n2" : "n1";
  one.onAsked({ address: ip("10.0.0.9"), interface: "eth0", macs: [MAC_B], isDeaf: false });
  const macs = [other === "n2" ? MAC_B : MAC_A];
  one.post({ type: "segments", segments: [{ interface: "eth0", prefixes: [PREFIX] }] });
  one.onAsked({ address: ip("10.0.0.1"), interface: "eth0", macs, isDeaf: false });
  const view = one.view();
  assert.ok(view.ok);
  const found = view.value.vips.find(({ address }) => address === "10.0.0.1");
  assert.equal(found?.difference, `${other} answers; lbd would choose ${chosen}`);
  assert.deepEqual(
    view.value.services.map(({ service: key, change }) => [key, change]),
    [["shop/odd", "moves"]],
  );
  for (let i = 0; i < 12; i++) t.mock.timers.tick(1_000);
  const [first, second] = one.findings();
  assert.deepEqual([first?.health, first?.next], ["degraded", "lbctl plan shadow"]);
  assert.match(second?.what ?? "", /^Shadow mode: nothing is answered/);
});
