// Tests of what speaks against a move, in the words that lbctl shows, and of which moves a
// rebalancing consists.

import assert from "node:assert/strict";
import { test } from "node:test";
import { epochOf } from "../../../src/core/epoch.ts";
import { plannedMove, whyNotMove, whyNotTaker, whyStuck } from "../../../src/daemon/moves.ts";
import type { Verdict } from "../../../src/ownership/candidates.ts";
import type { VipView } from "../../../src/ownership/views.ts";
import { ip } from "../../support/ipam-requests.ts";

const ADDRESS = ip("10.0.0.1");
const ABLE = { eligible: true, interfaces: ["eth0"], unhealthy: null } as const;
const SICK = { ...ABLE, unhealthy: "the Node is not Ready" } as const;
const UNABLE = { eligible: false, reason: "no interface with carrier" } as const;

function verdict(node: string, changes: Partial<Verdict> = {}): Verdict {
  return { node, status: "alive", hearing: "heard", state: "live", verdict: ABLE, ...changes };
}

const OWNING: VipView["phase"] = {
  kind: "owning",
  epoch: epochOf(3),
  interfaces: ["eth0"],
  isRewriting: false,
};
const IDLE: VipView["phase"] = { kind: "idle" };
const RELEASING: VipView["phase"] = { kind: "releasing" };

/** n1 owns it, and ranks before n2. */
function view(changes: Partial<VipView> & { owner?: string | null } = {}): VipView {
  const { owner = "n1", ...others } = changes;
  return {
    address: ADDRESS,
    phase: OWNING,
    record: { address: ADDRESS, owner, epoch: 3, resourceVersion: "1" },
    serving: "everywhere",
    rankBy: ADDRESS,
    verdicts: [verdict("n1"), verdict("n2")],
    ...others,
  };
}

const TAKERS: readonly (readonly [
  name: string,
  changes: Partial<Verdict>,
  reason: string | null,
])[] = [
  ["is not eligible", { verdict: UNABLE }, '"n2" may not own it: no interface with carrier'],
  ["is not healthy", { verdict: SICK }, '"n2" should not own it: the Node is not Ready'],
  ["was never heard", { hearing: "unknown", state: null }, 'no beacons of "n2" arrive here'],
  ["is silent", { hearing: "silent" }, 'no beacons of "n2" arrive here'],
  ["answers, its beacons filtered", { hearing: "answers" }, 'no beacons of "n2" arrive here'],
  ["is drained itself", { state: "draining" }, 'the daemon of "n2" is draining'],
  ["restarts", { state: "restarting" }, 'the daemon of "n2" is restarting'],
  ["stops", { state: "stopping" }, 'the daemon of "n2" is stopping'],
  ["is deaf", { state: "deaf" }, 'the daemon of "n2" is deaf'],
  ["is live, though its Lease has expired", { status: "down" }, null],
  ["is live and well", {}, null],
];

for (const [name, changes, reason] of TAKERS) {
  test(`whyNotTaker() of a node that ${name}`, () => {
    assert.equal(whyNotTaker(verdict("n2", changes)), reason);
  });
}

interface MoveRow {
  readonly name: string;
  readonly view: VipView;
  readonly to: string;
  readonly reason: string | null;
}

const MOVES: readonly MoveRow[] = [
  {
    name: "that nobody has",
    view: view({ phase: IDLE, owner: null }),
    to: "n2",
    reason: "nobody answers for it now",
  },
  {
    name: "without a record",
    view: view({ phase: IDLE, record: null }),
    to: "n2",
    reason: "nobody answers for it now",
  },
  {
    name: "that this node is about to let go of",
    view: view({ phase: RELEASING }),
    to: "n2",
    reason: "nobody answers for it now",
  },
  {
    name: "that the other node has",
    view: view({ phase: IDLE, owner: "n2" }),
    to: "n2",
    reason: '"n2" has it already',
  },
  {
    name: "that a third node has",
    view: view({ phase: IDLE, owner: "n3" }),
    to: "n2",
    reason: '"n3" has it: run the command on that node',
  },
  { name: "to this node itself", view: view(), to: "n1", reason: '"n1" has it already' },
  { name: "to nobody known", view: view(), to: "n9", reason: 'there is no node "n9"' },
  {
    name: "to a node that does not take it",
    view: view({ verdicts: [verdict("n1"), verdict("n2", { state: "draining" })] }),
    to: "n2",
    reason: 'the daemon of "n2" is draining',
  },
  {
    name: "of this node whose record names another still",
    view: view({ owner: "n2" }),
    to: "n2",
    reason: null,
  },
  { name: "to a node that takes it", view: view(), to: "n2", reason: null },
];

for (const { name, view: given, to, reason } of MOVES) {
  test(`whyNotMove() of an address ${name}`, () => {
    assert.equal(whyNotMove(given, "n1", to), reason);
  });
}

const unable = (node: string) => verdict(node, { verdict: UNABLE });

const STUCK: readonly (readonly [string, readonly Verdict[], string])[] = [
  ["a cluster of one node", [verdict("n1")], "there is no other node"],
  [
    "nobody to take it",
    [unable("n2"), verdict("n1"), verdict("n3", { hearing: "silent" })],
    '"n2" may not own it: no interface with carrier; no beacons of "n3" arrive here',
  ],
  [
    "one that takes it among others that do not",
    [unable("n2"), verdict("n1"), verdict("n3")],
    '"n3" is asked to take it over',
  ],
];

for (const [name, verdicts, text] of STUCK) {
  test(`whyStuck() with ${name}`, () => {
    assert.equal(whyStuck(view({ verdicts }), "n1"), text);
  });
}

interface PlanRow {
  readonly name: string;
  readonly verdicts: readonly Verdict[];
  readonly changes?: Parameters<typeof view>[0];
  /** This node is drained. */
  readonly isDrained?: boolean;
  readonly move: string | null;
}

const [n1, n2] = [verdict("n1"), verdict("n2")];
const ELSEWHERE = { phase: IDLE, owner: "n2" } as const;

const PLANS: readonly PlanRow[] = [
  { name: "nobody's", verdicts: [n1, n2], changes: { phase: IDLE, owner: null }, move: null },
  { name: "no node could own", verdicts: [unable("n1"), unable("n2")], move: null },
  { name: "with its best node", verdicts: [n1, n2], move: null },
  {
    name: "with the best of those that are there",
    verdicts: [verdict("n2", { hearing: "silent" }), n1],
    move: null,
  },
  { name: "here, ranked first elsewhere", verdicts: [n2, n1], move: "n1 to n2" },
  {
    name: "here, ranked first with a node that is drained, then with a third",
    verdicts: [verdict("n2", { state: "draining" }), verdict("n3"), n1],
    move: "n1 to n3",
  },
  {
    name: "here, where the Node is not Ready",
    verdicts: [verdict("n1", { verdict: SICK }), n2],
    move: "n1 to n2",
  },
  {
    name: "elsewhere, ranked first here",
    verdicts: [n1, n2],
    changes: ELSEWHERE,
    move: "n2 to n1",
  },
  {
    name: "elsewhere, ranked first here, where it may not be",
    verdicts: [unable("n1"), n2],
    changes: ELSEWHERE,
    move: null,
  },
  {
    name: "elsewhere, ranked first here, where the node is drained",
    verdicts: [n1, n2],
    changes: ELSEWHERE,
    isDrained: true,
    move: null,
  },
  {
    name: "here, where the node is drained",
    verdicts: [n1, n2],
    isDrained: true,
    move: "n1 to n2",
  },
  {
    name: "between two other nodes",
    verdicts: [verdict("n3"), n2, n1],
    changes: ELSEWHERE,
    move: "n2 to n3",
  },
];

for (const { name, verdicts, changes, isDrained = false, move } of PLANS) {
  test(`plannedMove() of an address ${name}: ${move ?? "none"}`, () => {
    const planned = plannedMove(view({ ...changes, verdicts }), { node: "n1", isDrained });
    assert.equal(planned && `${planned.from} to ${planned.to}`, move);
    assert.equal(planned?.address, move === null ? undefined : ADDRESS);
  });
}

test("plannedMove() leaves the second address of a Service to the first", () => {
  const idle = { phase: { kind: "idle" }, owner: "n2" } as const;
  assert.notEqual(plannedMove(view(idle), { node: "n1", isDrained: false }), null);
  const second = view({ ...idle, rankBy: ip("10.0.0.9") });
  assert.equal(plannedMove(second, { node: "n1", isDrained: false }), null);
});
