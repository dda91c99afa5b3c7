// Why nobody answers for an address, and nobody is about to. Pure.

import type { Verdict } from "../ownership/candidates.ts";
import type { VipView } from "../ownership/views.ts";
import type { Here } from "./moves.ts";

/** So many nodes are named, each with its reason. */
const REASONS_MAX = 3;

/** Null: somebody has it, or is about to take it, or there is nothing to answer for. */
export function whyOrphan(view: VipView, here: Here): string | null {
  if (view.record?.owner != null || view.phase.kind !== "idle") return null;
  // Without an endpoint there is nothing to answer for: that is the Service's affair.
  if (view.serving !== "everywhere" && view.serving.size === 0) return null;
  const reasons = view.verdicts.map((candidate) => whyNot(candidate, here));
  if (reasons.includes(null)) return null;
  return `no node is eligible (${reasons.slice(0, REASONS_MAX).join("; ")})`;
}

/** Null: it can be expected to take what nobody has. */
function whyNot({ node, status, state, verdict }: Verdict, here: Here): string | null {
  if (!verdict.eligible) return `${node}: ${verdict.reason}`;
  if (status !== "alive") return `${node}: its Lease says ${status}`;
  if (node === here.node) return here.isDrained ? `${node}: it is drained` : null;
  return state === "draining" ? `${node}: its daemon is draining` : null;
}
