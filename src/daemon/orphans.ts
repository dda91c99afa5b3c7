// Why nobody answers for an address, and nobody is about to. Pure.

import type { Verdict } from "../ownership/candidates.ts";
import type { VipView } from "../ownership/views.ts";
import type { Here } from "./moves.ts";

/** So many nodes are named, each with its reason. */
const REASONS_MAX = 3;

/**
 * Null: somebody has it, or is about to take it, or there is nothing to answer for. A `view` that
 * is null: the ownership machine does not know the address.
 */
export function whyOrphan(view: VipView | null, here: Here): string | null {
  if (view === null) return "it is in no IPAddressPool";
  const owner = view.record?.owner ?? null;
  if (view.phase.kind !== "idle") return null;
  if (owner !== null && !isGone(view, owner)) return null;
  // Without an endpoint there is nothing to answer for: that is the Service's affair.
  if (view.serving !== "everywhere" && view.serving.size === 0) return null;
  const reasons = view.verdicts.map((candidate) => whyNot(candidate, here));
  if (reasons.includes(null)) return null;
  const why = `no node is eligible (${reasons.slice(0, REASONS_MAX).join("; ")})`;
  return owner === null ? why : `"${owner}", which had it, is not heard, and ${why}`;
}

/** The record names it, and it is neither heard nor renews its Lease. */
export function isGone(view: VipView, owner: string): boolean {
  const holder = view.verdicts.find(({ node }) => node === owner);
  // A name that no Node has; without any verdicts nothing is known.
  if (holder === undefined) return view.verdicts.length > 0;
  return holder.hearing === "silent" || (holder.hearing === "unknown" && holder.status !== "alive");
}

/** Null: it can be expected to take what nobody has. */
function whyNot({ node, status, hearing, state, verdict }: Verdict, here: Here): string | null {
  if (!verdict.eligible) return `${node}: ${verdict.reason}`;
  if (hearing === "silent") return `${node}: it is not heard`;
  if (status !== "alive") return `${node}: its Lease says ${status}`;
  if (node === here.node) return here.isDrained ? `${node}: it is drained` : null;
  return state === "draining" ? `${node}: its daemon is draining` : null;
}
