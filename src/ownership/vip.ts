// What the machine knows of one VIP.

import type { Epoch } from "../core/epoch.ts";
import { NO_EPOCH } from "../core/epoch.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { Doubt } from "./doubt.ts";
import type { StandIn } from "./stand-in.ts";
import type { ClaimCause, VipRecord, VipSpec } from "./types.ts";

/**
 *              claim            written, or no answer in time
 *     idle ───────────► claiming ───────────► owning
 *      ▲ │                 │ better claim       │ not eligible, stop
 *      │ └─── this node has it already ────────►│
 *      │                   ▼                    ▼
 *      └───────────────── idle ◄─────────── releasing
 *
 * A tenure that lapses, a higher epoch, or another host on the wire lead from owning to idle.
 */
export type Phase =
  | { readonly kind: "idle" }
  | {
      readonly kind: "claiming";
      /** As told to the peers: the record's, and one claim more. */
      readonly epoch: Epoch;
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
      readonly interfaces: readonly string[];
      /** Without an answer to the write it is announced then. */
      readonly announceAt: BootMs;
      /** The write has failed: none is in flight. */
      readonly hasFailed: boolean;
    }
  | {
      readonly kind: "owning";
      readonly epoch: Epoch;
      readonly interfaces: readonly string[];
      /** The record is being written; the tenure goes on. */
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
  /** The highest Lease epoch seen. */
  leaseEpochSeen: number;
  /** At which this node owned it last, if it did not give it up. */
  ownEpoch: Epoch;
  /** The holder that was heard on this segment while it held the VIP; its silence counts. */
  heardHolder: string | null;
  /** To whom it is offered; null: to nobody. */
  offer: Offer | null;
  /** Whom it was offered to in vain since this node wants to let go of it. */
  refusedBy: readonly string[];
  /** Nobody took it: not before this is anybody asked again. */
  offerAgainAt: BootMs;
  /** This node let go of it, and could not write that down yet. */
  isLetGo: boolean;
  /** Since when the VIP that it follows is with a node that could have both; null: it is not. */
  apartSince: BootMs | null;
  /** The node that it should be moved to, as somebody asked for. */
  moveTo: string | null;
  /**
   * An owner that is silent on the wire: its tenure at that epoch counts as over for a moment, and
   * it gets the VIP back from nobody before `until`.
   */
  mute: Mute | null;
  /** For which owner, whose daemon restarts, this node answers, and how; null: for none. */
  standsIn: StandIn | null;
  /** Who offers it to this node, at which epoch, and how long that stands. */
  offered: { readonly from: string; readonly epoch: Epoch; readonly until: BootMs } | null;
  /** The offer that this node's tenure began with. */
  tookFrom: Vip["offered"];
  defendedAt: BootMs;
  /** Another host was heard since: announced once more then, for the caches that it changed. */
  defendAt: BootMs;
  /** When a peer that answers for it, too, was told of last. */
  peerToldAt: BootMs;
  /** Another host answers, and may have the right to: not before this. */
  yieldedUntil: BootMs;
}

export interface Mute {
  readonly node: string;
  readonly epoch: Epoch;
  readonly claimUntil: BootMs;
  readonly until: BootMs;
}

export interface Offer {
  readonly to: string;
  /** The next is asked then. */
  readonly until: BootMs;
  readonly repeatAt: BootMs;
  /** Why this node lets go of the VIP. */
  readonly why: string;
  /** It answers now. */
  isAnnounced: boolean;
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
    leaseEpochSeen: record?.epoch ?? 0,
    ownEpoch: NO_EPOCH,
    heardHolder: null,
    offer: null,
    refusedBy: [],
    offerAgainAt: longAgo,
    isLetGo: false,
    apartSince: null,
    moveTo: null,
    mute: null,
    standsIn: null,
    offered: null,
    tookFrom: null,
    defendedAt: longAgo,
    defendAt: NEVER,
    peerToldAt: longAgo,
    yieldedUntil: longAgo,
  };
}

/** True when the owner must announce it now; that counts as done. */
export function takeDefence(vip: Vip, now: BootMs): boolean {
  if (vip.phase.kind !== "owning") vip.defendAt = NEVER;
  if (now < vip.defendAt) return false;
  vip.defendAt = NEVER;
  vip.defendedAt = now;
  return true;
}

export function setRecord(vip: Vip, record: VipRecord | null): void {
  vip.record = record;
  vip.leaseEpochSeen = Math.max(vip.leaseEpochSeen, record?.epoch ?? 0);
}

/** When a defence of the VIP is allowed again. */
export function nextDefence(vip: Vip, defendIntervalMs: number): BootMs {
  return after(vip.defendedAt, defendIntervalMs);
}
