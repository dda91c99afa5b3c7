// The words of the ownership machine: what it is told (events), what it wants done (effects).

import type { Ip, IpPrefix } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Sha256 } from "../core/hash.ts";
import type { Mac } from "../core/mac.ts";
import type { PeerEvent } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { Timings } from "./timings.ts";

/** What the machine is made with. */
export interface OwnershipOptions {
  /** This node's name. */
  readonly node: string;
  readonly timings: Timings;
  readonly sha256: Sha256;
  /** VIPs go back to the node that ranks first once it is there; otherwise nothing moves back. */
  readonly preempt: boolean;
}

/** An interface with carrier on which VIPs may be answered, and the prefixes connected to it. */
export interface Segment {
  readonly interface: string;
  readonly prefixes: readonly IpPrefix[];
}

/** What the configuration and the API say of one node, for the VIPs of one placement. */
export type NodePlacement =
  | {
      readonly allowed: true;
      /** Interfaces named by the advertisements; null: every one that the VIP fits. */
      readonly interfaces: readonly string[] | null;
      /** Why the node is not healthy (Ready, NetworkUnavailable, ...), or null. */
      readonly unhealthy: string | null;
      /** Of the healthy ones, those of the highest rank first; none: 0. */
      readonly preference?: number;
    }
  | { readonly allowed: false; readonly reason: string };

/** Where the VIPs of one pool may be answered. Shared by all VIPs of the pool. */
export interface Placement {
  readonly pool: string;
  /** By node name; a node that is missing is one the API does not know. */
  readonly nodes: ReadonlyMap<string, NodePlacement>;
}

/**
 * The nodes that can deliver what arrives for a VIP. `terminating`: its last endpoints are on their
 * way out, and still serve. `everywhere`: any node can, as kube-proxy forwards between nodes.
 */
export type Serving = "everywhere" | ReadonlyMap<string, "ready" | "terminating">;

export interface VipSpec {
  readonly address: Ip;
  /**
   * The address that is ranked: the first of a dual-stack Service, else its own. Where that is
   * another VIP, this one follows it: it should be with the same owner.
   */
  readonly rankBy: Ip;
  readonly placement: Placement;
  readonly serving: Serving;
}

/** A node Lease as read. */
export interface MemberRecord {
  readonly node: string;
  /** Node and incarnation, or null when the node released it (it stopped). */
  readonly holder: string | null;
  /** Changes with every renewal; compared, never interpreted. */
  readonly renewal: string;
  readonly resourceVersion: string;
  /** What the node says of its segments; null: it says nothing. */
  readonly segments: readonly Segment[] | null;
}

/** A VIP Lease as read. */
export interface VipRecord {
  readonly address: Ip;
  /** The owner's node name, or null when it was released. */
  readonly owner: string | null;
  readonly epoch: number;
  readonly resourceVersion: string;
}

/** `conflict`: the record is not what it was read as; `failed`: no answer, or not from the API. */
export type WriteOutcome<R> =
  | { readonly kind: "written"; readonly record: R }
  | { readonly kind: "conflict" }
  | { readonly kind: "failed" };

export type OwnershipEvent =
  /** VIPs that are new or have changed, and addresses that are VIPs no more. */
  | {
      readonly type: "vips";
      readonly changed: readonly VipSpec[];
      readonly freed: readonly Ip[];
    }
  | { readonly type: "segments"; readonly segments: readonly Segment[] }
  | { readonly type: "member"; readonly record: MemberRecord }
  | { readonly type: "member-gone"; readonly node: string }
  /** The answer to `read-member`: straight from the API, null when there is no such Lease. */
  | {
      readonly type: "member-read";
      readonly node: string;
      readonly record: MemberRecord | null | "failed";
    }
  | { readonly type: "vip-record"; readonly record: VipRecord }
  /** `resourceVersion`: of the deletion, where the watch showed it. */
  | {
      readonly type: "vip-record-gone";
      readonly address: Ip;
      readonly resourceVersion?: string;
    }
  /** The answer to `read-records`: all VIP Leases and members, straight from the API. */
  | {
      readonly type: "records-read";
      readonly records:
        | { readonly vips: readonly VipRecord[]; readonly members: readonly MemberRecord[] }
        | "failed";
    }
  /** Before the API was ever read: what this node knew when it ran last. */
  | {
      readonly type: "remembered";
      readonly vips: readonly VipRecord[];
      /** The nodes of the cluster. */
      readonly nodes: readonly string[];
    }
  | {
      readonly type: "presence-written";
      /** Taken before the request was sent. */
      readonly sentAt: BootMs;
      readonly outcome: WriteOutcome<MemberRecord>;
    }
  | {
      readonly type: "vip-written";
      readonly address: Ip;
      readonly outcome: WriteOutcome<VipRecord>;
    }
  /** Another host announced the VIP or answered for it. */
  | {
      readonly type: "heard";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac;
    }
  | PeerEvent
  /** Hand everything over and take nothing. `force`: let go even of what nobody takes. */
  | { readonly type: "drain"; readonly force: boolean }
  | { readonly type: "undrain" }
  /** Hand one VIP over to that node, if this one has it, with those that rank by the same. */
  | { readonly type: "move"; readonly address: Ip; readonly to: string }
  /** The tenure at that epoch counts as over: its owner does not answer on the wire. */
  | {
      readonly type: "owner-mute";
      readonly address: Ip;
      readonly owner: string;
      readonly epoch: Epoch;
    }
  /** Own nothing and write nothing: another host has this node's name, and is older. */
  | { readonly type: "silence"; readonly isSilent: boolean }
  /** What the node Lease tells of this node is to be written anew. */
  | { readonly type: "presence-changed" }
  | { readonly type: "tick" }
  | { readonly type: "stop" };

/** Why a node became owner. */
export const CLAIM_CAUSES = [
  "unheld",
  "released",
  /** No beacons, no answers, and this node is not the one cut off. */
  "owner-silent",
  /** Its node Lease has expired. */
  "owner-down",
  "owner-stopped",
  /** It does not answer on the wire, as two nodes found. */
  "owner-mute",
  /** The owner asked this node to. */
  "handed-over",
  "resumed",
] as const;
export type ClaimCause = (typeof CLAIM_CAUSES)[number];

/** Why an owner is one no more. */
export const LOSS_CAUSES = [
  "not-eligible",
  /** Another node took it over, as this one asked it to. */
  "handed-over",
  /** Drained by force, and nobody took it over. */
  "draining",
  /** An older host has this node's name. */
  "silenced",
  "tenure-lapsed",
  "yielded",
  "another-host-answers",
  "record-lost",
  "address-freed",
  "stopping",
] as const;
export type LossCause = (typeof LOSS_CAUSES)[number];

export type OwnerChange =
  | {
      readonly type: "gained";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
    }
  | {
      readonly type: "lost";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly cause: LossCause;
      /** More of the cause, in words. */
      readonly detail: string;
    };

export type OwnershipEffect =
  /** Write the change down; comes before the effect that it is about. */
  | { readonly type: "record"; readonly change: OwnerChange }
  /** The responder may answer for the VIP on these interfaces while the tenure lasts. */
  | {
      readonly type: "grant";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly interfaces: readonly string[];
      /** The lapses that the machine knows of: with others the responder refuses the grant. */
      readonly lapses: number;
    }
  | { readonly type: "revoke"; readonly address: Ip }
  /** Tell the peers on these interfaces: this node takes the VIP, or has it. */
  | {
      readonly type: "claim";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly interfaces: readonly string[];
    }
  /** Ask the node to take the VIP over. */
  | {
      readonly type: "offer";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly interface: string;
      readonly to: string;
    }
  /**
   * Answer on the interface in place of an owner whose daemon restarts, with its MAC there; null:
   * no more. That is no tenure.
   */
  | {
      readonly type: "stand-in";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac | null;
    }
  /** Tell the peers the whole table: a claim was given up. */
  | { readonly type: "withdraw"; readonly address: Ip }
  /** The news of a peer came late: ask how it is now. */
  | { readonly type: "retell"; readonly node: string; readonly interface: string }
  | { readonly type: "announce"; readonly address: Ip }
  | {
      readonly type: "write-presence";
      readonly resourceVersion: string | null;
      /** False: give the node Lease up, the node stops. */
      readonly live: boolean;
      readonly segments: readonly Segment[];
    }
  | {
      readonly type: "write-vip";
      readonly address: Ip;
      readonly owner: string | null;
      readonly epoch: number;
      /** Null: create. */
      readonly resourceVersion: string | null;
    }
  | { readonly type: "read-member"; readonly node: string }
  | { readonly type: "read-records" }
  /** Another host answers for a VIP that this node owns. */
  | {
      readonly type: "conflict";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac;
      readonly resolution: "defended" | "yielded" | "counted" | "peer";
    }
  /** After `stop`: everything is released or given up. */
  | { readonly type: "stopped" };
