// Whether a node announces, and what, from the cluster as it sees it.

import assert from "node:assert/strict";
import test from "node:test";
import { type BgpSituation, canServe, decideBgp } from "../../../src/daemon/bgp-decision.ts";
import { EXCLUDE_LABEL } from "../../../src/daemon/placements.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";

const POOL = resource("lan", { addresses: ["10.1.0.0/24"] });
const PEER = resource("tor", { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.1" });
const AD = resource("all");

function situation(
  changes: Partial<BgpSituation> & { readonly nodes?: readonly ReturnType<typeof node>[] } = {},
): BgpSituation {
  const { nodes = [node("n1"), node("n2")], ...rest } = changes;
  const cluster = clusterOf({
    services: [service("shop/web", { ips: ["10.1.0.1"] })],
    nodes,
    pools: [POOL],
    advertisements: [],
    bgpPeers: [PEER],
    bgpAdvertisements: [AD],
  });
  return {
    ...{ node: "n1", cluster, muted: null, drain: null, isStopping: false, routeMapIn: null },
    isThere: () => true,
    passwordOf: () => ({ kind: "none" }),
    ...rest,
  };
}

const announced = (changes: Parameters<typeof situation>[0] = {}) => [
  ...decideBgp(situation(changes)).announced.keys(),
];

test("a node announces what is advertised, to the peers that select it", () => {
  const { intent, withheld } = decideBgp(situation());
  assert.deepEqual([intent.peers.map(({ peer }) => peer.name), withheld], [["tor"], null]);
  assert.deepEqual(announced(), ["shop/web"]);
});

test("a drained node keeps its sessions and announces nothing, while another can", () => {
  const drain = { force: false };
  const { intent, announced: none, withheld } = decideBgp(situation({ drain }));
  assert.deepEqual([intent.peers.length, none.size, withheld], [1, 0, "it is drained"]);
  const alone = decideBgp(situation({ drain, isThere: () => false }));
  assert.deepEqual([alone.announced.size, alone.withheld], [1, "it is drained"]);
  assert.deepEqual(announced({ drain: { force: true }, isThere: () => false }), []);
});

test("a node that is not well announces nothing while another can", () => {
  const conditions = [{ type: "Ready", status: "False" }];
  const nodes = [node("n1", { conditions }), node("n2")];
  assert.deepEqual(announced({ nodes }), []);
  assert.deepEqual(announced({ nodes: [node("n1", { conditions })] }), ["shop/web"]);
});

test("the exclude label, NetworkUnavailable and a daemon that stops count in any case", () => {
  assert.deepEqual(announced({ nodes: [node("n1", { labels: { [EXCLUDE_LABEL]: "" } })] }), []);
  const conditions = [{ type: "NetworkUnavailable", status: "True" }];
  assert.deepEqual(announced({ nodes: [node("n1", { conditions })] }), []);
  assert.deepEqual(announced({ isStopping: true }), []);
});

test("while MetalLB's speaker is at work here there is not even a session", () => {
  const muted = decideBgp(situation({ muted: "MetalLB's speaker runs" }));
  assert.deepEqual([muted.intent.peers.length, muted.withheld], [0, "MetalLB's speaker runs"]);
  assert.equal(decideBgp(situation({ nodes: [node("n2")] })).intent.peers.length, 0);
});

test("a peer whose password is not known is left out, and told", () => {
  const passwordOf = () => ({ kind: "unknown", why: "no Secret" }) as const;
  const { intent, unknownPasswords } = decideBgp(situation({ passwordOf }));
  assert.deepEqual(intent.peers, []);
  assert.deepEqual(unknownPasswords, [{ peer: "tor", why: "no Secret" }]);
});

test("endpoints that end are served from while no other is ready", () => {
  const of = (...states: readonly (readonly [string, "ready" | "terminating"])[]) =>
    new Map(states);
  assert.equal(canServe("n1", "everywhere"), true);
  assert.equal(canServe("n1", of(["n1", "ready"])), true);
  assert.equal(canServe("n1", of(["n1", "terminating"])), true);
  assert.equal(canServe("n1", of(["n1", "terminating"], ["n2", "ready"])), false);
  assert.equal(canServe("n1", of(["n2", "ready"])), false);
});
