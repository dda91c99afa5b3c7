// One match of nftables for one packet: what stands on its left, as far as the packet tells, and
// whether that is what stands on its right.

import type { IpRange } from "../core/address.ts";
import type { Match } from "./firewall-walk.ts";
import { anyOf, isFrom, isNamed, isTo, not, type Packet, rangeOf, yesOrNo } from "./packet.ts";

/** Elements by name of the set. */
export type Sets = ReadonlyMap<string, readonly unknown[]>;

/** Whether a single value of the right side is what the packet has. */
type Left = (value: unknown) => Match;

const MAYBE: Left = () => "maybe";
const NEVER: Left = () => "no";

export function leftOf(raw: unknown, packet: Packet): Left {
  const { meta, payload, ct, fib } = objectOf(raw);
  if (meta !== undefined) return metaOf(String(objectOf(meta).key), packet);
  if (payload !== undefined) {
    const { protocol, field } = objectOf(payload);
    return payloadOf(String(protocol), String(field), packet);
  }
  // A datagram that nobody answers stays new.
  if (ct !== undefined && objectOf(ct).key === "state") return equals("new");
  if (fib !== undefined && objectOf(fib).result === "type") return equals("multicast");
  return MAYBE;
}

function metaOf(key: string, packet: Packet): Left {
  const { direction, kind } = packet;
  switch (key) {
    case "iif":
    case "iifname":
      return direction === "in" ? named(packet.interface) : NEVER;
    case "oif":
    case "oifname":
      return direction === "out" ? named(packet.interface) : NEVER;
    case "l4proto":
      return kind === "beacon" ? equals("udp", 17) : NEVER;
    case "nfproto":
      return kind === "beacon" ? equals("ipv4") : NEVER;
    case "protocol":
      return kind === "beacon" ? equals("ip") : equals("arp");
    case "pkttype":
      return kind === "beacon" && direction === "in" ? equals("multicast") : MAYBE;
    default:
      return MAYBE;
  }
}

function payloadOf(protocol: string, field: string, packet: Packet): Left {
  if (protocol === "ether") {
    const type = packet.kind === "arp" ? "arp" : "ip";
    return field === "type" ? equals(type) : MAYBE;
  }
  if (packet.kind === "arp") return protocol === "arp" ? MAYBE : NEVER;
  if (protocol === "ip") return ipOf(field, packet);
  const isUdp = protocol === "udp" || protocol === "th";
  if (!isUdp) return NEVER;
  return field === "dport" || field === "sport" ? inPorts(packet.port) : MAYBE;
}

function ipOf(field: string, packet: Packet): Left {
  if (field === "saddr") return (value) => isFrom(packet, rightRange(value));
  if (field === "daddr") return (value) => isTo(rightRange(value));
  return field === "protocol" ? equals("udp", 17) : MAYBE;
}

function equals(...values: readonly unknown[]): Left {
  return (value) => yesOrNo(values.includes(value));
}

function named(name: string): Left {
  return (value) => (typeof value === "string" ? yesOrNo(isNamed(value, name)) : "maybe");
}

function inPorts(port: number): Left {
  return (value) => {
    const { range } = objectOf(value);
    if (!Array.isArray(range)) return yesOrNo(value === port);
    return yesOrNo(port >= Number(range[0]) && port <= Number(range[1]));
  };
}

function rightRange(value: unknown): IpRange | null {
  if (typeof value === "string") return rangeOf(value);
  const { prefix, range } = objectOf(value);
  const { addr, len } = objectOf(prefix);
  if (prefix !== undefined) return rangeOf(`${String(addr)}/${String(len)}`);
  if (!Array.isArray(range)) return null;
  const [first, last] = [rangeOf(String(range[0])), rangeOf(String(range[1]))];
  return first === null || last === null ? null : { ...first, end: last.end };
}

export function matchesRight(left: Left, op: string, right: unknown, sets: Sets): Match {
  if (op !== "==" && op !== "!=" && op !== "in") return "maybe";
  const match = anyOf(elementsOf(right, sets).map((value) => left(value)));
  return op === "!=" ? not(match) : match;
}

function elementsOf(right: unknown, sets: Sets): readonly unknown[] {
  if (Array.isArray(right)) return right;
  if (typeof right === "string" && right.startsWith("@")) {
    const elements = sets.get(right.slice(1));
    return elements === undefined ? [{}] : elements.map(bareOf);
  }
  const { set } = objectOf(right);
  return Array.isArray(set) ? set.map(bareOf) : [right];
}

/** An element with a timeout, a comment or a counter is wrapped. */
function bareOf(element: unknown): unknown {
  const { elem } = objectOf(element);
  return elem === undefined ? element : objectOf(elem).val;
}

function objectOf(raw: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  return isObject ? (raw as Readonly<Record<string, unknown>>) : {};
}
