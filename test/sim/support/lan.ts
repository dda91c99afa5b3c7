// Names and addresses on the virtual segments. A node, a gateway and a client have the same port
// number on each segment; what they are called there follows from both numbers.

import type { Ip } from "../../../src/core/address.ts";
import { prefixOf } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { Segment as SegmentSpec } from "../../../src/ownership/types.ts";

export const SEGMENTS_MAX = 3;

/** Asked for with every frame: made once, and hashed once. */
const PORTS = Array.from({ length: 32 }, (_, port) => port);
const SEGMENTS = Array.from({ length: SEGMENTS_MAX }, (_, segment) => segment);
const INTERFACES = SEGMENTS.map((segment) => `eth${segment}`);
const HOST_IPS = SEGMENTS.map((segment) => PORTS.map((port) => `10.1.${segment}.${port + 1}`));
const MACS = SEGMENTS.map((segment) =>
  PORTS.map((port) => `02:00:00:00:${hex(segment)}:${hex(port + 1)}`),
);

export const interfaceOn = (segment: number): string => INTERFACES[segment] ?? "";
export const segmentOf = (interfaceName: string): number => Number(interfaceName.slice(3));

/** A host's own address, outside of all pools. */
export const hostIp = (segment: number, port: number): Ip => HOST_IPS[segment]?.[port] as Ip;
export const isHostIp = (ip: Ip): boolean => ip.startsWith("10.1.");
export const portOfIp = (ip: Ip): number => Number(ip.split(".")[3]) - 1;

export const macOfPort = (segment: number, port: number): Mac => MACS[segment]?.[port] as Mac;
export const portOfMac = (mac: Mac): number => Number.parseInt(mac.slice(-2), 16) - 1;

export const gatewayIp = (segment: number): Ip => `10.1.${segment}.254` as Ip;

/** The `index`-th VIP of the pool that lies in the prefix of the segment. */
export const vipIn = (segment: number, index: number): Ip => `10.0.${segment}.${index + 1}` as Ip;
/** In no segment's prefix: the L2Advertisement of its pool names the interfaces. */
export const vipOfNamed = (index: number): Ip => `10.0.9.${index + 1}` as Ip;

/** What a node sees of its segments with carrier, by their numbers. */
export function networkOf(segments: readonly number[]): SegmentSpec[] {
  return segments.map((segment) => ({
    interface: interfaceOn(segment),
    prefixes: [prefixOf(vipIn(segment, -1), 24)],
  }));
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
