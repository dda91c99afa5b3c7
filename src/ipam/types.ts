// The allocator's own words: what it is asked and what it answers.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";

export interface AllocatablePool {
  readonly name: string;
  readonly ranges: readonly IpRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
  /** Which Services it is for (`serviceAllocation`), and before which pools; null: for all. */
  readonly allotment: Allotment | null;
}

/** Who is asking, for pools that are not for everybody. */
export interface Applicant {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Allotment {
  /** A lower number is tried first; 0 and less: after the others. */
  readonly priority: number;
  /** Whether a Service that asks for nothing in particular gets an address of the pool. */
  readonly offersTo: (applicant: Applicant) => boolean;
  /** Whether a Service that asks for the pool or an address of it, or has one, may have it. */
  readonly admits: (applicant: Applicant) => boolean;
}

/** What a Service of type LoadBalancer asks for, read from its spec and annotations. */
export interface ServiceRequest extends Applicant {
  /** `namespace/name`. */
  readonly key: string;
  /** One per cluster IP, the primary first; at least one. */
  readonly families: readonly IpFamily[];
  readonly familyPolicy: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  /** `spec.loadBalancerIP` or the annotation, parsed; a text when it cannot be read. */
  readonly requested: readonly Ip[] | { readonly unreadable: string };
  /** The pool asked for by annotation, or null. */
  readonly pool: string | null;
  /** See `Occupant`. */
  readonly sharingKey: string;
  readonly backend: string;
  readonly ports: readonly string[];
  /** The addresses in `status.loadBalancer.ingress`. */
  readonly current: readonly Ip[];
}

/** Why a Service has no address. The names are stable: counters and tests use them. */
export type PendingReason =
  | "no-pool"
  | "unknown-pool"
  | "exhausted"
  | "not-in-any-pool"
  | "not-admitted"
  | "other-pool"
  | "in-use"
  | "reserved"
  /** Another host on the segment answers for the address that is asked for. */
  | "answered"
  | "cooling"
  | "family-mismatch"
  | "too-few-cluster-ips"
  | "unreadable-request";

export interface Assigned {
  readonly kind: "assigned";
  readonly addresses: readonly Ip[];
  readonly pool: string;
  /** `kept`: what the status says already; `new`: chosen now; `extended`: one family more. */
  readonly how: "kept" | "new" | "extended";
  /** Why there is no address of a second family, though the Service would prefer one; or null. */
  readonly lacks: string | null;
  /** Addresses of the status that were given up for this, with the reason, or null. */
  readonly cleared: Cleared | null;
}

export interface Pending {
  readonly kind: "pending";
  readonly reason: PendingReason;
  /** A sentence's end for an Event: "no available IPs", .... */
  readonly detail: string;
  /** Addresses the Service keeps although its request cannot be met. */
  readonly addresses: readonly Ip[];
  readonly cleared: Cleared | null;
}

/** Addresses that a Service had and may not have any more. */
export interface Cleared {
  readonly addresses: readonly Ip[];
  readonly detail: string;
}

export type Decision = Assigned | Pending;

/** Why something cannot be had. */
export interface Refusal {
  readonly reason: PendingReason;
  readonly detail: string;
}

/** The same, with what is free and not handed out now. */
export interface PoolFill extends PoolUsage {
  /** Another host answers for them. */
  readonly quarantined: number;
  /** Another Service had them a moment ago. */
  readonly cooling: number;
}

/** Counts of one pool; IPv6 counts are capped at 2^53 - 1. */
export interface PoolUsage {
  readonly pool: string;
  readonly assignedIpv4: number;
  readonly assignedIpv6: number;
  readonly availableIpv4: number;
  readonly availableIpv6: number;
}
