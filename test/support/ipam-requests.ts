// Short ways to write pools and requests for tests of the allocator.

import { parseAddressEntry } from "../../src/config/address-entry.ts";
import type { Ip, IpRange } from "../../src/core/address.ts";
import { ipFamily, parseIp } from "../../src/core/address.ts";
import type { AllocatablePool, ServiceRequest } from "../../src/ipam/types.ts";

export function ip(text: string): Ip {
  const address = parseIp(text);
  if (address === null) throw new Error(`Not an address: "${text}"`);
  return address;
}

export function range(text: string): IpRange {
  const entry = parseAddressEntry(text);
  if (!entry.ok) throw new Error(`Not a range: "${text}"`);
  return entry.range;
}

export function pool(
  name: string,
  entries: readonly string[],
  options: Partial<Omit<AllocatablePool, "name" | "ranges">> = {},
): AllocatablePool {
  const ranges = entries.map(range);
  return { name, ranges, autoAssign: true, avoidBuggyIps: false, allotment: null, ...options };
}

export interface RequestOptions {
  readonly families?: ServiceRequest["families"];
  /** PreferDualStack, unless said otherwise, which makes no difference with one family. */
  readonly familyPolicy?: ServiceRequest["familyPolicy"];
  readonly requested?: readonly string[] | { readonly unreadable: string };
  readonly pool?: string;
  /** The sharing key. */
  readonly share?: string;
  readonly backend?: string;
  readonly ports?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly current?: readonly string[];
}

/** A Service with one IPv4 cluster IP that asks for any address, unless said otherwise. */
export function request(key: string, options: RequestOptions = {}): ServiceRequest {
  const { requested = [], current = [] } = options;
  return {
    key,
    namespace: key.split("/")[0] ?? "",
    labels: options.labels ?? {},
    families: options.families ?? [4],
    familyPolicy: options.familyPolicy ?? "PreferDualStack",
    requested: "unreadable" in requested ? requested : requested.map(ip),
    pool: options.pool ?? null,
    sharingKey: options.share ?? "",
    backend: options.backend ?? "",
    ports: options.ports ?? ["TCP/80"],
    current: current.map(ip),
  };
}

export function isIpv4(address: Ip): boolean {
  return ipFamily(address) === 4;
}
