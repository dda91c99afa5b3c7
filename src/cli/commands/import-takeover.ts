// lbctl import metallb --take-over and --roll-back: goes the way over or back, one line a step on
// stderr. What it knows of the way is in the cluster, so that it can be run again at any time.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../core/errors.ts";
import type { TakeoverCluster } from "../../migration/takeover-cluster.ts";
import { preview } from "../../migration/takeover-preview.ts";
import type { Step, TakeoverState } from "../../migration/takeover-state.ts";
import { type Chosen, nextBack, nextOver } from "../../migration/takeover-steps.ts";
import {
  type Direction,
  deedText,
  endText,
  movesText,
  troubleText,
  waitText,
} from "../../migration/takeover-texts.ts";
import { bootClock } from "../clock.ts";
import type { Context } from "../context.ts";
import { TakeoverRun } from "../takeover-run.ts";

export interface TakeoverRequest {
  readonly direction: Direction;
  readonly nodes: Chosen;
  readonly isDryRun: boolean;
  /** Why it must not be, each with what to do. */
  readonly objections: readonly string[];
}

export interface TakeoverView {
  readonly direction: Direction;
  /** What was done or, in a dry run, what would be; one a line. */
  readonly steps: readonly string[];
  /** How it is then; of a dry run nothing. */
  readonly end: readonly string[];
}

/** Throws AppError NOT_FOUND, REFUSED, DAEMON_TIMEOUT or API_UNREACHABLE. */
export async function takeOver(
  cluster: Pick<TakeoverCluster, "read" | "perform">,
  request: TakeoverRequest,
  { show, say }: Pick<Context, "show" | "say">,
): Promise<void> {
  const { direction, nodes, isDryRun } = request;
  const state = await cluster.read();
  refuse(request, state);
  const next = (at: TakeoverState): Step =>
    direction === "over" ? nextOver(at, nodes) : nextBack(at, nodes);
  if (direction === "over") for (const text of movesText(state)) say(text);
  const steps = isDryRun ? stepsAhead(state, next, direction) : [];
  const ports = {
    read: () => cluster.read(),
    perform: cluster.perform.bind(cluster),
    say: (text: string) => {
      steps.push(text);
      say(text);
    },
    now: bootClock,
    sleep: (milliseconds: number) => sleep(milliseconds),
  };
  const last = isDryRun ? null : await new TakeoverRun(ports, { next, direction }).run();
  const end = last === null ? [] : endText(last, direction);
  show<{ readonly schema: "lbd/v1"; readonly item: TakeoverView }>(
    { schema: "lbd/v1", item: { direction, steps, end } },
    takeoverText,
  );
}

function refuse({ nodes, objections }: TakeoverRequest, state: TakeoverState): void {
  const known = new Set(state.nodes.map(({ name }) => name));
  const unknown = (nodes ?? []).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new AppError("NOT_FOUND", `Cannot find node "${unknown}": kubectl get nodes`);
  }
  if (objections.length === 0) return;
  throw new AppError("REFUSED", `Cannot take over: ${objections.join("\nCannot take over: ")}`);
}

function stepsAhead(
  state: TakeoverState,
  next: (state: TakeoverState) => Step,
  direction: Direction,
): string[] {
  const { steps, states, blocked } = preview(state, next);
  const lines = steps.map((step, index) =>
    "do" in step ? deedText(step, states[index] ?? state) : waitText(step),
  );
  return blocked === null ? lines : [...lines, troubleText(blocked, state, direction)];
}

function takeoverText({ item: { steps, end } }: { readonly item: TakeoverView }): string {
  // What was done has been said on stderr, as it was done.
  const lines = end.length > 0 ? end : steps;
  return lines.length === 0 ? "nothing is left to do\n" : `${lines.join("\n")}\n`;
}
