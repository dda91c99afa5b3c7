// What a map of addresses is keyed by where frames are looked at: read from a frame without making
// an address of it.

import type { Ip } from "./address.ts";
import { ipFamily, ipv4ToNumber } from "./address.ts";
import { read16, readInt32 } from "./bytes.ts";
import { IPV6_BYTES, writeIpv6 } from "./ipv6-bytes.ts";

/** IPv4: 32 bits as a signed number. IPv6: a string of the eight groups, no text to read. */
export type AddressKey = number | string;

export function addressKey(ip: Ip): AddressKey {
  if (ipFamily(ip) === 4) return ipv4ToNumber(ip) | 0;
  const bytes = new Uint8Array(IPV6_BYTES);
  writeIpv6(ip, bytes, 0);
  return ipv6KeyAt(bytes, 0);
}

export function ipv4KeyAt(bytes: Uint8Array, offset: number): AddressKey {
  return readInt32(bytes, offset);
}

export function ipv6KeyAt(bytes: Uint8Array, offset: number): AddressKey {
  return String.fromCharCode(
    read16(bytes, offset),
    read16(bytes, offset + 2),
    read16(bytes, offset + 4),
    read16(bytes, offset + 6),
    read16(bytes, offset + 8),
    read16(bytes, offset + 10),
    read16(bytes, offset + 12),
    read16(bytes, offset + 14),
  );
}
