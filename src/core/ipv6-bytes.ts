// IPv6 addresses as the sixteen bytes that frames have, without the BigInts of address.ts: these
// run for every announcement and every frame.

import type { Ip } from "./address.ts";
import { parseIp } from "./address.ts";
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

/** The address in canonical text. */
export function ipv6At(bytes: Uint8Array, offset: number): Ip {
  const groups = Array.from({ length: GROUPS }, (_, i) => read16(bytes, offset + 2 * i));
  const ip = parseIp(groups.map((group) => group.toString(16)).join(":"));
  invariant(ip !== null, "sixteen bytes are an address");
  return ip;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
