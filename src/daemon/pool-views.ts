// What the socket API tells of the pools: what is assigned, what is left, what is withheld. Pure.

import type { FamilyCounts, PoolView } from "../api/types.ts";
import { formatRange, type Ip, type IpFamily } from "../core/address.ts";
import type { AllocatablePool } from "../ipam/types.ts";
import { countAssigned, noneAssigned, poolUsage } from "../ipam/usage.ts";
import type { ClusterView } from "./cluster-view.ts";

/** `withheld`: free addresses that are not handed out, each with the reason. */
export function poolViews(
  cluster: Pick<ClusterView, "config" | "addresses" | "poolOf">,
  withheld: ReadonlyMap<Ip, string>,
): PoolView[] {
  return cluster.config.pools.map((pool) => {
    const addresses = cluster.addresses().filter((ip) => cluster.poolOf(ip) === pool);
    const kept = [...withheld].filter(
      ([ip]) => cluster.poolOf(ip) === pool && !addresses.includes(ip),
    );
    const assigned = noneAssigned();
    for (const ip of addresses) countAssigned(assigned, ip, 1);
    const usage = poolUsage(pool, assigned, { withheld: kept.map(([ip]) => ip) });
    return {
      pool: pool.name,
      addresses: pool.ranges.map(formatRange),
      autoAssign: pool.autoAssign,
      avoidBuggyIPs: pool.avoidBuggyIps,
      // A sum would mix up what runs out with what never does.
      assigned: ofFamilies(pool, usage.assignedIpv4, usage.assignedIpv6),
      available: ofFamilies(pool, usage.availableIpv4, usage.availableIpv6),
      withheld: kept.map(([address, because]) => ({ address, because })),
      advertisements: [...cluster.config.advertisements, ...cluster.config.bgp.advertisements]
        .filter((ad) => ad.pools.includes(pool.name))
        .map((ad) => ad.name),
    };
  });
}

/** Null for a family of which the pool has no range: none is left, but none was ever there. */
function ofFamilies(
  pool: Pick<AllocatablePool, "ranges">,
  ipv4: number,
  ipv6: number,
): FamilyCounts {
  const has = (family: IpFamily) => pool.ranges.some((range) => range.family === family);
  return { ipv4: has(4) ? ipv4 : null, ipv6: has(6) ? ipv6 : null };
}
