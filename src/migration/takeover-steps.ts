// What comes next on the way from MetalLB to lbd, and on the way back, given where the cluster is.
// Pure, and without a memory: whoever starts in the middle goes on from there.

import type { Announced, LbdState, NodeState, Step, TakeoverState } from "./takeover-state.ts";

/** The nodes to take over or give back; null: all of them. */
export type Chosen = readonly string[] | null;

/** The controller first: from then on lbd gives the addresses. Then node by node. */
export function nextOver(state: TakeoverState, chosen: Chosen): Step {
  const { controller, speaker } = state;
  if (controller === null && speaker === null) return { end: "nothing" };
  const nodes = chosenOf(state, chosen);
  const unready = nodes.find((node) => hasSpeaker(node) && !isAlive(node.lbd));
  if (unready !== undefined) return { wait: "lbd", node: unready.name };
  if (nodes.some(hasSpeaker) && unowned(state).length > 0) return { wait: "owners", node: null };
  if (controller !== null) {
    if (controller.replicas > 0) return { do: "scale-controller", replicas: 0, isBack: false };
    if (controller.pods > 0) return { wait: "controller-gone", node: null };
  }
  return restriction(state) ?? nodeOver(nodes) ?? { end: "done" };
}

/** One that is to go; a node that was taken over may have lost its lbd since. */
function hasSpeaker({ mark, pods }: NodeState): boolean {
  return mark === "returning" || (pods > 0 && (mark === "yes" || mark === null));
}

/** Null: speakers run by label, and nothing is on its way. */
function restriction({ speaker, nodes }: TakeoverState): Step | null {
  if (speaker === null) return null;
  if (!speaker.isRestricted) {
    // Before the DaemonSet asks for it: a speaker on a node without the label would go.
    const unmarked = nodes.filter(({ mark }) => mark !== "yes").map(({ name }) => name);
    if (unmarked.length > 0) return { do: "mark-nodes", nodes: unmarked, mark: "yes" };
    return { do: "restrict-speakers" };
  }
  return speaker.isChanging ? { wait: "speakers-changed", node: null } : null;
}

/** The first node that is not lbd's yet; null: all are. */
function nodeOver(nodes: readonly NodeState[]): Step | null {
  for (const node of nodes) {
    const { name, mark, pods, lbd } = node;
    if (mark === "yes" || mark === "returning") {
      return { do: "mark-nodes", nodes: [name], mark: hasSpeaker(node) ? "taken" : "none" };
    }
    if (pods > 0) return { wait: "speaker-gone", node: name };
    if (mark === "taken" && lbd.kind !== "answers") return { wait: "answers", node: name };
  }
  return null;
}

/** What a speaker answers for, and no lbd would: it would be lost. */
export function unowned({ announced }: Pick<TakeoverState, "announced">): readonly Announced[] {
  return announced.filter(({ owner }) => owner === null);
}

/** The other way round, the last node first, and the controller last. */
export function nextBack(state: TakeoverState, chosen: Chosen): Step {
  const { controller, speaker } = state;
  if (controller === null && speaker === null) return { end: "nothing" };
  const nodes = chosenOf(state, chosen).toReversed();
  const node = nodeBack(state, nodes);
  if (node !== null) return node;
  if (chosen !== null) return { end: "done" };
  if (speaker?.isRestricted === true) return { do: "free-speakers" };
  if (speaker?.isChanging === true) return { wait: "speakers-changed", node: null };
  if (controller !== null) {
    const { noted, available } = controller;
    if (noted !== null) return { do: "scale-controller", replicas: noted, isBack: true };
    if (controller.replicas > 0 && available === 0) return { wait: "controller-back", node: null };
  }
  const marked = nodes.filter(({ mark }) => mark !== null).map(({ name }) => name);
  if (marked.length > 0) return { do: "mark-nodes", nodes: marked, mark: null };
  return { end: "done" };
}

/** The first node whose speaker is not back, or whose lbd has not noticed. */
function nodeBack({ speaker }: TakeoverState, nodes: readonly NodeState[]): Step | null {
  if (speaker?.isRestricted !== true) return null;
  for (const { name, mark, ready, lbd } of nodes) {
    if (mark === "yes") continue;
    if (mark !== "returning") {
      return { do: "mark-nodes", nodes: [name], mark: mark === "taken" ? "returning" : "yes" };
    }
    if (ready === 0) return { wait: "speaker-back", node: name };
    if (lbd.kind === "answers") return { wait: "silent", node: name };
    return { do: "mark-nodes", nodes: [name], mark: "yes" };
  }
  return null;
}

function chosenOf({ nodes }: TakeoverState, chosen: Chosen): readonly NodeState[] {
  return chosen === null ? nodes : nodes.filter(({ name }) => chosen.includes(name));
}

function isAlive({ kind }: LbdState): boolean {
  return kind === "answers" || kind === "silent";
}
