// The allocator's own words: what it is asked and what it answers.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";

export interface AllocatablePool {
  readonly name: string;
  readonly ranges: readonly IpRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
}

/** What a Service of type LoadBalancer asks for, read from its spec and annotations. */
export interface ServiceRequest {
  /** `namespace/name`. */
  readonly key: string;
  /** One per cluster IP, the primary first; at least one. */
  readonly families: readonly IpFamily[];
  /** True when one family is enough (`ipFamilyPolicy: PreferDualStack`). */
  readonly oneFamilyIsEnough: boolean;
  /** `spec.loadBalancerIP` or the annotation, parsed; a text when it cannot be read. */
  readonly requested: readonly Ip[] | { readonly unreadable: string };
  /** The addresses in `status.loadBalancer.ingress`. */
  readonly current: readonly Ip[];
}

/** Why a Service has no address. The names are stable: counters and tests use them. */
export type PendingReason =
  | "no-pool"
  | "exhausted"
  | "not-in-any-pool"
  | "in-use"
  | "reserved"
  | "family-mismatch"
  | "unreadable-request";

export interface Assigned {
  readonly kind: "assigned";
  readonly addresses: readonly Ip[];
  readonly pool: string;
  /** `kept`: what the status says already; `new`: chosen now. */
  readonly how: "kept" | "new";
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

/** Counts of one pool; IPv6 counts are capped at 2^53 - 1. */
export interface PoolUsage {
  readonly pool: string;
  readonly assignedIpv4: number;
  readonly assignedIpv6: number;
  readonly availableIpv4: number;
  readonly availableIpv6: number;
}
