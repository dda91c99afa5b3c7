// IPv6 addresses as the sixteen bytes that frames have. Without the BigInts of address.ts and the
// library behind it: these run for every announcement and every frame that is told of.

import type { Ip } from "./address.ts";
import { read16, write16 } from "./bytes.ts";
import { invariant } from "./invariant.ts";

export const IPV6_BYTES = 16;
const GROUPS = 8;

/** Writes the bytes of an IPv6 address in canonical text. */
export function writeIpv6(ip: Ip, out: Uint8Array, offset: number): void {
  const [head = "", tail] = ip.split("::");
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = GROUPS - before.length - after.length;
  invariant(tail === undefined ? zeros === 0 : zeros > 0, `"${ip}" has eight groups`);
  for (let i = 0; i < GROUPS; i++) {
    const group = i < before.length ? before[i] : after[i - before.length - zeros];
    write16(out, offset + 2 * i, group ?? 0);
  }
}

/** The address in canonical text (RFC 5952 section 4). */
export function ipv6At(bytes: Uint8Array, offset: number): Ip {
  const groups = Array.from({ length: GROUPS }, (_, i) => read16(bytes, offset + 2 * i));
  const { start, length } = longestZeros(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (length < 2) return text(0, GROUPS) as Ip;
  return `${text(0, start)}::${text(start + length, GROUPS)}` as Ip;
}

/** Of several that are as long the first (section 4.2.3). */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) longest = { start: i + 1 - length, length };
  }
  return longest;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
