// All steps that are ahead, as they would come if everything that is waited for came. Pure.

import { invariant } from "../core/invariant.ts";
import type { Deed, NodeState, Step, TakeoverState, Wait } from "./takeover-state.ts";

export interface Preview {
  readonly steps: readonly (Deed | Wait)[];
  /** What must come first, and nothing here brings it: it would end there. */
  readonly blocked: Wait | null;
  /** The state before each step, and after the last. */
  readonly states: readonly TakeoverState[];
}

/** A few for each node, and some besides. */
const STEPS_PER_NODE_MAX = 8;

export function preview(state: TakeoverState, next: (state: TakeoverState) => Step): Preview {
  const steps: (Deed | Wait)[] = [];
  const states = [state];
  let current = state;
  for (;;) {
    const step = next(current);
    if ("end" in step) return { steps, blocked: null, states };
    if ("wait" in step && (step.wait === "lbd" || step.wait === "owners")) {
      return { steps, blocked: step, states };
    }
    steps.push(step);
    current = "do" in step ? done(step, current) : come(step, current);
    states.push(current);
    invariant(steps.length < STEPS_PER_NODE_MAX * (state.nodes.length + 2), "steps lead to an end");
  }
}

function done(deed: Deed, state: TakeoverState): TakeoverState {
  const { controller, speaker } = state;
  switch (deed.do) {
    case "mark-nodes": {
      const mark = (node: NodeState): NodeState =>
        deed.nodes.includes(node.name) ? { ...node, mark: deed.mark } : node;
      return { ...state, nodes: state.nodes.map(mark) };
    }
    case "scale-controller": {
      const noted = deed.isBack || controller === null ? null : controller.replicas;
      const changed = controller && { ...controller, replicas: deed.replicas, noted };
      return { ...state, controller: changed };
    }
    case "restrict-speakers":
      return { ...state, speaker: speaker && { ...speaker, isRestricted: true, isChanging: true } };
    case "free-speakers":
      return {
        ...state,
        speaker: speaker && { ...speaker, isRestricted: false, isChanging: true },
      };
  }
}

function come({ wait, node }: Wait, state: TakeoverState): TakeoverState {
  const { controller, speaker } = state;
  const change = (to: Partial<NodeState>): TakeoverState => ({
    ...state,
    nodes: state.nodes.map((one) => (one.name === node ? { ...one, ...to } : one)),
  });
  switch (wait) {
    case "controller-gone":
      return { ...state, controller: controller && { ...controller, pods: 0, available: 0 } };
    case "controller-back":
      return { ...state, controller: controller && { ...controller, pods: 1, available: 1 } };
    case "speakers-changed":
      return { ...state, speaker: speaker && { ...speaker, isChanging: false } };
    case "speaker-gone":
      return change({ pods: 0, ready: 0 });
    case "speaker-back":
      return change({ pods: 1, ready: 1 });
    case "answers":
      return change({ lbd: { kind: "answers" } });
    case "silent":
      return change({ lbd: { kind: "silent", why: "" } });
    case "lbd":
    case "owners":
      return state;
  }
}
