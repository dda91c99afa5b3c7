// A cluster between MetalLB and lbd, in few words: MetalLB as it is on two nodes, lbd beside it.

import type {
  ControllerState,
  NodeState,
  SpeakerState,
  TakeoverState,
} from "../../src/migration/takeover-state.ts";

export function controllerState(changes: Partial<ControllerState> = {}): ControllerState {
  return { name: "controller", replicas: 1, pods: 1, available: 1, noted: null, ...changes };
}

export function speakerState(changes: Partial<SpeakerState> = {}): SpeakerState {
  return { name: "speaker", isChanging: false, isRestricted: false, ...changes };
}

/** With a speaker, and an lbd beside it that is silent for that. */
export function nodeState(name: string, changes: Partial<NodeState> = {}): NodeState {
  const lbd = { kind: "silent", why: "MetalLB's speaker runs on this node" } as const;
  return { name, mark: null, pods: 1, ready: 1, lbd, ...changes };
}

export function takeoverState(changes: Partial<TakeoverState> = {}): TakeoverState {
  return {
    namespace: "metallb-system",
    controller: controllerState(),
    speaker: speakerState(),
    nodes: [nodeState("n1"), nodeState("n2")],
    announced: [],
    ...changes,
  };
}
