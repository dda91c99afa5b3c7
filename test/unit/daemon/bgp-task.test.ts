// When FRR is asked and told: after a change, again and again while something is wrong, and until
// the routers know when a node takes its routes back. FRR itself is another test's.

import assert from "node:assert/strict";
import test from "node:test";
import type { Applied, Apply } from "../../../src/bgp/frr.ts";
import type { BgpIntent } from "../../../src/bgp/intent.ts";
import type { SessionState } from "../../../src/bgp/sessions.ts";
import { bootMs } from "../../../src/core/time.ts";
import { type BgpDecision, NOTHING_BY_BGP } from "../../../src/daemon/bgp-decision.ts";
import { bgpFindings } from "../../../src/daemon/bgp-findings.ts";
import { BgpReports } from "../../../src/daemon/bgp-reports.ts";
import { BgpTask, NO_BGP_YET } from "../../../src/daemon/bgp-task.ts";
import type { EventInput } from "../../../src/k8s-sync/events.ts";
import { clusterOf, resource, service } from "../../support/kubernetes-objects.ts";
import { intentOf, peer, routeClass } from "../bgp/support/intents.ts";

const TOR = peer("tor", { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.1" });
const INTENT = intentOf({
  peers: [TOR],
  classes: [routeClass("all", ["10.1.0.1/32"], { tor: {} })],
});
const DECISION: BgpDecision = {
  ...NOTHING_BY_BGP,
  intent: INTENT,
  announced: new Map([["shop/web", ["tor"]]]),
};
const APPLIED: Applied = {
  commands: 0,
  conflicts: [],
  restored: [],
  wasEmpty: false,
  refused: null,
  peers: ["tor"],
};
const UP: SessionState = {
  ...{ neighbor: "10.9.0.1", vrf: "", state: "Established", isUp: true, upMs: 1_000 },
  ...{
    lastReset: null,
    remoteAsn: 64513,
    sent: 1,
    received: 0,
    queued: 0,
    messages: {},
    bfd: null,
  },
};
const DOWN: SessionState = {
  ...UP,
  state: "Active",
  isUp: false,
  upMs: null,
  lastReset: "Peer closed",
};

function bench(decision: BgpDecision | null = DECISION) {
  const state = {
    decision,
    apply: { ok: true, value: APPLIED } as Apply,
    sessions: [UP] as readonly SessionState[],
    now: 0,
  };
  const applied: BgpIntent[] = [];
  const slept: number[] = [];
  const task = new BgpTask({
    frr: {
      apply: async (intent) => {
        applied.push(intent);
        return state.apply;
      },
      sessions: async () => ({ ok: true, value: state.sessions }),
    },
    clock: { boot: () => bootMs(state.now) },
    passwords: { read: async () => false },
    decide: () => state.decision,
    peers: () => [],
    onLooked: () => {},
    sleep: async (ms) => {
      slept.push(ms);
      state.now += ms;
      state.sessions = state.sessions.map((one) => ({ ...one, sent: Math.max(0, one.sent - 1) }));
    },
  });
  return { task, state, applied, slept };
}

test("nothing is told as long as the cluster is not known: what FRR has stays", async () => {
  const { task, applied } = bench(null);
  await task.look();
  assert.deepEqual(applied, []);
});

test("a host without BGPPeers is cleared once, and FRR need not be there", async () => {
  const { task, applied, state } = bench(NOTHING_BY_BGP);
  state.apply = { ok: false, failure: { kind: "missing", message: "no FRR" } };
  await task.look();
  await task.look();
  assert.equal(applied.length, 1);
  assert.equal(task.state.failure, null);
});

test("what was taken away is told once", async () => {
  const { task, state } = bench(NOTHING_BY_BGP);
  state.apply = { ok: true, value: { ...APPLIED, commands: 4, restored: ["a"], peers: [] } };
  await task.look();
  assert.equal(task.state.applied?.commands, 4);
  await task.look();
  assert.deepEqual([task.state.applied?.commands, task.state.applied?.restored], [0, []]);
});

test("a failure is told as long as there is something to say", async () => {
  const { task, state } = bench();
  state.apply = { ok: false, failure: { kind: "down", message: "bgpd is down" } };
  await task.look();
  assert.equal(task.state.failure?.kind, "down");
  state.apply = { ok: true, value: APPLIED };
  await task.look();
  assert.deepEqual([task.state.failure, task.state.sessions], [null, [UP]]);
});

test("sessions of the administrator's are not lbd's", async () => {
  const { task, state } = bench();
  state.sessions = [UP, { ...UP, neighbor: "10.9.0.9" }, { ...UP, vrf: "red" }];
  await task.look();
  assert.deepEqual(task.state.sessions, [UP]);
});

test("routes that are taken back: it waits until the peers were told", async () => {
  const { task, state, slept } = bench();
  state.sessions = [{ ...UP, sent: 2 }];
  await task.withdrawn(5_000);
  assert.deepEqual(slept, [50, 50, 500]);
  const late = bench();
  late.state.sessions = [{ ...UP, sent: 9_999 }];
  await late.task.withdrawn(200);
  assert.ok(late.state.now <= 250, String(late.state.now));
});

test("a change of the cluster that changes nothing to be said asks FRR nothing", async () => {
  const applied: BgpIntent[] = [];
  let decision = DECISION;
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const task = new BgpTask({
    frr: {
      apply: async (intent) => {
        applied.push(intent);
        return { ok: true, value: APPLIED };
      },
      sessions: async () => ({ ok: true, value: [UP] }),
    },
    clock: { boot: () => bootMs(0) },
    passwords: { read: async () => false },
    decide: () => decision,
    peers: () => [],
    onLooked: () => {},
    // The clock stands: whoever waits for longer than what settles waits to be woken.
    sleep: (ms, signal) =>
      ms < 100
        ? turn()
        : new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
  });
  const ending = new AbortController();
  const running = task.run(ending.signal);
  const kicked = async () => {
    task.kick({ config: false });
    for (let count = 0; count < 10; count++) await turn();
  };
  for (let count = 0; count < 5; count++) await kicked();
  assert.equal(applied.length, 1);
  decision = { ...DECISION, intent: intentOf({ peers: [TOR] }) };
  await kicked();
  assert.equal(applied.length, 2);
  ending.abort();
  await running;
});

test("nobody is waited for where no session is up", async () => {
  const { task, state, slept } = bench();
  state.sessions = [DOWN];
  await task.withdrawn(5_000);
  assert.deepEqual(slept, []);
});

function reports() {
  const events: string[] = [];
  const logged: string[] = [];
  const say = (about: { event: string }) => void logged.push(about.event);
  const cluster = clusterOf({
    services: [service("shop/web", { ips: ["10.1.0.1"] })],
    bgpPeers: [resource("tor")],
  });
  const told = new BgpReports({
    ...{ node: "n1", namespace: "metallb-system", clock: { boot: () => bootMs(0) }, cluster },
    log: { info: say, warn: say },
    events: {
      announcingByBgp: () => void events.push("announcing"),
      conflictingAdvertisements: () => void events.push("conflict"),
    },
    record: ({ reason }: EventInput) => void events.push(reason),
  });
  return { told, events, logged };
}

const LOOKED = {
  ...{ decision: DECISION, failure: null, sessions: [UP] },
  applied: { ...APPLIED, commands: 1 },
};

test("a daemon that is started anew tells nothing of what was so before", () => {
  const { told, events, logged } = reports();
  assert.equal(told.looked({ ...LOOKED, applied: APPLIED }), true);
  told.looked({ ...LOOKED, applied: APPLIED });
  assert.deepEqual([events, logged], [[], []]);
  told.looked({ ...LOOKED, applied: APPLIED, sessions: [DOWN] });
  assert.deepEqual(events, ["BGPSessionDown"]);
});

test("each change is told once: up, down, announced, in conflict", () => {
  const { told, events } = reports();
  assert.equal(told.looked(LOOKED), true);
  assert.equal(told.looked(LOOKED), false);
  told.looked({ ...LOOKED, sessions: [DOWN] });
  told.looked({ ...LOOKED, sessions: [DOWN] });
  const conflicts = new Map([["shop/web", "two preferences"]]);
  const decision = { ...DECISION, announced: new Map(), conflicts };
  assert.equal(told.looked({ ...LOOKED, decision }), true);
  told.looked({ ...LOOKED, decision });
  assert.deepEqual(events, [
    ...["BGPSessionUp", "announcing", "BGPSessionDown", "BGPSessionUp", "conflict"],
  ]);
});

test("while FRR cannot be driven nothing is said to be announced, or down", () => {
  const { told, events, logged } = reports();
  const failure = { kind: "down", message: "bgpd is down" } as const;
  assert.equal(told.looked({ ...LOOKED, applied: null, failure, sessions: [] }), false);
  told.looked({ ...LOOKED, applied: null, failure, sessions: [] });
  assert.deepEqual([events, logged], [[], ["bgp-failure"]]);
  told.looked(LOOKED);
  assert.deepEqual(logged, ["bgp-failure", "bgp-works", "bgp-applied", "bgp-session"]);
});

test("what was changed by hand is told with the lines, and for a while", () => {
  const { told, logged } = reports();
  told.looked({ ...LOOKED, applied: { ...APPLIED, restored: ["a", "b"], commands: 2 } });
  assert.deepEqual(logged.slice(0, 2), ["bgp-restored", "bgp-applied"]);
  assert.deepEqual([told.restoredSince(-1), told.restoredSince(0)], [["a", "b"], []]);
});

const FACTS = {
  ...{ namespace: "metallb-system", restored: [], secretProblems: new Map() },
  signatureProblem: null,
};

test("findings: each thing that is wrong has a cause and a next step", () => {
  assert.deepEqual(bgpFindings({ ...FACTS, state: NO_BGP_YET }), []);
  assert.deepEqual(bgpFindings({ ...FACTS, state: LOOKED }), []);
  const bad = {
    decision: {
      ...DECISION,
      conflicts: new Map([["shop/web", "two preferences"]]),
      unknownPasswords: [{ peer: "other", why: "no Secret" }],
      withheld: "it is drained",
    },
    applied: { ...APPLIED, conflicts: [{ peers: ["third"], text: "AS numbers differ" }] },
    failure: null,
    sessions: [DOWN],
  };
  const found = bgpFindings({ ...FACTS, restored: ["a"], signatureProblem: "wrong", state: bad });
  assert.deepEqual(
    found.map(({ health, cause }) => `${health}: ${cause}`),
    [
      "failing: AS numbers differ",
      "failing: no Secret",
      "degraded: Peer closed; wrong",
      "degraded: two preferences",
      "degraded: no other node that is well could announce it",
      "degraded: a",
    ],
  );
  assert.ok(found.every(({ what, next }) => what !== "" && next !== ""));
});

test("findings: FRR that cannot be driven is the one thing to tell", () => {
  const failure = { kind: "missing", message: "FRR is not installed" } as const;
  const found = bgpFindings({ ...FACTS, state: { ...LOOKED, failure, sessions: [] } });
  assert.deepEqual(
    found.map(({ next }) => next),
    ["sudo apt install frr, then set bgpd=yes and bfdd=yes in /etc/frr/daemons"],
  );
});
