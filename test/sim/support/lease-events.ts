// What the watch of the Leases tells the machine, as src/daemon/lease-router.ts does.

import type { Ip } from "../../../src/core/address.ts";
import type { OwnershipEvent, VipRecord } from "../../../src/ownership/types.ts";
import type { Change, Lease } from "./api.ts";

export function eventsOf({ before, after }: Change): OwnershipEvent[] {
  if (after !== null) return eventsOfLease(after);
  if (before?.kind === "member") return [{ type: "member-gone", node: before.record.node }];
  if (before?.kind === "vip") return [{ type: "vip-record-gone", address: before.record.address }];
  return [];
}

/** After a list: what is known and not in it is gone. */
export function eventsOfList(
  leases: readonly Lease[],
  known: readonly VipRecord[],
): OwnershipEvent[] {
  const isListed = (address: Ip): boolean =>
    leases.some((lease) => lease.kind === "vip" && lease.record.address === address);
  const gone = known
    .filter(({ address }) => !isListed(address))
    .map(({ address }) => ({ type: "vip-record-gone", address }) as const);
  return [...leases.flatMap(eventsOfLease), ...gone];
}

function eventsOfLease(lease: Lease): OwnershipEvent[] {
  if (lease.kind === "member") return [{ type: "member", record: lease.record }];
  return lease.kind === "vip" ? [{ type: "vip-record", record: lease.record }] : [];
}
