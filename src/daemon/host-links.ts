// The host's interfaces as the ownership machine and the responder need them: those on which VIPs
// may be answered, with carrier, and not excluded by the node file.

import { ipFamily, isLinkLocal } from "../core/address.ts";
import type { HostInterface } from "../link/host-interface.ts";
import type { Segment } from "../ownership/types.ts";
import type { AnsweringInterface } from "./responder-messages.ts";

export interface HostLinks {
  readonly segments: readonly Segment[];
  readonly answering: readonly AnsweringInterface[];
}

/** Names of interfaces, each as a regular expression. */
export interface InterfacePatterns {
  /** Never to answer on. */
  readonly exclude: readonly string[];
  /** To be made to take in every frame. */
  readonly promiscuous: readonly string[];
}

export function hostLinks(
  interfaces: readonly HostInterface[],
  patterns: InterfacePatterns,
): HostLinks {
  const excluded = patterns.exclude.map((pattern) => new RegExp(pattern));
  const promiscuous = patterns.promiscuous.map((pattern) => new RegExp(pattern));
  const usable = interfaces.filter(
    ({ name, canAnswer, hasCarrier }) =>
      canAnswer && hasCarrier && !excluded.some((pattern) => pattern.test(name)),
  );
  // Without an address for beacons there is no tenure, and no answer.
  const owning = usable.filter((one) => beaconAddress(one) !== null);
  return {
    segments: owning.map(({ name, addresses }) => ({
      interface: name,
      prefixes: addresses.map(({ prefix }) => prefix),
    })),
    answering: usable.flatMap((one) => {
      const { name, index, mac, gateway } = one;
      if (mac === null) return [];
      const isPromiscuous = promiscuous.some((pattern) => pattern.test(name));
      return [{ name, index, mac, address: beaconAddress(one), gateway, isPromiscuous }];
    }),
  };
}

/**
 * IPv4, or where there is none link-local IPv6: if there is another IPv6 address beside it. The
 * kernel gives a link-local one to every interface, those included that nobody uses.
 */
function beaconAddress({ addresses }: HostInterface): AnsweringInterface["address"] {
  const ipv4 = addresses.find(({ ip }) => ipFamily(ip) === 4);
  if (ipv4 !== undefined) return ipv4;
  const isInUse = addresses.some(({ ip }) => !isLinkLocal(ip));
  return (isInUse ? addresses.find(({ ip }) => isLinkLocal(ip)) : undefined) ?? null;
}
