// What the parts of the ownership machine know together when they decide about one VIP, and what
// they can decide.

import type { Ip } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { BootMs } from "../core/time.ts";
import type { Candidates } from "./candidates.ts";
import type { Source, WireClaim } from "./claims.ts";
import type { Members } from "./members.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Timings } from "./timings.ts";
import type { ClaimCause, LossCause, OwnershipEffect } from "./types.ts";
import type { Vip } from "./vip.ts";

export interface Situation {
  readonly node: string;
  readonly timings: Timings;
  readonly members: Members;
  readonly neighbours: Neighbours;
  readonly candidates: Candidates;
  /** The strongest claim of others that was heard. */
  readonly wireClaim: (vip: Vip) => WireClaim | null;
  /** Whether a node says on a segment that it has the VIP. */
  readonly isClaimed: (vip: Vip, by: Source) => boolean;
  readonly vipAt: (address: Ip) => Vip | undefined;
  /** The records were read since the start, and the segments listened to for long enough. */
  readonly mayAct: boolean;
  /** The API has confirmed this node's Lease lately. */
  readonly isApiInReach: boolean;
  /** All records can be read: one that is in doubt is worth waiting for. */
  readonly canReadRecords: boolean;
  /** The last write got no answer: claims do not wait for theirs. */
  readonly isHoldover: boolean;
  /** Until then only VIPs that are this node's own by the record are taken. */
  readonly startHoldUntil: BootMs;
  readonly isStopping: boolean;
  /** Null: it may own what it can. */
  readonly drain: { readonly force: boolean } | null;
  readonly preempt: boolean;
  /** No move that nobody waits for before this. */
  readonly nextMoveAt: () => BootMs;
}

export type Action =
  /** Nothing now; look again at `due`. */
  | { readonly kind: "wait"; readonly due: BootMs }
  | {
      readonly kind: "claim";
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
      readonly interfaces: readonly string[];
      readonly epoch: Epoch;
      readonly announceAt: BootMs;
    }
  /** Another's claim is better. */
  | { readonly kind: "abandon" }
  /** No answer to the write in time, and no better claim: answer. */
  | { readonly kind: "own-unwritten" }
  /** This node has it already: answer. */
  | { readonly kind: "resume"; readonly interfaces: readonly string[]; readonly epoch: Epoch }
  /** The record names this node at a higher epoch: that is the tenure's from here on. */
  | { readonly kind: "adopt-epoch" }
  /** Ask another to take it over; go on until it has. */
  | {
      readonly kind: "offer";
      readonly to: string;
      readonly segment: string;
      readonly why: string;
      /** Nobody waits for it: not before the move before it is over. */
      readonly isPaced: boolean;
    }
  /** The offer stands, and is said again. */
  | { readonly kind: "repeat-offer"; readonly segment: string }
  /** Nobody takes it over, and it need not go. */
  | { readonly kind: "keep" }
  /** The interfaces have changed. */
  | { readonly kind: "regrant"; readonly interfaces: readonly string[] }
  /** Stop answering, then write that the VIP is free. */
  | { readonly kind: "release"; readonly cause: LossCause; readonly detail: string }
  /** Stop answering; the VIP belongs to somebody else. */
  | {
      readonly kind: "yield";
      readonly cause: "yielded" | "handed-over";
      readonly detail: string;
      /** The other is heard, too: both answered. */
      readonly conflict: OwnershipEffect | null;
    }
  /** The record does not say yet that this node owns the VIP: write it. */
  | { readonly kind: "rewrite" }
  | { readonly kind: "read-member"; readonly node: string };
