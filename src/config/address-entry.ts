// One entry of `IPAddressPool.spec.addresses`: a CIDR or `start-end`.

import type { IpRange } from "../core/address.ts";
import { addressBits, ipFamily, ipToBigInt, parseIp, parsePrefix } from "../core/address.ts";

export type AddressEntry =
  | { readonly ok: true; readonly range: IpRange }
  | { readonly ok: false; readonly expected: string };

/** The range of an entry, or what it should have been. Host bits of a CIDR are cleared. */
export function parseAddressEntry(text: string): AddressEntry {
  const entry = text.trim();
  if (entry.includes("/")) {
    const prefix = parsePrefix(entry);
    if (prefix === null) return { ok: false, expected: "a CIDR such as 192.0.2.0/24" };
    const { family, start, end } = prefix;
    return { ok: true, range: { family, start, end } };
  }
  const separator = entry.indexOf("-");
  if (separator < 0) {
    const ip = parseIp(entry);
    if (ip === null) return { ok: false, expected: "a CIDR or a range" };
    const single = `"${ip}/${addressBits(ipFamily(ip))}"`;
    return { ok: false, expected: `a CIDR or a range (for one address: ${single})` };
  }
  return parseRange(entry.slice(0, separator).trim(), entry.slice(separator + 1).trim());
}

function parseRange(first: string, last: string): AddressEntry {
  const from = parseIp(first);
  const to = parseIp(last);
  if (from === null || to === null) {
    return { ok: false, expected: "a range such as 192.0.2.10-192.0.2.20" };
  }
  const family = ipFamily(from);
  if (family !== ipFamily(to)) return { ok: false, expected: "both ends of one address family" };
  const start = ipToBigInt(from);
  const end = ipToBigInt(to);
  if (start > end) return { ok: false, expected: `the lower address first: "${last}-${first}"` };
  return { ok: true, range: { family, start, end } };
}
