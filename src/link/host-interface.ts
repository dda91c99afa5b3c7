// One network interface of the host, as far as answering for VIPs is concerned.

import type { Ip, IpPrefix } from "../core/address.ts";
import { parseIp, prefixOf } from "../core/address.ts";
import { IPV6_BYTES, ipv6At } from "../core/ipv6-bytes.ts";
import type { Mac } from "../core/mac.ts";
import { macAt } from "../core/mac.ts";

export interface HostInterface {
  readonly index: number;
  readonly name: string;
  /** Null where the interface has no Ethernet address. */
  readonly mac: Mac | null;
  /** Set up by the administrator, and the link below it is there (IFF_UP and IFF_LOWER_UP). */
  readonly hasCarrier: boolean;
  /** Whether ARP makes sense on it: broadcast, not a loopback, not NOARP, no part of a bridge. */
  readonly canAnswer: boolean;
  readonly addresses: readonly { readonly ip: Ip; readonly prefix: IpPrefix }[];
  /** The IPv4 default gateway through this interface, or null. */
  readonly gateway: Ip | null;
}

/** netdevice(7) flags that are read. */
export interface LinkFlags {
  readonly up?: true | undefined;
  readonly lowerUp?: true | undefined;
  readonly broadcast?: true | undefined;
  readonly noarp?: true | undefined;
  readonly loopback?: true | undefined;
}

/** The fields of RTM_NEWLINK that are read, in the shape that the netlink library gives. */
export interface LinkMessage {
  readonly data: {
    readonly index?: number | undefined;
    readonly flags?: LinkFlags | undefined;
  };
  readonly attrs: {
    readonly ifname?: string | undefined;
    readonly address?: Uint8Array | undefined;
    readonly master?: number | undefined;
  };
}

/** The fields of RTM_NEWADDR that are read. */
export interface AddressMessage {
  readonly data: { readonly index?: number | undefined; readonly prefixlen?: number | undefined };
  readonly attrs: {
    readonly address?: Uint8Array | undefined;
    readonly local?: Uint8Array | undefined;
  };
}

/** The fields of RTM_NEWROUTE that are read. */
export interface RouteMessage {
  readonly data: { readonly dstLen?: number | undefined };
  readonly attrs: {
    readonly dst?: Uint8Array | undefined;
    readonly gateway?: Uint8Array | undefined;
    readonly oif?: number | undefined;
  };
}

/** What the dumps say; each may be empty. */
export interface Dumps {
  readonly links: readonly LinkMessage[];
  readonly addresses: readonly AddressMessage[];
  readonly routes: readonly RouteMessage[];
}

/** Joins the dumps, sorted by index. Messages without an index or a name are left out. */
export function hostInterfaces(dumps: Dumps): HostInterface[] {
  const all = dumps.links.flatMap((link) => fromLink(link, dumps));
  return all.sort((a, b) => a.index - b.index);
}

function fromLink(link: LinkMessage, { addresses: messages, routes }: Dumps): HostInterface[] {
  const { index, flags = {} } = link.data;
  const { ifname: name, address, master } = link.attrs;
  if (index === undefined || name === undefined) return [];
  const mac = address?.length === 6 ? macAt(address, 0) : null;
  const hasCarrier = flags.up === true && flags.lowerUp === true;
  const speaksArp = flags.broadcast === true && flags.noarp !== true && flags.loopback !== true;
  const canAnswer = mac !== null && speaksArp && master === undefined;
  const addresses = messages.filter((m) => m.data.index === index).flatMap(fromAddress);
  const gateways = routes.filter((route) => route.attrs.oif === index).flatMap(gatewayOf);
  const gateway = gateways[0] ?? null;
  return [{ index, name, mac, hasCarrier, canAnswer, addresses, gateway }];
}

function gatewayOf({ data, attrs }: RouteMessage): Ip[] {
  if ((data.dstLen ?? 0) !== 0 || attrs.dst !== undefined) return [];
  const ip = attrs.gateway?.length === 4 ? ipOf(attrs.gateway) : null;
  return ip === null ? [] : [ip];
}

/** IFA_LOCAL is the own address where there is one: IFA_ADDRESS is then the other end's. */
function fromAddress({ data, attrs }: AddressMessage): HostInterface["addresses"] {
  const own = ipOf(attrs.local ?? attrs.address);
  const connected = ipOf(attrs.address ?? attrs.local);
  const length = data.prefixlen;
  if (own === null || connected === null || length === undefined) return [];
  return [{ ip: own, prefix: prefixOf(connected, length) }];
}

function ipOf(bytes: Uint8Array | undefined): Ip | null {
  if (bytes?.length === 4) return parseIp(bytes.join("."));
  return bytes?.length === IPV6_BYTES ? ipv6At(bytes, 0) : null;
}
