// Addresses that are never handed out, each with the reason: those of nodes, of this host, of its
// default gateways, of the API server, the network and broadcast addresses of connected IPv4
// prefixes, and those that stand for none or for all hosts.

import type { Ip } from "../core/address.ts";
import { formatPrefix, ipFromBigInt, parseIp } from "../core/address.ts";
import type { Node } from "../k8s-sync/model.ts";
import type { HostInterface } from "../link/host-interface.ts";

/** RFC 3021: a /31 has neither network nor broadcast address; nor has a /32. */
const LENGTH_WITH_BROADCAST_MAX = 30;

/** kube-proxy binds every Service's address to it in IPVS mode: those are the VIPs themselves. */
const KUBE_PROXY_INTERFACE = "kube-ipvs0";

/**
 * A pool of 0.0.0.0/0 begins with the first: whoever asks on the wire whether an address is free
 * does so in its name (RFC 5227 section 2.1.1), and would claim it.
 */
const OF_NO_HOST: readonly (readonly [Ip, string])[] = [
  [ipFromBigInt(4, 0n), "the unspecified address"],
  [ipFromBigInt(6, 0n), "the unspecified address"],
  [ipFromBigInt(4, 2n ** 32n - 1n), "the limited broadcast address"],
];

export interface ReservedAddresses {
  /** Every address with what it is. */
  readonly all: ReadonlyMap<Ip, string>;
  /** Those that a host has: a pool that holds one is a mistake. */
  readonly ofHosts: ReadonlyMap<Ip, string>;
}

export function reservedAddresses(sources: {
  readonly nodes: Iterable<Node>;
  readonly interfaces: readonly HostInterface[];
  /** Host part of the API server's URL. */
  readonly apiHost: string;
}): ReservedAddresses {
  const interfaces = sources.interfaces.filter(({ name }) => name !== KUBE_PROXY_INTERFACE);
  const ofHosts = hostAddresses({ ...sources, interfaces });
  const all = new Map(OF_NO_HOST);
  for (const { prefix } of interfaces.flatMap((entry) => entry.addresses)) {
    if (prefix.family !== 4 || prefix.length > LENGTH_WITH_BROADCAST_MAX) continue;
    const network = formatPrefix(prefix);
    all.set(ipFromBigInt(4, prefix.start), `the network address of ${network}`);
    all.set(ipFromBigInt(4, prefix.end), `the broadcast address of ${network}`);
  }
  for (const [ip, use] of ofHosts) all.set(ip, use);
  return { all, ofHosts };
}

function hostAddresses(sources: Parameters<typeof reservedAddresses>[0]): Map<Ip, string> {
  const reserved = new Map<Ip, string>();
  for (const { name, gateway } of sources.interfaces) {
    if (gateway !== null) reserved.set(gateway, `the default gateway, on interface "${name}"`);
  }
  for (const { name, addresses } of sources.interfaces) {
    for (const { ip } of addresses) reserved.set(ip, `this host's own, on interface "${name}"`);
  }
  for (const node of sources.nodes) {
    for (const { address } of node.addresses) {
      const ip = parseIp(address);
      if (ip !== null) reserved.set(ip, `the address of node "${node.metadata.name}"`);
    }
  }
  const api = parseIp(sources.apiHost.replace(/^\[|\]$/g, ""));
  if (api !== null) reserved.set(api, "the address of the API server");
  return reserved;
}
