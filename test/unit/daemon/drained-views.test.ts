// Tests of what the socket shows of drains, plans, peers' daemons and addresses that nobody can
// answer for.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Mac } from "../../../src/core/mac.ts";
import type { PeerState } from "../../../src/core/peer.ts";
import { bootMs } from "../../../src/core/time.ts";
import { EXCLUDE_LABEL } from "../../../src/daemon/placements.ts";
import { Responder } from "../../../src/daemon/responder.ts";
import type { ResponderReport } from "../../../src/daemon/responder-messages.ts";
import type { ViewSources } from "../../../src/daemon/views.ts";
import type { ClusterObjects } from "../../support/kubernetes-objects.ts";
import { endpoint, node, resource, service, slice } from "../../support/kubernetes-objects.ts";
import { UNMEASURED } from "../../support/unmeasured.ts";
import { joinCluster, member, STARTED_MS, viewsOf, vipRecord } from "./views-harness.ts";

const LOCAL = { externalTrafficPolicy: "Local" };

const OBJECTS: ClusterObjects = {
  nodes: [node("n1"), node("n2"), node("n3", { labels: { [EXCLUDE_LABEL]: "" } })],
  pools: [resource("lan", { addresses: ["10.0.0.0/24"] })],
  advertisements: [resource("all", { ipAddressPools: ["lan"] })],
  services: [service("shop/web", { ips: ["10.0.0.1"] })],
};

const DRAINED = { cause: "requested", force: false } as const;
const HERE = [vipRecord("10.0.0.1", "n1", 4)];

interface Options {
  readonly objects?: ClusterObjects;
  readonly vips?: typeof HERE;
  readonly changes?: Partial<ViewSources>;
  /** What the beacons of n2 say; null: none are heard. */
  readonly n2?: PeerState | null;
}

/** n1, with what it has by `vips`, beside n2. */
function running(t: TestContext, options: Options = {}) {
  const { objects = OBJECTS, vips = HERE, changes = {}, n2 = "live" } = options;
  const harness = viewsOf(t, objects, changes);
  joinCluster(harness, { vips, members: [member("n2")] });
  const mac = "02:00:00:00:00:02" as Mac;
  const about = { node: "n2", interface: "eth0", incarnation: 1, isProven: true, mac };
  const peer = { ...about, holdMs: 300, at: bootMs(STARTED_MS) };
  if (n2 !== null) harness.step({ type: "peer-heard", ...peer, state: n2 });
  return harness.views;
}

test("drain() of a node that nobody drains has nothing that remains", (t) => {
  assert.deepEqual(running(t).drain(), {
    node: "n1",
    draining: false,
    cause: null,
    force: false,
    remaining: [],
  });
});

const REMAINING: readonly (readonly [name: string, n2: PeerState | null, reason: string])[] = [
  ["is not heard", null, 'no beacons of "n2" arrive here'],
  ["is drained itself", "draining", 'the daemon of "n2" is draining'],
  ["takes it", "live", '"n2" is asked to take it over'],
];

for (const [name, n2, words] of REMAINING) {
  test(`drain() says what keeps an address here whose other node ${name}`, (t) => {
    const view = running(t, { n2, changes: { drain: DRAINED } }).drain();
    assert.deepEqual([view.draining, view.cause], [true, "requested"]);
    const [{ address, reason } = assert.fail("it is still here")] = view.remaining;
    assert.equal(address, "10.0.0.1");
    assert.ok(reason.includes(words), reason);
    const excluded = `"n3" may not own it: it has the label ${EXCLUDE_LABEL}`;
    assert.equal(reason.includes(excluded), n2 !== "live", "every no has its reason");
  });
}

test("drain() of a node that has handed over everything", (t) => {
  const vips = [vipRecord("10.0.0.1", "n2", 5)];
  const drain = { cause: "cordoned", force: true } as const;
  assert.deepEqual(running(t, { vips, changes: { drain } }).drain(), {
    node: "n1",
    draining: true,
    cause: "cordoned",
    force: true,
    remaining: [],
  });
});

const FINDINGS: readonly (readonly [ViewSources["drain"]["cause"], string, string])[] = [
  ["requested", 'somebody ran "lbctl drain"', "lbctl undrain"],
  [
    "cordoned",
    'its Node is cordoned, and the node file says "drainOnCordon"',
    "kubectl uncordon n1",
  ],
];

for (const [cause, why, next] of FINDINGS) {
  test(`findings() of a node that is drained (${cause}) say why, and how that ends`, (t) => {
    const drain = { cause, force: false };
    const vips = [vipRecord("10.0.0.1", "n2", 5)];
    assert.deepEqual(running(t, { vips, changes: { drain } }).findings(), [
      {
        health: "degraded",
        what: "This node is drained: it hands over its addresses and takes none",
        cause: why,
        next,
        since: "1970-01-01T00:00:00.000Z",
      },
    ]);
  });
}

/** Addresses of one Service each, none of which has an owner yet. */
const MANY = Array.from({ length: 16 }, (_, i) => `10.0.0.${i + 1}`);
const ALL: ClusterObjects = {
  ...OBJECTS,
  services: MANY.map((address, i) => service(`shop/s${i}`, { ips: [address] })),
};

function plan(t: TestContext, options: Options): string[] {
  return running(t, options)
    .planRebalance()
    .map(({ address, from, to }) => `${address} ${from}>${to}`);
}

test("planRebalance() moves to the node that ranks first, if it is there", (t) => {
  const vips = MANY.map((address) => vipRecord(address, "n1", 4));
  const moves = plan(t, { objects: ALL, vips });
  assert.ok(moves.length > 0 && moves.length < MANY.length, moves.join(", "));
  for (const move of moves) assert.match(move, / n1>n2$/);
  assert.deepEqual(plan(t, { objects: ALL, vips, n2: null }), [], "n2 is not heard");
  assert.deepEqual(plan(t, { objects: ALL, vips, n2: "draining" }), [], "n2 is drained");
});

test("planRebalance() of a drained node brings nothing back to it", (t) => {
  const vips = MANY.map((address) => vipRecord(address, "n2", 4));
  const back = plan(t, { objects: ALL, vips });
  assert.ok(back.length > 0, "n1 ranks first for some");
  for (const move of back) assert.match(move, / n2>n1$/);
  assert.deepEqual(plan(t, { objects: ALL, vips, changes: { drain: DRAINED } }), []);
});

test("planRebalance() leaves out what nobody has, and what is in no pool", (t) => {
  const services = [service("shop/stray", { ips: ["192.168.0.1"] })];
  assert.deepEqual(plan(t, { objects: { ...OBJECTS, services }, vips: [] }), []);
});

function daemons(t: TestContext, options: { drained?: boolean; peers?: ResponderReport["peers"] }) {
  const { drained = false, peers = [] } = options;
  const nothing = {
    counters: {},
    vips: [],
    problems: [],
    groupProblem: null,
    ...UNMEASURED,
    foreignClusters: [],
  };
  const responder = Object.create(Responder.prototype, {
    report: { value: (): ResponderReport => ({ ...nothing, peers }) },
  });
  const changes = { responder, ...(drained ? { drain: DRAINED } : {}) };
  const nodes = running(t, { changes }).nodes();
  return Object.fromEntries(nodes.map(({ node: name, daemon }) => [name, daemon]));
}

const heard = (state: PeerState, verdict = "heard") => [
  { node: "n2", interface: "eth0", verdict, state, jitterMs: 0 },
];

test("nodes() has what each daemon says of itself, this one's drain included", (t) => {
  assert.deepEqual(daemons(t, {}), { n1: "live", n2: null, n3: null });
  assert.deepEqual(daemons(t, { drained: true }), { n1: "draining", n2: null, n3: null });
  for (const state of ["live", "draining", "restarting", "stopping", "deaf"] as const) {
    assert.equal(daemons(t, { peers: heard(state) }).n2, state);
  }
});

test("nodes() knows nothing of a daemon that is silent, whatever it said before", (t) => {
  assert.equal(daemons(t, { peers: heard("live", "silent") }).n2, null);
});

const orphans = (t: TestContext, options: Options) => {
  const found = running(t, { vips: [], ...options }).findings();
  return found.filter(({ what }) => what.startsWith("Nobody answers")).map(({ cause }) => cause);
};

const NO_ENDPOINT = { ...OBJECTS, slices: [slice("shop/web-x", "web", [])] };
const EXCLUDED = [node("n1", { labels: { [EXCLUDE_LABEL]: "" } })];

test("findings() do not complain of an address whose Service has no endpoint", (t) => {
  assert.deepEqual(orphans(t, { objects: NO_ENDPOINT }), []);
  const services = [service("shop/web", { ips: ["10.0.0.1"], spec: LOCAL })];
  assert.deepEqual(orphans(t, { objects: { ...NO_ENDPOINT, services } }), []);
});

test("findings() complain of one whose only endpoints are where it may not be answered", (t) => {
  const services = [service("shop/web", { ips: ["10.0.0.1"], spec: LOCAL })];
  const slices = [slice("shop/web-x", "web", [endpoint("n1")])];
  const objects = { ...OBJECTS, nodes: EXCLUDED, services, slices };
  const [cause = ""] = orphans(t, { objects });
  assert.match(cause, /^no node is eligible \(.*n1: it has the label/);
  assert.match(cause, /n2: the API knows no Node of this name/);
});

test("findings() complain of an address that drained nodes let go of: nobody takes it", (t) => {
  const changes = { drain: { cause: "requested", force: true } } as const;
  const [cause = ""] = orphans(t, { changes, n2: "draining" });
  assert.match(cause, /n1: it is drained/);
  assert.match(cause, /n2: its daemon is draining/);
  assert.deepEqual(orphans(t, { changes, n2: "live" }), [], "n2 is about to take it");
  assert.deepEqual(orphans(t, { n2: "draining" }), [], "n1 is about to take it");
});
