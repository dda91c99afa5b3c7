// How beacons go over each family: the group, what a socket is bound to, and how the kernel is told
// of an interface.

import type { Ip } from "../core/address.ts";
import { type IpFamily, ipFamily } from "../core/address.ts";

/**
 * In 224.0.0.0/24: never routed (RFC 5771 section 4), and flooded by switches that snoop IGMP
 * (RFC 4541 section 2.1.2), so that nobody has to ask for it.
 */
export const BEACON_GROUP = "224.0.0.254" as Ip;
/** Link-local and transient, as nobody has assigned it (RFC 4291 section 2.7): "lbd" in ASCII. */
export const BEACON_GROUP6 = "ff12::6c62:64" as Ip;

export interface LinkLocalFamily {
  readonly family: IpFamily;
  readonly socketType: "udp4" | "udp6";
  readonly group: Ip;
  readonly anyAddress: string;
  /** What a socket is bound to, and a datagram sent to, on the interface. */
  readonly host: (address: Ip, interfaceName: string) => string;
  /** The interface, for memberships and for what is sent to the group. */
  readonly scope: (address: Ip, interfaceName: string) => string;
}

const IPV4: LinkLocalFamily = {
  family: 4,
  socketType: "udp4",
  group: BEACON_GROUP,
  anyAddress: "0.0.0.0",
  host: (address) => address,
  scope: (address) => address,
};

/** RFC 4007 section 11: an address of a link is none without the link. */
const IPV6: LinkLocalFamily = {
  family: 6,
  socketType: "udp6",
  group: BEACON_GROUP6,
  anyAddress: "::",
  host: (address, interfaceName) => `${address}%${interfaceName}`,
  scope: (_, interfaceName) => `::%${interfaceName}`,
};

export function familyOf(address: Ip): LinkLocalFamily {
  return ipFamily(address) === 4 ? IPV4 : IPV6;
}
