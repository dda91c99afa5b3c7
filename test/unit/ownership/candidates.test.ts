// Tests of who could own a VIP: those heard, or alive by their Leases, that are eligible; in rank
// order, healthy ones first.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerState } from "../../../src/core/peer.ts";
import { bootMs } from "../../../src/core/time.ts";
import { Candidates } from "../../../src/ownership/candidates.ts";
import { Members } from "../../../src/ownership/members.ts";
import { Neighbours } from "../../../src/ownership/neighbours.ts";
import { Ranking } from "../../../src/ownership/ranking.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import type { MemberRecord, NodePlacement, VipSpec } from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  ETH0,
  macOf,
  member,
  segment,
  sha256,
  vip,
} from "../../support/ownership-words.ts";

const NOW = bootMs(0);
const C = member("node-c");
const UNHEALTHY: NodePlacement = { ...ALLOWED, unhealthy: "not Ready" };
const REFUSED: NodePlacement = { allowed: false, reason: "no L2Advertisement selects it" };
const ELSEWHERE = [segment("eth1", "203.0.113.0/24")];

type How = PeerState | "silent" | "answers";

/** Seen by node-b, which is on ETH0 itself; `heard`: how, or in which state, on eth0. */
function candidates(
  records: readonly MemberRecord[],
  heard: Readonly<Record<string, How>> = {},
): Candidates {
  const members = new Members(DEFAULT_TIMINGS);
  for (const record of records) members.observe(record, NOW);
  const neighbours = new Neighbours();
  for (const [node, how] of Object.entries(heard)) {
    const isSilent = how === "silent" || how === "answers";
    const state = isSilent ? "live" : how;
    const about = { mac: macOf(node), incarnation: 1, isProven: true, holdMs: 300, at: NOW };
    neighbours.heard(node, "eth0", { ...about, state });
    const silence = { answers: how === "answers", gateway: null, heard: [], at: NOW };
    if (isSilent) neighbours.silent(node, "eth0", silence);
  }
  const known = { members, neighbours, ranking: new Ranking(sha256) };
  const made = new Candidates("node-b", known);
  made.setOwnSegments([ETH0]);
  return made;
}

interface Row {
  readonly name: string;
  readonly others: readonly MemberRecord[];
  readonly heard?: Readonly<Record<string, How>>;
  readonly spec?: VipSpec;
  readonly now?: number;
  readonly ranked: readonly string[];
}

const A = member("node-a");
const ROWS: readonly Row[] = [
  {
    name: "leaves out a node that no advertisement selects",
    others: [A, C],
    spec: vip({ "node-a": REFUSED }),
    ranked: ["node-c", "node-b"],
  },
  {
    name: "leaves out a member that the API does not know",
    others: [A, C],
    spec: vip({ "node-c": null }),
    ranked: ["node-a", "node-b"],
  },
  {
    name: "leaves out a node that is no member",
    others: [C],
    ranked: ["node-c", "node-b"],
  },
  {
    name: "leaves out a node that gave its Lease up",
    others: [member("node-a", { holder: null }), C],
    ranked: ["node-c", "node-b"],
  },
  { name: "leaves out suspects, and not itself", others: [A, C], now: 15_000, ranked: ["node-b"] },
  {
    name: "leaves out a member on another segment",
    others: [member("node-a", { segments: ELSEWHERE }), C],
    ranked: ["node-c", "node-b"],
  },
  {
    name: "leaves out the unhealthy while somebody is healthy",
    others: [A, C],
    spec: vip({ "node-a": UNHEALTHY, "node-c": UNHEALTHY }),
    ranked: ["node-b"],
  },
  {
    name: "takes the unhealthy when there are no others",
    others: [A, C],
    spec: vip({ "node-a": UNHEALTHY, "node-b": REFUSED, "node-c": UNHEALTHY }),
    ranked: ["node-a", "node-c"],
  },
  {
    name: "takes those heard, whatever their Leases say",
    others: [A, member("node-c", { holder: null })],
    heard: { "node-a": "live", "node-c": "live" },
    now: 15_000,
    ranked: ["node-a", "node-c", "node-b"],
  },
  {
    name: "leaves out the silent, though their Leases are fresh",
    others: [A, C],
    heard: { "node-a": "silent", "node-c": "live" },
    ranked: ["node-c", "node-b"],
  },
  {
    name: "leaves out those that answer and send no beacons",
    others: [A, C],
    heard: { "node-a": "answers" },
    ranked: ["node-c", "node-b"],
  },
  ...(["draining", "restarting", "stopping", "deaf"] as const).map((state) => ({
    name: `leaves out a node that says it is ${state}`,
    others: [A, C],
    heard: { "node-a": state, "node-c": "live" as const },
    ranked: ["node-c", "node-b"],
  })),
  {
    name: "goes by the Lease of a node that was never heard",
    others: [A, member("node-c", { holder: null })],
    heard: { "node-c": "silent" },
    ranked: ["node-a", "node-b"],
  },
  {
    name: "takes those that are preferred first, by their weight, and the rest as ever",
    others: [A, C],
    spec: vip({
      "node-b": { ...ALLOWED, preference: 60 },
      "node-c": { ...ALLOWED, preference: 5 },
    }),
    ranked: ["node-b", "node-c", "node-a"],
  },
  {
    name: "takes equally preferred ones in the usual order",
    others: [A, C],
    spec: vip({ "node-b": { ...ALLOWED, preference: 9 }, "node-c": { ...ALLOWED, preference: 9 } }),
    ranked: ["node-c", "node-b", "node-a"],
  },
  {
    name: "leaves out a preferred node that is unhealthy while somebody is healthy",
    others: [A, C],
    spec: vip({ "node-c": { ...UNHEALTHY, preference: 100 } }),
    ranked: ["node-a", "node-b"],
  },
  {
    name: "takes everyone alive, best first",
    others: [C, A],
    ranked: ["node-a", "node-c", "node-b"],
  },
];

for (const { name, others, heard, spec = vip(), now = 14_999, ranked } of ROWS) {
  test(`Candidates.ranked() ${name}`, () => {
    assert.deepEqual(candidates(others, heard).ranked(spec, bootMs(now)), ranked);
  });
}

test("Candidates.ranked() ranks by the address that the Service is ranked by", () => {
  const spec = { ...vip(), rankBy: vip({}, "2001:db8::10" as VipSpec["address"]).address };
  assert.deepEqual(candidates([A, C]).ranked(spec, NOW), ["node-b", "node-a", "node-c"]);
});

test("Candidates.own() goes by this node's own segments, not by what its Lease says", () => {
  const made = candidates([member("node-b", { segments: ELSEWHERE })]);
  const yes = { eligible: true, interfaces: ["eth0"], unhealthy: null };
  assert.deepEqual(made.own(vip()), yes);
  made.setOwnSegments([]);
  assert.deepEqual(made.own(vip()), {
    eligible: false,
    reason: "no interface with carrier and an address",
  });
  assert.deepEqual(made.ranked(vip(), NOW), []);
});

test("Candidates.verdicts() names every node of the API and every member, with the reason", () => {
  const made = candidates([member("node-z", { holder: null }), C], { "node-c": "answers" });
  const spec = vip({ "node-a": REFUSED });
  const able = { eligible: true, interfaces: [], unhealthy: null };
  const verdicts = made.verdicts(spec, bootMs(15_000));
  const expected = [
    {
      node: "node-a",
      status: "stopped",
      hearing: "unknown",
      state: null,
      verdict: { eligible: false, reason: "no L2Advertisement selects it" },
    },
    { node: "node-c", status: "suspect", hearing: "answers", state: "live", verdict: able },
    {
      node: "node-b",
      status: "alive",
      hearing: "heard",
      state: "live",
      verdict: { ...able, interfaces: ["eth0"] },
    },
    {
      node: "node-z",
      status: "stopped",
      hearing: "unknown",
      state: null,
      verdict: { eligible: false, reason: "the API knows no Node of this name" },
    },
  ];
  const order = new Ranking(sha256).order(
    expected.map(({ node }) => node),
    spec.rankBy,
  );
  assert.deepEqual(
    verdicts.map(({ node }) => node),
    order,
  );
  const byName = (a: { node: string }, b: { node: string }): number => (a.node < b.node ? -1 : 1);
  assert.deepEqual(verdicts.toSorted(byName), expected.toSorted(byName));
});

test("Candidates.verdicts() makes no member of a node it only names", () => {
  const members = new Members(DEFAULT_TIMINGS);
  const known = { members, neighbours: new Neighbours(), ranking: new Ranking(sha256) };
  new Candidates("node-b", known).verdicts(vip(), NOW);
  assert.deepEqual(members.names(), []);
});

test("Candidates.isBetter() ranks two nodes, whether there or not", () => {
  const made = candidates([]);
  const pairs = [
    ["node-a", "node-c"],
    ["node-c", "node-b"],
    ["node-b", "node-a"],
    ["node-c", "node-a"],
  ] as const;
  const better = pairs.map(([node, than]) => made.isBetter(node, than, vip()));
  assert.deepEqual(better, [true, true, false, false]);
  const preferred = vip({ "node-b": { ...ALLOWED, preference: 100 } });
  const still = pairs.map(([node, than]) => made.isBetter(node, than, preferred));
  assert.deepEqual(still, better, "whatever is preferred, so that both come to the same");
});

test("Candidates.segmentOf() is the interface that the VIP fits best, while there is one", () => {
  const made = candidates([]);
  assert.equal(made.segmentOf(vip()), "eth0");
  made.setOwnSegments([segment("eth2", "192.168.0.0/16")]);
  assert.equal(made.segmentOf(vip()), "eth2");
  made.setOwnSegments([segment("eth2", "192.168.0.0/16"), ETH0]);
  assert.equal(made.segmentOf(vip()), "eth0");
  made.setOwnSegments([]);
  assert.equal(made.segmentOf(vip()), undefined);
});
