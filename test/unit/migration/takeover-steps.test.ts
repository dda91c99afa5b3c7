// Tests of what comes next on the way from MetalLB to lbd and back, as a table of clusters, and of
// the whole way as it is ahead.

import assert from "node:assert/strict";
import { test } from "node:test";
import { preview } from "../../../src/migration/takeover-preview.ts";
import type { NodeState, Step, TakeoverState } from "../../../src/migration/takeover-state.ts";
import { type Chosen, nextBack, nextOver } from "../../../src/migration/takeover-steps.ts";
import { controllerState, nodeState, speakerState, takeoverState } from "../../support/takeover.ts";

const SCALED = controllerState({ replicas: 0, pods: 0, available: 0, noted: 2 });
const RESTRICTED = speakerState({ isRestricted: true });
const TAKEN = { mark: "taken", pods: 0, ready: 0, lbd: { kind: "answers" } } as const;
const UNOWNED = { service: "a/b", address: "10.0.0.1", speaker: "n1", owner: null };

function midway(nodes: readonly NodeState[], changes: Partial<TakeoverState> = {}): TakeoverState {
  return takeoverState({ controller: SCALED, speaker: RESTRICTED, nodes, ...changes });
}

const marked = (changes: Partial<NodeState>, name = "n1") =>
  nodeState(name, { mark: "yes", ...changes });

type Row = readonly [name: string, state: TakeoverState, step: Step, chosen?: Chosen];

const OVER: readonly Row[] = [
  ["without MetalLB", takeoverState({ controller: null, speaker: null }), { end: "nothing" }],
  [
    "with a speaker beside no lbd",
    takeoverState({ nodes: [nodeState("n1"), nodeState("n2", { lbd: { kind: "absent" } })] }),
    { wait: "lbd", node: "n2" },
  ],
  [
    "with a speaker beside an lbd that nobody renews",
    takeoverState({ nodes: [nodeState("n1", { lbd: { kind: "expired" } })] }),
    { wait: "lbd", node: "n1" },
  ],
  [
    "with a speaker beside an lbd that does not tell",
    takeoverState({ nodes: [nodeState("n1", { lbd: { kind: "untold" } })] }),
    { wait: "lbd", node: "n1" },
  ],
  [
    "with a node that has neither",
    takeoverState({ nodes: [nodeState("n1", { pods: 0, ready: 0, lbd: { kind: "absent" } })] }),
    { do: "scale-controller", replicas: 0, isBack: false },
  ],
  [
    "with an lbd that is missing on a node that is not chosen",
    takeoverState({ nodes: [nodeState("n1"), nodeState("n2", { lbd: { kind: "absent" } })] }),
    { do: "scale-controller", replicas: 0, isBack: false },
    ["n1"],
  ],
  ["at its start", takeoverState(), { do: "scale-controller", replicas: 0, isBack: false }],
  [
    "with a controller that is on its way out",
    takeoverState({ controller: { ...SCALED, pods: 1 } }),
    { wait: "controller-gone", node: null },
  ],
  [
    "with a controller that is gone",
    takeoverState({ controller: SCALED }),
    { do: "mark-nodes", nodes: ["n1", "n2"], mark: "yes" },
  ],
  [
    "with labels half set",
    takeoverState({ controller: SCALED, nodes: [marked({}), nodeState("n2")] }),
    { do: "mark-nodes", nodes: ["n2"], mark: "yes" },
  ],
  [
    "with a label of long ago",
    takeoverState({ controller: SCALED, nodes: [nodeState("n1", { mark: "none" })] }),
    { do: "mark-nodes", nodes: ["n1"], mark: "yes" },
  ],
  [
    "with all labels set",
    takeoverState({ controller: SCALED, nodes: [marked({})] }),
    { do: "restrict-speakers" },
  ],
  [
    "with a DaemonSet that is changing",
    midway([marked({})], { speaker: { ...RESTRICTED, isChanging: true } }),
    { wait: "speakers-changed", node: null },
  ],
  [
    "with speakers by label",
    midway([marked({}), marked({}, "n2")]),
    { do: "mark-nodes", nodes: ["n1"], mark: "taken" },
  ],
  [
    "with an address that no lbd owns",
    takeoverState({ announced: [UNOWNED] }),
    { wait: "owners", node: null },
  ],
  [
    "with an address that no lbd owns any more, and no speaker that is left",
    midway([marked(TAKEN)], { announced: [UNOWNED] }),
    { end: "done" },
  ],
  [
    "with a node that was to be given back",
    midway([marked({ mark: "returning", pods: 0, ready: 0 })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "taken" },
  ],
  [
    "with a node that never had a speaker",
    midway([marked({ pods: 0, ready: 0, lbd: { kind: "absent" } })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "none" },
  ],
  [
    "with a speaker on its way out",
    midway([marked({ mark: "taken" })]),
    { wait: "speaker-gone", node: "n1" },
  ],
  [
    "with an lbd that has not noticed",
    midway([marked({ ...TAKEN, lbd: { kind: "silent", why: "" } })]),
    { wait: "answers", node: "n1" },
  ],
  [
    "with one of two nodes taken",
    midway([marked(TAKEN), marked({}, "n2")]),
    { do: "mark-nodes", nodes: ["n2"], mark: "taken" },
  ],
  [
    "with the chosen node taken",
    midway([marked(TAKEN), marked({}, "n2")]),
    { end: "done" },
    ["n1"],
  ],
  [
    "with all nodes taken, and one without a speaker",
    midway([marked(TAKEN), marked({ ...TAKEN, mark: "none", lbd: { kind: "absent" } }, "n2")]),
    { end: "done" },
  ],
  [
    "without a DaemonSet",
    takeoverState({ controller: SCALED, speaker: null, nodes: [nodeState("n1", { pods: 0 })] }),
    { end: "done" },
  ],
];

const BACK: readonly Row[] = [
  ["without MetalLB", takeoverState({ controller: null, speaker: null }), { end: "nothing" }],
  ["where nothing was taken over", takeoverState(), { end: "done" }],
  [
    "with all nodes taken",
    midway([marked(TAKEN), marked(TAKEN, "n2")]),
    { do: "mark-nodes", nodes: ["n2"], mark: "returning" },
  ],
  [
    "with one chosen",
    midway([marked(TAKEN), marked(TAKEN, "n2")]),
    { do: "mark-nodes", nodes: ["n1"], mark: "returning" },
    ["n1"],
  ],
  [
    "with a speaker that is to come",
    midway([marked({ ...TAKEN, mark: "returning" })]),
    { wait: "speaker-back", node: "n1" },
  ],
  [
    "with a speaker that is not ready",
    midway([marked({ ...TAKEN, mark: "returning", pods: 1 })]),
    { wait: "speaker-back", node: "n1" },
  ],
  [
    "with an lbd that has not noticed",
    midway([marked({ mark: "returning", lbd: { kind: "answers" } })]),
    { wait: "silent", node: "n1" },
  ],
  [
    "with a speaker that is back",
    midway([marked({ mark: "returning" })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "yes" },
  ],
  [
    "with a speaker that is back where lbd is no more",
    midway([marked({ mark: "returning", lbd: { kind: "absent" } })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "yes" },
  ],
  [
    "with a node that had none",
    midway([marked({ ...TAKEN, mark: "none" })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "yes" },
  ],
  [
    "with a node that joined meanwhile",
    midway([nodeState("n1", { pods: 0, ready: 0 })]),
    { do: "mark-nodes", nodes: ["n1"], mark: "yes" },
  ],
  [
    "with the chosen node given back",
    midway([marked({}), marked(TAKEN, "n2")]),
    { end: "done" },
    ["n1"],
  ],
  ["with all nodes given back", midway([marked({})]), { do: "free-speakers" }],
  [
    "with a DaemonSet that is changing",
    midway([marked({})], { speaker: speakerState({ isChanging: true }) }),
    { wait: "speakers-changed", node: null },
  ],
  [
    "with speakers as they were",
    midway([marked({})], { speaker: speakerState() }),
    { do: "scale-controller", replicas: 2, isBack: true },
  ],
  [
    "with a controller that is to come",
    takeoverState({ controller: controllerState({ available: 0 }), nodes: [marked({})] }),
    { wait: "controller-back", node: null },
  ],
  [
    "with labels that are left",
    takeoverState({ nodes: [marked({}), nodeState("n2")] }),
    { do: "mark-nodes", nodes: ["n1"], mark: null },
  ],
  [
    "with a controller that somebody else scaled to 0",
    midway([nodeState("n1")], { controller: { ...SCALED, noted: null }, speaker: speakerState() }),
    { end: "done" },
  ],
];

for (const [name, state, step, chosen = null] of OVER) {
  test(`nextOver() of a cluster ${name}`, () => assert.deepEqual(nextOver(state, chosen), step));
}
for (const [name, state, step, chosen = null] of BACK) {
  test(`nextBack() of a cluster ${name}`, () => assert.deepEqual(nextBack(state, chosen), step));
}

function words(step: Step): string {
  if ("end" in step) return step.end;
  if ("wait" in step) return `${step.wait} ${step.node ?? ""}`.trim();
  return step.do === "mark-nodes" ? `${step.nodes.join()}=${step.mark}` : step.do;
}

test("preview() of the way over goes node by node, and that of the way back undoes it", () => {
  const start = takeoverState();
  const over = preview(start, (state) => nextOver(state, null));
  assert.deepEqual(over.steps.map(words), [
    ...["scale-controller", "controller-gone", "n1,n2=yes", "restrict-speakers"],
    ...["speakers-changed", "n1=taken", "speaker-gone n1", "answers n1"],
    ...["n2=taken", "speaker-gone n2", "answers n2"],
  ]);
  const there = over.states.at(-1) ?? start;
  const back = preview(there, (state) => nextBack(state, null));
  assert.deepEqual(back.steps.map(words), [
    ...["n2=returning", "speaker-back n2", "silent n2", "n2=yes"],
    ...["n1=returning", "speaker-back n1", "silent n1", "n1=yes"],
    ...["free-speakers", "speakers-changed", "scale-controller", "controller-back", "n2,n1=null"],
  ]);
  const { nodes, ...rest } = back.states.at(-1) ?? there;
  const { nodes: nodesBefore, ...before } = start;
  assert.deepEqual(rest, before);
  assert.deepEqual(nodes.map(withoutWhy), nodesBefore.map(withoutWhy));
});

function withoutWhy({ lbd, ...node }: NodeState): object {
  return { ...node, lbd: lbd.kind };
}

test("from any step of the way over the rest of it is ahead, and the way back leads back", () => {
  const start = takeoverState();
  const over = preview(start, (state) => nextOver(state, null));
  for (const [index, state] of over.states.entries()) {
    const rest = preview(state, (at) => nextOver(at, null));
    assert.deepEqual(rest.steps, over.steps.slice(index));
    const back = preview(state, (at) => nextBack(at, null)).states.at(-1) ?? state;
    assert.deepEqual([back.controller?.replicas, back.speaker], [1, start.speaker]);
    assert.deepEqual(new Set(back.nodes.map(({ mark }) => mark)), new Set([null]));
  }
});

test("preview() ends where something must come first", () => {
  const lonely = takeoverState({ nodes: [nodeState("n1", { lbd: { kind: "absent" } })] });
  const { steps, blocked } = preview(lonely, (state) => nextOver(state, null));
  assert.deepEqual([steps, blocked], [[], { wait: "lbd", node: "n1" }]);
});
