// How full a pool is.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";
import { ipFamily, rangeSize } from "../core/address.ts";
import type { AllocatablePool, PoolUsage } from "./types.ts";

type PoolExtent = Pick<AllocatablePool, "name" | "ranges" | "avoidBuggyIps">;

/** How many addresses are assigned, by family; `buggy` are among those of IPv4. */
export interface AssignedCounts {
  4: number;
  6: number;
  buggy: number;
}

export function noneAssigned(): AssignedCounts {
  return { 4: 0, 6: 0, buggy: 0 };
}

export function countAssigned(counts: AssignedCounts, ip: Ip, change: 1 | -1): void {
  counts[ipFamily(ip)] += change;
  if (isBuggyIp(ip)) counts.buggy += change;
}

/** IPv4 addresses ending in .0 or .255, which some old equipment drops. */
export function isBuggyIp(ip: Ip): boolean {
  return ipFamily(ip) === 4 && /\.(0|255)$/.test(ip);
}

/** How many addresses the pool can give to Services. */
export function poolSizes({ ranges, avoidBuggyIps }: PoolExtent): Record<IpFamily, bigint> {
  const sizes = { 4: 0n, 6: 0n };
  for (const range of ranges) {
    const buggy = avoidBuggyIps && range.family === 4 ? countBuggy(range) : 0n;
    sizes[range.family] += rangeSize(range) - buggy;
  }
  return sizes;
}

/** `withheld`: free addresses of the pool that are never handed out. */
export function poolUsage(
  pool: PoolExtent,
  assigned: AssignedCounts,
  more: {
    readonly withheld: readonly Ip[];
    /** Those of `poolSizes`, where they are known. */
    readonly sizes?: Readonly<Record<IpFamily, bigint>>;
  },
): PoolUsage {
  const size = { ...(more.sizes ?? poolSizes(pool)) };
  // A Service may have one from before the pool avoided them.
  if (pool.avoidBuggyIps) size[4] += BigInt(assigned.buggy);
  for (const ip of more.withheld) {
    if (!pool.avoidBuggyIps || !isBuggyIp(ip)) size[ipFamily(ip)] -= 1n;
  }
  return {
    pool: pool.name,
    assignedIpv4: assigned[4],
    assignedIpv6: assigned[6],
    availableIpv4: capped(size[4] - BigInt(assigned[4])),
    availableIpv6: capped(size[6] - BigInt(assigned[6])),
  };
}

function countBuggy({ start, end }: IpRange): bigint {
  const multiplesOf256 = (from: bigint, to: bigint): bigint =>
    to / 256n + 1n - (from + 255n) / 256n;
  return multiplesOf256(start, end) + multiplesOf256(start + 1n, end + 1n);
}

function capped(count: bigint): number {
  if (count < 0n) return 0;
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(count < limit ? count : limit);
}
