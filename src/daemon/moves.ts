// Planned moves as people ask for them: why one cannot be made, what keeps a drained node's VIPs
// where they are, and which VIPs are not with the node that ranks first. Pure.

import type { Verdict } from "../ownership/candidates.ts";
import type { VipView } from "../ownership/views.ts";

/** A VIP that is not where it ranks first. */
export interface PlannedMove {
  readonly address: string;
  readonly from: string;
  readonly to: string;
}

/** The node that looks. */
export interface Here {
  readonly node: string;
  readonly isDrained: boolean;
}

/** Null: it can be moved from this `node` to the node `to`. */
export function whyNotMove(view: VipView, node: string, to: string): string | null {
  if (view.phase.kind !== "owning") {
    const owner = view.record?.owner ?? null;
    if (owner === null || owner === node) return "nobody answers for it now";
    return owner === to
      ? `"${to}" has it already`
      : `"${owner}" has it: run the command on that node`;
  }
  if (to === node) return `"${to}" has it already`;
  const verdict = view.verdicts.find((candidate) => candidate.node === to);
  return verdict === undefined ? `there is no node "${to}"` : whyNotTaker(verdict);
}

/** Null: it would take a VIP that it is offered. */
export function whyNotTaker({ node, verdict, hearing, state }: Verdict): string | null {
  if (!verdict.eligible) return `"${node}" may not own it: ${verdict.reason}`;
  if (verdict.unhealthy !== null) return `"${node}" should not own it: ${verdict.unhealthy}`;
  if (hearing !== "heard") return `no beacons of "${node}" arrive here`;
  return state === "live" ? null : `the daemon of "${node}" is ${state}`;
}

/** Why nobody takes a VIP over, in words; a taker there is gets the time to do it. */
export function whyStuck(view: VipView, node: string): string {
  const others = view.verdicts.filter((candidate) => candidate.node !== node);
  if (others.length === 0) return "there is no other node";
  const reasons = others.map(whyNotTaker);
  const taker = others[reasons.indexOf(null)];
  return taker === undefined ? reasons.join("; ") : `"${taker.node}" is asked to take it over`;
}

/** Null: it is with the best of the nodes that are there. One that is drained takes nothing. */
export function plannedMove(view: VipView, { node, isDrained }: Here): PlannedMove | null {
  // The second address of a Service goes where the first is, by itself.
  if (view.rankBy !== view.address) return null;
  const from = view.phase.kind === "owning" ? node : (view.record?.owner ?? null);
  const best = view.verdicts.find((candidate) =>
    candidate.node === node ? !isDrained && isHealthy(candidate) : whyNotTaker(candidate) === null,
  );
  if (from === null || best === undefined || best.node === from) return null;
  return { address: view.address, from, to: best.node };
}

function isHealthy({ verdict }: Verdict): boolean {
  return verdict.eligible && verdict.unhealthy === null;
}
