// Leases of the Kubernetes API <-> the records of the ownership machine (design, section 4.1).

import type { Ip } from "../core/address.ts";
import { expandedIp, formatPrefix, parseIp, parsePrefix } from "../core/address.ts";
import { LEASE_EPOCH_MAX } from "../core/epoch.ts";
import type { Lease } from "../k8s-sync/model.ts";
import type { LeaderRecord } from "../ownership/leadership.ts";
import type { MemberRecord, Segment, VipRecord } from "../ownership/types.ts";

export const LEADER_LEASE = "lbd-controller";
const NODE_PREFIX = "lbd-node-";
const VIP_PREFIX = "lbd-vip-";

/** What a node says of itself in its node Lease, as JSON. */
export const SEGMENTS_ANNOTATION = "lbd.io/segments";
/** There, too, for lbctl: whether it answers for what it owns: "yes", or "no: " and why. */
export const ANSWERS_ANNOTATION = "lbd.io/answers";
/** Bounds what one node can make the others keep. */
const SEGMENTS_MAX = 64;

export type LeaseRecord =
  | { readonly kind: "member"; readonly record: MemberRecord }
  | { readonly kind: "vip"; readonly record: VipRecord }
  | { readonly kind: "leader"; readonly record: LeaderRecord }
  /** Not one of lbd's. */
  | { readonly kind: "other" };

export function nodeLeaseName(node: string): string {
  return `${NODE_PREFIX}${node}`;
}

/** IPv6 fully expanded, its colons written as hyphens. */
export function vipLeaseName(address: Ip): string {
  return `${VIP_PREFIX}${expandedIp(address).replaceAll(":", "-")}`;
}

export function recordOf(lease: Lease): LeaseRecord {
  const { name } = lease.metadata;
  if (name === LEADER_LEASE) return { kind: "leader", record: leaderRecord(lease) };
  if (name.startsWith(NODE_PREFIX)) return { kind: "member", record: memberRecord(lease) };
  if (!name.startsWith(VIP_PREFIX)) return { kind: "other" };
  const text = name.slice(VIP_PREFIX.length);
  const address = parseIp(text.includes(".") ? text : text.replaceAll("-", ":"));
  if (address === null) return { kind: "other" };
  return { kind: "vip", record: vipRecord(lease, address) };
}

export function memberRecord(lease: Lease): MemberRecord {
  return {
    node: lease.metadata.name.slice(NODE_PREFIX.length),
    holder: holderOf(lease),
    renewal: renewalOf(lease),
    resourceVersion: lease.metadata.resourceVersion,
    segments: parseSegments(lease.metadata.annotations[SEGMENTS_ANNOTATION]),
  };
}

export function vipRecord(lease: Lease, address: Ip): VipRecord {
  return {
    address,
    owner: holderOf(lease),
    epoch: believedEpoch(lease.spec.leaseTransitions ?? 0),
    resourceVersion: lease.metadata.resourceVersion,
  };
}

/** What the store remembers of the VIP Leases; any version that the API tells is newer. */
export function rememberedRecords(rows: readonly TenureMemory[]): VipRecord[] {
  return rows.flatMap(({ address, owner, epoch }) => {
    const ip = parseIp(address);
    if (ip === null) return [];
    return [{ address: ip, owner, epoch: believedEpoch(epoch), resourceVersion: "0" }];
  });
}

export interface TenureMemory {
  readonly address: string;
  readonly owner: string | null;
  readonly epoch: number;
}

export function leaderRecord(lease: Lease): LeaderRecord {
  return {
    holder: holderOf(lease),
    renewal: renewalOf(lease),
    transitions: lease.spec.leaseTransitions ?? 0,
    resourceVersion: lease.metadata.resourceVersion,
  };
}

export function formatSegments(segments: readonly Segment[]): string {
  const plain = segments.map((segment) => ({
    interface: segment.interface,
    prefixes: segment.prefixes.map(formatPrefix),
  }));
  return JSON.stringify(plain);
}

/** Null when the annotation is missing or cannot be read: the node says nothing. */
export function parseSegments(text: string | undefined): Segment[] | null {
  if (text === undefined) return null;
  try {
    const plain: unknown = JSON.parse(text);
    return Array.isArray(plain) ? plain.slice(0, SEGMENTS_MAX).map(parseSegment) : null;
  } catch {
    return null;
  }
}

function parseSegment(plain: { interface?: unknown; prefixes?: unknown } | null): Segment {
  const prefixes = Array.isArray(plain?.prefixes) ? plain.prefixes : [];
  return {
    interface: String(plain?.interface ?? ""),
    prefixes: prefixes
      .slice(0, SEGMENTS_MAX)
      .flatMap((text: unknown) => parsePrefix(String(text)) ?? []),
  };
}

/** No count of tenures: no later one could be written (`leaseTransitions` is an int32). */
function believedEpoch(transitions: number): number {
  const canFollow = Number.isInteger(transitions) && transitions < LEASE_EPOCH_MAX;
  return canFollow ? Math.max(0, transitions) : 0;
}

function holderOf(lease: Lease): string | null {
  const holder = lease.spec.holderIdentity;
  return holder === null || holder === "" ? null : holder;
}

function renewalOf(lease: Lease): string {
  return `${lease.spec.holderIdentity ?? ""} ${lease.spec.renewTime ?? ""}`;
}
