// The packets that must get through a host's firewall for lbd: beacons in and out, and ARP.

import type { Ip, IpPrefix, IpRange } from "../core/address.ts";
import { ipFamily, ipToBigInt, parseIp, parsePrefix } from "../core/address.ts";
import type { Match } from "./firewall-walk.ts";

export interface Packet {
  readonly kind: "beacon" | "arp";
  readonly direction: "in" | "out";
  readonly interface: string;
  /** The segment: whoever sends or is spoken to lies in it. */
  readonly segment: IpPrefix;
  /** Of this host, on the segment. */
  readonly own: Ip;
  readonly port: number;
}

/** RFC 5771 section 4: link-local. */
export const BEACON_GROUP = "224.0.0.254" as Ip;

/** `eth*` and, in iptables, `eth+` stand for all names that begin so. */
export function isNamed(pattern: string, name: string): boolean {
  const end = pattern.at(-1);
  return end === "*" || end === "+" ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** Whether the packet comes from there: of a peer only the segment is known. */
export function isFrom(packet: Packet, range: IpRange | null): Match {
  if (range === null) return "maybe";
  if (packet.direction === "out") return yesOrNo(covers(range, single(packet.own)));
  const { segment } = packet;
  if (covers(range, segment)) return "yes";
  const isApart = range.family !== segment.family || range.end < segment.start;
  return isApart || range.start > segment.end ? "no" : "maybe";
}

export function isTo(range: IpRange | null): Match {
  return range === null ? "maybe" : yesOrNo(covers(range, single(BEACON_GROUP)));
}

/** `10.0.0.1`, `10.0.0.0/8` or `10.0.0.0/255.0.0.0`; null: something else. */
export function rangeOf(text: string): IpRange | null {
  const ip = parseIp(text);
  if (ip !== null) return single(ip);
  const prefix = parsePrefix(text);
  if (prefix !== null) return prefix;
  const [address = "", mask = ""] = text.split("/");
  const bits = parseIp(mask);
  if (bits === null || ipFamily(bits) !== 4) return null;
  const length = ipToBigInt(bits).toString(2).replace(/0+$/, "").length;
  return parsePrefix(`${address}/${length}`);
}

export function yesOrNo(isSo: boolean): Match {
  return isSo ? "yes" : "no";
}

export function not(match: Match): Match {
  if (match === "maybe") return match;
  return match === "yes" ? "no" : "yes";
}

/** Of several matches, all of which are needed. */
export function allOf(matches: readonly Match[]): Match {
  if (matches.includes("no")) return "no";
  return matches.includes("maybe") ? "maybe" : "yes";
}

/** Of several, one of which is enough. */
export function anyOf(matches: readonly Match[]): Match {
  if (matches.includes("yes")) return "yes";
  return matches.includes("maybe") ? "maybe" : "no";
}

function single(ip: Ip): IpRange {
  const value = ipToBigInt(ip);
  return { family: ipFamily(ip), start: value, end: value };
}

function covers(outer: IpRange, inner: IpRange): boolean {
  return outer.family === inner.family && outer.start <= inner.start && inner.end <= outer.end;
}
