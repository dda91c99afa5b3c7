// The sentences' ends that Events carry. Scripts of MetalLB's users match some of them, so the
// words in use there are kept.

import type { Ip, IpFamily } from "../core/address.ts";
import type { PoolUsage } from "./types.ts";

export function quoteList(addresses: readonly Ip[]): string {
  return `[${addresses.map((ip) => `"${ip}"`).join(" ")}]`;
}

export function noPools(): string {
  return "no IPAddressPool is configured";
}

export function notInConfig(addresses: readonly Ip[]): string {
  return `${quoteList(addresses)} is not allowed in config: no one pool holds it`;
}

export function avoided(ip: Ip, pool: string): string {
  const what = "addresses that end in .0 or .255 (avoidBuggyIPs)";
  return `${quoteList([ip])} is not allowed in config: pool "${pool}" leaves out ${what}`;
}

export function inUse(ip: Ip, key: string, owner: string): string {
  return `"${ip}" is taken: can't change sharing key for "${key}", address also in use by ${owner}`;
}

export function reserved(ip: Ip, use: string): string {
  return `"${ip}" is never handed out: it is ${use}`;
}

export function requestChanged(requested: readonly Ip[]): string {
  return `the Service asks for ${quoteList(requested)} now`;
}

export function familyMismatch(addresses: readonly Ip[], families: readonly IpFamily[]): string {
  const wanted = families.map((family) => `IPv${family}`).join(" and ");
  return `${quoteList(addresses)} does not match the Service's cluster IPs (${wanted})`;
}

/** Names each pool with what it holds, so that the reader knows which to enlarge. */
export function exhausted(usage: readonly PoolUsage[]): string {
  if (usage.length === 0) return "no available IPs: no pool has autoAssign";
  const pools = usage.map((pool) => {
    const assigned = pool.assignedIpv4 + pool.assignedIpv6;
    const total = assigned + pool.availableIpv4 + pool.availableIpv6;
    return `${pool.pool} (${assigned} of ${total} used)`;
  });
  const shown = pools.slice(0, 5).join(", ");
  return `no available IPs: ${shown}${pools.length > 5 ? `, and ${pools.length - 5} more` : ""}`;
}
