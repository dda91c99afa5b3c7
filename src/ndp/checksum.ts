// The Internet checksum (RFC 1071) of an ICMPv6 message with its IPv6 pseudo-header (RFC 8200
// section 8.1).

import { read16 } from "../core/bytes.ts";

/** IANA: ICMPv6 as a next header. */
export const NEXT_HEADER_ICMPV6 = 58;
const ADDRESSES_BYTES = 32;

/**
 * Of the message between the two addresses, which begin at `addresses`, and `end`. With a checksum
 * of zero in it: what to write there. With the right one in it: 0.
 */
export function checksumOf(bytes: Uint8Array, addresses: number, end: number): number {
  // Upper-layer length and next header; the lengths of frames fit in 16 bits.
  let sum = end - addresses - ADDRESSES_BYTES + NEXT_HEADER_ICMPV6;
  for (let at = addresses; at + 1 < end; at += 2) sum += read16(bytes, at);
  if ((end - addresses) % 2 === 1) sum += (bytes[end - 1] ?? 0) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
