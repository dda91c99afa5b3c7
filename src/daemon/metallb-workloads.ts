// Whether MetalLB is at work for the Services that are lbd's, as its Deployment and its DaemonSet
// show it: who gives addresses to them, and whether somebody answers for them on this node. Pure.

import { flagValue } from "../core/command-flag.ts";
import type { NodeRequirement, Workload } from "../k8s-sync/workloads.ts";

/** A node as the scheduler looks at it; labels null: nothing is known of it. */
export interface PlacedNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | null;
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

/** Charts say the one, the manifests of old the other. */
const LABELS = ["app.kubernetes.io/name", "app"];
const COMPONENT_LABELS = ["app.kubernetes.io/component", "component"];

/** `loadBalancerClass` is lbd's own: MetalLB of another one looks after other Services. */
export function metallbAtWork(
  workloads: readonly Workload[],
  node: PlacedNode,
  loadBalancerClass?: string,
): MetallbAtWork {
  const isOfClass = (one: Workload): boolean => classOf(one) === (loadBalancerClass ?? "");
  // One that is being changed has pods that were started with what it said before.
  const running = workloads.filter(
    (one) => one.available > 0 && (one.isChanging || isOfClass(one)),
  );
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

function isController(workload: Workload): boolean {
  return workload.kind === "Deployment" && isOfMetallb(workload, "controller");
}

function isSpeaker(workload: Workload): boolean {
  return workload.kind === "DaemonSet" && isOfMetallb(workload, "speaker");
}

function isOfMetallb({ metadata: { labels } }: Workload, component: string): boolean {
  if (!LABELS.some((key) => labels[key] === "metallb")) return false;
  const said = COMPONENT_LABELS.flatMap((key) => labels[key] ?? []);
  return said.length === 0 || said.includes(component);
}

/**
 * Whether its pods are meant for the node. A change that its controller has not acted on leaves
 * pods where they were. Taints are not looked at: speakers tolerate what they have to.
 */
function mayRunOn({ isChanging, nodeSelector, nodeTerms }: Workload, node: PlacedNode) {
  const { labels } = node;
  if (isChanging || labels === null) return true;
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
