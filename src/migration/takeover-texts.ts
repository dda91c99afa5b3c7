// The way over and back in words: what was done, what is waited for and how long, and what to do
// when that does not come. Pure.

import { type DurationMs, durationMs } from "../core/time.ts";
import type { Deed, TakeoverState, Wait, WaitFor } from "./takeover-state.ts";
import { unowned } from "./takeover-steps.ts";

export type Direction = "over" | "back";

/** More names are counted. */
const NAMES_MAX = 5;

export function deedText(deed: Deed, { controller, speaker }: TakeoverState): string {
  switch (deed.do) {
    case "scale-controller": {
      const who = `Deployment "${controller?.name}"`;
      if (!deed.isBack)
        return `${who}: scaled from ${controller?.replicas} to 0; lbd gives addresses`;
      return `${who}: scaled back to ${deed.replicas}`;
    }
    case "mark-nodes":
      return markText(deed.nodes, deed.mark);
    case "restrict-speakers":
      return `DaemonSet "${speaker?.name}": runs by label from now on; none of its pods restarts`;
    case "free-speakers":
      return `DaemonSet "${speaker?.name}": runs where it ran before`;
  }
}

function markText(nodes: readonly string[], mark: (Deed & { do: "mark-nodes" })["mark"]): string {
  const which = nodes.length === 1 ? `${nodes[0]}:` : `${listed(nodes)}:`;
  switch (mark) {
    case null:
      return `${which} label and note removed`;
    case "yes":
      return `${which} labeled, a speaker may run`;
    case "taken":
      return `${which} label changed, its speaker goes`;
    case "none":
      return `${which} label changed, it has no speaker`;
    case "returning":
      return `${which} label changed, its speaker comes back`;
  }
}

interface WaitWords {
  readonly limitMs: number;
  readonly text: string;
  /** What is wrong when it took too long, and what to do first. */
  readonly trouble: string;
  /** Nothing was changed because of it: it is refused, and not late. */
  readonly isRefusal?: boolean;
}

/** A node Lease lasts 15 s, and whether somebody renews it shows in that time. */
const REFUSAL_MS = 20_000;

const WAITS: Readonly<Record<WaitFor, WaitWords>> = {
  lbd: {
    limitMs: REFUSAL_MS,
    text: "waiting for its lbd",
    trouble: "",
    isRefusal: true,
  },
  owners: {
    limitMs: REFUSAL_MS,
    text: "waiting for lbd to own what MetalLB announces",
    trouble: "",
    isRefusal: true,
  },
  "controller-gone": {
    limitMs: 60_000,
    text: "waiting for the controller's pods to go",
    trouble: "the controller's pods are still there: kubectl get pods shows why",
  },
  "controller-back": {
    limitMs: 120_000,
    text: "waiting for the controller",
    trouble: "the controller is not available: kubectl get pods shows why",
  },
  "speakers-changed": {
    limitMs: 60_000,
    text: "waiting for the DaemonSet's controller to see the change",
    trouble: "kube-controller-manager has not acted on the DaemonSet: see whether it runs",
  },
  "speaker-gone": {
    limitMs: 120_000,
    text: "waiting for its speaker to go",
    trouble: "its speaker's pod is still there: kubectl get pods -o wide shows why",
  },
  "speaker-back": {
    limitMs: 180_000,
    text: "waiting for its speaker",
    trouble: "its speaker's pod is not ready: kubectl get pods -o wide shows why",
  },
  answers: {
    limitMs: 60_000,
    text: "waiting for its lbd to answer",
    trouble: "its lbd does not answer: lbctl status there says why",
  },
  silent: {
    limitMs: 60_000,
    text: "waiting for its lbd to be silent",
    trouble: "its lbd has not noticed the speaker: lbctl status there says why",
  },
};

export function waitText({ wait, node }: Wait): string {
  return `${node === null ? "" : `${node}: `}${WAITS[wait].text}`;
}

/** How long it may take; an lbd that is not there at all is not waited for. */
export function waitLimit({ wait, node }: Wait, state: TakeoverState): DurationMs {
  const lbd = state.nodes.find(({ name }) => name === node)?.lbd.kind;
  const isHopeless = wait === "lbd" && (lbd === "absent" || lbd === "untold");
  return durationMs(isHopeless ? 0 : WAITS[wait].limitMs);
}

export function isRefusal({ wait }: Wait): boolean {
  return WAITS[wait].isRefusal === true;
}

/** "Cannot ...: why, and what to do"; how to go on, and back. */
export function troubleText(wait: Wait, state: TakeoverState, direction: Direction): string {
  const { node } = wait;
  const about = node === null ? "" : `node "${node}": `;
  const again = direction === "over" ? "--take-over" : "--roll-back";
  const next = [
    `to go on, run it again: lbctl import metallb ${again}`,
    direction === "over" ? "the way back: lbctl import metallb --roll-back" : "nothing is lost",
  ];
  const action = direction === "over" ? "take over" : "roll back";
  return `Cannot ${action}: ${about}${detail(wait, state)}; ${next.join("; ")}`;
}

function detail({ wait, node }: Wait, state: TakeoverState): string {
  if (wait === "owners") {
    const lost = unowned(state).map(({ address, service }) => `${address} (${service})`);
    return `a speaker answers for what no lbd owns: ${listed(lost)}; lbctl explain says why`;
  }
  if (wait !== "lbd") return WAITS[wait].trouble;
  const lbd = state.nodes.find(({ name }) => name === node)?.lbd.kind;
  const lease = `its Lease "lbd-node-${node}"`;
  if (lbd === "untold")
    return `${lease} does not say whether it answers: its lbd is of an old version`;
  const how = lbd === "expired" ? "is not renewed" : "is absent, or given up";
  const start = 'start lbd there with "mode: active" in /etc/lbd/config.yaml';
  return `it has a speaker, and no lbd that is active: ${lease} ${how}; ${start}`;
}

/** What moves, because lbd has another owner for it than MetalLB; none would by default. */
export function movesText({ announced }: TakeoverState): string[] {
  const moving = announced.filter(({ owner, speaker }) => owner !== null && owner !== speaker);
  if (moving.length === 0) return [];
  const named = moving.map(({ address, speaker, owner }) => `${address} (${speaker} to ${owner})`);
  const where = moving.length === 1 ? "its node" : "their nodes";
  return [
    `${moving.length} will change ${where}: ${listed(named)}; lbctl move changes lbd's owner`,
  ];
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** What is left to do, or was not done here. */
export function endText(
  { controller, speaker, nodes, namespace }: TakeoverState,
  direction: Direction,
): string[] {
  if (controller === null && speaker === null) return [`MetalLB is not in "${namespace}"`];
  if (direction === "over") {
    const left = nodes.filter(({ mark, pods }) => mark === "yes" || pods > 0);
    const without = nodes.filter(({ mark, lbd }) => mark === "taken" && lbd.kind !== "answers");
    return [
      left.length === 0
        ? "MetalLB answers nowhere, and gives no addresses"
        : `left to MetalLB: ${listed(left.map(({ name }) => name))}`,
      ...(without.length === 0
        ? []
        : [`lbd does not answer on: ${listed(without.map(({ name }) => name))}`]),
    ];
  }
  const left = nodes.filter(({ mark }) => mark !== null);
  const isScaled = controller !== null && controller.replicas === 0 && left.length === 0;
  const scale = `kubectl scale deployment ${controller?.name} -n ${namespace} --replicas=1`;
  return [
    left.length === 0
      ? "MetalLB is as it was before"
      : `still lbd's: ${listed(left.filter(isTaken).map(({ name }) => name)) || "none"}`,
    ...(isScaled ? [`its controller has 0 replicas, and lbctl did not do that: ${scale}`] : []),
  ];
}

function isTaken({ mark }: TakeoverState["nodes"][number]): boolean {
  return mark !== "yes" && mark !== null;
}
