// Whether MetalLB is at work for the Services that are lbd's, as its Deployment and its DaemonSet
// show it: who gives addresses to them, and whether somebody answers for them on this node. Pure.

import { flagValue } from "../core/command-flag.ts";
import { isOfMetallb, type NodeRequirement, type Workload } from "../k8s-sync/workloads.ts";

/** A node as the scheduler looks at it; labels null: nothing is known of it. */
export interface PlacedNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | null;
  /** Whether a speaker was there, or it is not known. */
  readonly mayHaveSpeaker: boolean;
}

/** A Deployment or DaemonSet that is at work, with what shows it, in words. */
export interface AtWork {
  readonly name: string;
  readonly reason: string;
}

/** Null: there is none. */
export interface MetallbAtWork {
  readonly controller: AtWork | null;
  readonly speaker: AtWork | null;
}

/** Nobody wants it here any more, or it is about to change: the next look comes soon. */
export interface MetallbGoing {
  readonly controller: boolean;
  readonly speaker: boolean;
}

/** `loadBalancerClass` is lbd's own: MetalLB of another one looks after other Services. */
export function metallbAtWork(
  workloads: readonly Workload[],
  node: PlacedNode,
  loadBalancerClass?: string,
): MetallbAtWork {
  const running = workloads.filter((one) => one.available > 0 && isRival(one, loadBalancerClass));
  const controller = running.find((one) => isController(one));
  const speaker = running.find((one) => isSpeaker(one) && mayRunOn(one, node));
  return {
    controller: atWork(controller, ""),
    speaker: atWork(speaker, "selects it, and "),
  };
}

/** "": it looks after the Services without a class. */
function classOf(workload: Workload): string {
  return flagValue(workload.arguments, "lb-class") ?? "";
}

/** One that is being changed has pods that were started with what it said before. */
function isRival(workload: Workload, loadBalancerClass = ""): boolean {
  return workload.isChanging || classOf(workload) === loadBalancerClass;
}

/**
 * Whether nobody wants it here any more, or its controller has yet to act. Pods that are wanted and
 * not available come back: what they do is not taken over in a hurry.
 */
export function metallbGoing(
  workloads: readonly Workload[],
  node: PlacedNode,
  loadBalancerClass?: string,
): MetallbGoing {
  const rivals = workloads.filter((one) => isRival(one, loadBalancerClass));
  const controllers = rivals.filter(isController).filter(({ wanted }) => wanted > 0);
  const speakers = rivals.filter((one) => isSpeaker(one) && mayRunOn(one, node));
  const isGoing = (wanted: readonly Workload[]): boolean =>
    wanted.length === 0 || wanted.some(({ isChanging }) => isChanging);
  return { controller: isGoing(controllers), speaker: isGoing(speakers) };
}

function isController({ kind, metadata }: Workload): boolean {
  return kind === "Deployment" && isOfMetallb(metadata, "controller");
}

function isSpeaker({ kind, metadata }: Workload): boolean {
  return kind === "DaemonSet" && isOfMetallb(metadata, "speaker");
}

/**
 * Whether its pods are meant for the node. A change that its controller has not acted on leaves
 * pods where they were, and puts none where there was none. Taints are not looked at: speakers
 * tolerate what they have to.
 */
function mayRunOn({ isChanging, nodeSelector, nodeTerms }: Workload, node: PlacedNode) {
  const { labels, mayHaveSpeaker } = node;
  if (labels === null || (isChanging && mayHaveSpeaker)) return true;
  const isSelected = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
  if (!isSelected || nodeTerms === null) return isSelected;
  return nodeTerms.some((term) => {
    // A term of nothing selects nothing.
    if (term.expressions.length + term.fields.length === 0) return false;
    const byLabels = term.expressions.every((one) => holds(one, labels[one.key]));
    return byLabels && term.fields.every((one) => holds(one, node.name));
  });
}

function holds({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number(value) > Number(values[0]);
    case "Lt":
      return Number(value) < Number(values[0]);
    default:
      // An operator of a newer API: its pods may be here.
      return true;
  }
}

function atWork(workload: Workload | undefined, how: string): AtWork | null {
  if (workload === undefined) return null;
  const { kind, available, metadata } = workload;
  const { namespace, name } = metadata;
  const pods = `has ${available} available ${available === 1 ? "pod" : "pods"}`;
  return { name, reason: `${kind} "${namespace}/${name}" ${how}${pods}` };
}
