// What the machine knows of one VIP.

import type { BootMs } from "../core/time.ts";
import { NEVER } from "../core/time.ts";
import type { Doubt } from "./doubt.ts";
import type { ClaimCause, VipRecord, VipSpec } from "./types.ts";

/**
 *              claim                 written
 *     idle ───────────► claiming ───────────► owning
 *      ▲ │                 │ conflict, failed   │ not eligible, stop
 *      │ └─── record names this node ──────────►│
 *      │                   ▼                    ▼
 *      └───────────────── idle ◄─────────── releasing
 *
 * A tenure that lapses, a higher epoch, or another host on the wire lead from owning to idle.
 */
export type Phase =
  | { readonly kind: "idle" }
  | {
      readonly kind: "claiming";
      readonly epoch: number;
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
    }
  | {
      readonly kind: "owning";
      readonly epoch: number;
      readonly interfaces: readonly string[];
      /** A lost record is being written again; the tenure goes on. */
      readonly isRewriting: boolean;
    }
  | { readonly kind: "releasing" };

export interface Vip {
  spec: VipSpec;
  record: VipRecord | null;
  phase: Phase;
  /** No write before this. */
  retryAt: BootMs;
  /** Since when the VIP could be claimed, by anybody; null while it cannot. */
  vacantSince: BootMs | null;
  /** What is known of the record may be old. */
  doubt: Doubt;
  /** The highest epoch heard of, in the record or on the wire. */
  epochSeen: number;
  defendedAt: BootMs;
}

export const IDLE: Phase = { kind: "idle" };

export function newVip(spec: VipSpec, record: VipRecord | null, doubt: Doubt): Vip {
  const longAgo = -NEVER as BootMs;
  return {
    spec,
    record,
    phase: IDLE,
    retryAt: longAgo,
    vacantSince: null,
    doubt,
    epochSeen: record?.epoch ?? 0,
    defendedAt: longAgo,
  };
}
