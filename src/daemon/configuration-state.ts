// ConfigurationState: whether the configuration in the cluster is in use, in the shape that users
// of MetalLB know. One is the leader's, `controller`, one each daemon's, `speaker-<node>`. Pure.

import type { ConfigProblem } from "../config/cluster-config.ts";
import { formatProblem } from "../core/problem.ts";
import type { WallMs } from "../core/time.ts";
import type { Node, OwnedObject } from "../k8s-sync/model.ts";
import { labelValue, ownerOf, statusOf, type WantedObject } from "./status-object.ts";

export const CONTROLLER_STATE = "controller";
const COMPONENT_LABEL = "metallb.io/component-type";
const NODE_LABEL = "metallb.io/node-name";

/** All of the text of the problems; etcd takes 1.5 MB for an object, people read less. */
const SUMMARY_LENGTH_MAX = 16_384;
const MESSAGE_LENGTH_MAX = 1_024;

export interface ConfigVerdict {
  /** What the cluster has now is in use. */
  readonly isCurrent: boolean;
  readonly problems: readonly ConfigProblem[];
}

interface Transition {
  readonly status: string;
  readonly at: string;
}

interface Who {
  readonly component: "controller" | "speaker";
  readonly node: Node;
}

interface Context {
  readonly actual: (name: string) => OwnedObject | undefined;
  readonly now: WallMs;
}

const RESULTS = {
  True: { result: "Valid", reason: "Reconciled" },
  False: { result: "Invalid", reason: "ConfigurationError" },
  Unknown: { result: "Unknown", reason: "UnknownError" },
} as const;
const UNREAD = "the configuration could not be read as a whole: see lbctl status";

/** Keeps when each verdict began: that is told, and not when somebody edited it. */
export class ConfigurationStates {
  readonly #since = new Map<string, Transition>();

  /** `actual`: what the API has of a name; a verdict that it tells already did not begin now. */
  wanted(who: Who, verdict: ConfigVerdict, context: Context): WantedObject {
    const { component, node } = who;
    const name = component === "controller" ? CONTROLLER_STATE : stateNameOf(node.metadata.name);
    const status = conditionStatus(verdict);
    const { result, reason } = RESULTS[status];
    const errorSummary = status === "Unknown" ? UNREAD : summaryOf(verdict.problems);
    const condition = {
      type: component === "controller" ? "poolReconcilerValid" : "configReconcilerValid",
      status,
      reason,
      message: cut(errorSummary, MESSAGE_LENGTH_MAX),
      lastTransitionTime: this.#transition(name, status, context).at,
    };
    const ofNode = component === "speaker" ? { [NODE_LABEL]: labelValue(node.metadata.name) } : {};
    return {
      name,
      labels: { [COMPONENT_LABEL]: component, ...ofNode },
      owner: ownerOf(node),
      status: { result, errorSummary, conditions: [condition] },
      immutable: [],
    };
  }

  #transition(name: string, status: string, { actual, now }: Context): Transition {
    const known = this.#since.get(name) ?? transitionOf(actual(name));
    const at = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
    const transition = known?.status === status ? known : { status, at };
    this.#since.set(name, transition);
    return transition;
  }

  /** It is another daemon's from now on: what this one knows of it will be old. */
  forget(name: string): void {
    this.#since.delete(name);
  }
}

export function stateNameOf(node: string): string {
  return `speaker-${node}`;
}

/** Whether it is a daemon's whose Node is gone; `nodes` are the names of those that exist. */
export function isOfGoneNode({ metadata }: OwnedObject, nodes: Iterable<string>): boolean {
  if (metadata.labels[COMPONENT_LABEL] !== "speaker") return false;
  return ![...nodes].some((node) => stateNameOf(node) === metadata.name);
}

/** One problem a line, as many as fit. */
export function summaryOf(problems: readonly ConfigProblem[]): string {
  let text = "";
  for (const [index, problem] of problems.entries()) {
    const line = `${index === 0 ? "" : "\n"}${formatProblem(problem)}`;
    const rest = `\nand ${problems.length - index} more: lbctl status -o json`;
    const isLast = index === problems.length - 1;
    const room = SUMMARY_LENGTH_MAX - text.length - (isLast ? 0 : rest.length);
    if (line.length > room) return cut(text + rest, SUMMARY_LENGTH_MAX).trimStart();
    text += line;
  }
  return text;
}

function conditionStatus({ isCurrent, problems }: ConfigVerdict): keyof typeof RESULTS {
  if (isCurrent) return "True";
  return problems.length > 0 ? "False" : "Unknown";
}

function transitionOf(actual: OwnedObject | undefined): Transition | null {
  const { conditions } = actual === undefined ? {} : statusOf(actual);
  const [first] = Array.isArray(conditions) ? conditions : [];
  const { status, lastTransitionTime: at } = (first ?? {}) as Record<string, unknown>;
  return typeof status === "string" && typeof at === "string" ? { status, at } : null;
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 3)}...`;
}
