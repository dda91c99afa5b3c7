// The sentences' ends that Events carry. Scripts of MetalLB's users match some of them, so the
// words in use there are kept.

import type { Ip, IpFamily } from "../core/address.ts";
import { showValue } from "../core/problem.ts";
import type { PoolFill } from "./types.ts";

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

export type SharingRule = "no-key" | "other-key" | "other-backend";

const RULES: Readonly<Record<SharingRule, string>> = {
  "no-key": "both must have the annotation metallb.io/allow-shared-ip to share an address",
  "other-key": "their sharing keys differ",
  "other-backend":
    "to share an address, both must have externalTrafficPolicy: Cluster, or both Local and the " +
    "same selector",
};

/** More Services than that are counted. */
const NAMES_MAX = 5;

export function notShared(clash: {
  readonly ip: Ip;
  readonly key: string;
  readonly others: readonly string[];
  readonly rule: SharingRule;
}): string {
  const more = clash.others.length - NAMES_MAX;
  const shown = clash.others.slice(0, NAMES_MAX).join(",");
  const names = more > 0 ? `${shown} and ${more} more` : shown;
  const what = `can't change sharing key for "${clash.key}", address also in use by ${names}`;
  return `${what} (${clash.ip}: ${RULES[clash.rule]})`;
}

export function portInUse(port: string, ip: Ip): string {
  return `port ${port} is already in use on "${ip}"`;
}

export function unknownPool(pool: string): string {
  return `unknown pool ${showValue(pool)}`;
}

export function notAdmitted(pool: string): string {
  const why = "its serviceAllocation leaves out the Service's namespace or labels";
  return `pool ${pool} not compatible for ip assignment: ${why}`;
}

export function otherPool(addresses: readonly Ip[], pool: string): string {
  const asked = `pool ${showValue(pool)}, which the Service asks for as well`;
  return `${quoteList(addresses)} is not of ${asked}`;
}

export function poolChanged(pool: string): string {
  return `the Service asks for pool ${showValue(pool)} now`;
}

export function tooFewClusterIps(): string {
  return "ipFamilyPolicy is RequireDualStack, and the Service has cluster IPs of one family only";
}

export function noSecondFamily(family: IpFamily, pool: string): string {
  return `no available IPv${family} address in pool ${pool}, which has the other one`;
}

export function reserved(ip: Ip, use: string): string {
  return `"${ip}" is never handed out: it is ${use}`;
}

/** `host`: its MAC. */
export function answered(ip: Ip, host: string): string {
  const what = `host ${host}, which is no node of the cluster, answers for it`;
  return `"${ip}" is in use on the network: ${what}; find that host and change it`;
}

export function cooling(ip: Ip, key: string): string {
  return `"${ip}" was the address of ${key} a moment ago (allocation.coolDownSeconds)`;
}

export function requestChanged(requested: readonly Ip[]): string {
  return `the Service asks for ${quoteList(requested)} now`;
}

export function familyMismatch(addresses: readonly Ip[], families: readonly IpFamily[]): string {
  const wanted = families.map((family) => `IPv${family}`).join(" and ");
  return `${quoteList(addresses)} does not match the Service's cluster IPs (${wanted})`;
}

/** Names each pool with what it holds, so that the reader knows which to enlarge. */
export function exhausted(usage: readonly PoolFill[]): string {
  if (usage.length === 0) return "no available IPs: no pool has autoAssign";
  const pools = usage.map((one) => `${one.pool} (${usedOf(one)})`);
  const shown = pools.slice(0, NAMES_MAX).join(", ");
  const more = pools.length - NAMES_MAX;
  return `no available IPs: ${shown}${more > 0 ? `, and ${more} more` : ""}`;
}

export function poolExhausted(usage: PoolFill): string {
  return `no available IPs in pool ${usage.pool} (${usedOf(usage)})`;
}

function usedOf(usage: PoolFill): string {
  const { quarantined, cooling: resting } = usage;
  const assigned = usage.assignedIpv4 + usage.assignedIpv6;
  const available = usage.availableIpv4 + usage.availableIpv6;
  const parts = [`${assigned} of ${assigned + available + quarantined + resting} used`];
  if (quarantined > 0) parts.push(`${quarantined} quarantined, as other hosts answer for them`);
  if (resting > 0) parts.push(`${resting} cooling down`);
  return parts.join(", ");
}
