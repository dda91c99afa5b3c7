// Tests of what `lbctl explain` says while addresses or answers are left to others, and on a node
// that does not give the addresses itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExplainSources } from "../../../src/daemon/explain.ts";
import { explain } from "../../../src/daemon/explain.ts";
import type { VipView } from "../../../src/ownership/views.ts";
import { explainSources, OWNED, VIP } from "../../support/explain-sources.ts";
import { clusterOf, resource, service } from "../../support/kubernetes-objects.ts";

const LEFT = "addresses are left to MetalLB's controller";
const MUTED = "this node leaves it to MetalLB's speaker";

/** What node n1, which does not lead, knows of Service web. */
function sources(
  web: Parameters<typeof service>[1],
  changes: Partial<ExplainSources>,
): ExplainSources {
  const cluster = clusterOf({
    services: [service("default/web", web)],
    pools: [resource("lan", { addresses: ["10.0.0.0/28"] })],
    advertisements: [resource("all")],
  });
  return explainSources(cluster, { isLeader: false, leader: "n2", ...changes });
}

const THEIRS: VipView = {
  ...OWNED,
  phase: { kind: "idle" },
  record: { address: VIP, owner: "n2", epoch: 4, resourceVersion: "1" },
};

interface Row {
  readonly name: string;
  readonly web?: Parameters<typeof service>[1];
  readonly changes?: Partial<ExplainSources>;
  readonly state: "ok" | "problem";
  readonly ends: string;
}

const OTHER = { ips: [VIP], spec: { loadBalancerIP: "10.0.0.9" } };

const SERVICES: readonly Row[] = [
  {
    name: "that waits, while they are left to MetalLB, on the leader",
    changes: { isLeader: true, leader: "n1", notAllocating: LEFT },
    state: "problem",
    ends: `asks for any address, and has no address: ${LEFT}`,
  },
  {
    name: "that waits, while they are left to MetalLB, elsewhere",
    changes: { notAllocating: LEFT },
    state: "problem",
    ends: `asks for any address, and has no address: ${LEFT}`,
  },
  {
    name: "that has one, while they are left to MetalLB",
    web: { ips: [VIP] },
    changes: { notAllocating: LEFT },
    state: "ok",
    ends: `asks for any address, and has 10.0.0.1; ${LEFT}`,
  },
  {
    name: "that has one and asks for another, while they are left to MetalLB",
    web: OTHER,
    changes: { notAllocating: LEFT },
    state: "problem",
    ends: `asks for 10.0.0.9, and has 10.0.0.1: ${LEFT}`,
  },
  {
    name: "that waits, on a node that does not lead",
    state: "problem",
    ends: "and has no address: the leader (n2) knows why: run lbctl explain there",
  },
  {
    name: "that has one and asks for another, on a node that does not lead",
    web: OTHER,
    state: "problem",
    ends: "has 10.0.0.1: the leader (n2) knows why: run lbctl explain there",
  },
  {
    name: "that has what it asks for, on a node that does not lead",
    web: { ips: [VIP], spec: { loadBalancerIP: VIP } },
    state: "ok",
    ends: "asks for 10.0.0.1, and has 10.0.0.1",
  },
  {
    name: "that waits, while no node leads",
    changes: { leader: null },
    state: "problem",
    ends: "and has no address: no node leads now, and only the leader gives addresses",
  },
];

for (const { name, web, changes, state, ends } of SERVICES) {
  test(`explain() who gives addresses, of a Service ${name}`, () => {
    const [step] = explain("web", sources(web, changes ?? {}))?.steps ?? [];
    assert.equal(step?.state, state);
    assert.ok(step.text.endsWith(ends), step.text);
  });
}

test("explain() of an address on a node whose own VIPs MetalLB's speaker answers for", () => {
  const own = explain(VIP, sources({ ips: [VIP] }, { vip: () => OWNED, muted: MUTED }));
  assert.equal(own?.answer, "node n1 owns it, and does not answer");
  assert.deepEqual(own.steps.at(-1), { step: "wire", state: "problem", text: MUTED });
  const other = explain(VIP, sources({ ips: [VIP] }, { vip: () => THEIRS, muted: MUTED }));
  assert.equal(other?.answer, "node n2 answers for it");
  assert.equal(other.steps.at(-1)?.state, "unknown", "it is not this node's to answer");
});

test("explain() of an address on a node that takes up none says why", () => {
  const view = explain(VIP, sources({ ips: [VIP] }, { muted: "shadow mode" }));
  assert.equal(view?.answer, "this node does not answer for it");
  assert.deepEqual(view.steps.at(-1), { step: "owner", state: "problem", text: "shadow mode" });
});

test("explain() of a free address: what is withheld is known to the leader alone", () => {
  const elsewhere = explain("10.0.0.7", sources({}, {}));
  assert.match(elsewhere?.answer ?? "", /leader \(n2\) knows whether it is free or withheld/);
  const there = explain("10.0.0.7", sources({}, { isLeader: true }));
  assert.equal(there?.answer, "no Service has it: it is free");
});
