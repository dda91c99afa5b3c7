// The host's interfaces as the ownership machine and the responder need them: those on which VIPs
// may be answered, with carrier, and not excluded by the node file.

import { ipFamily } from "../core/address.ts";
import type { HostInterface } from "../link/host-interface.ts";
import type { Segment } from "../ownership/types.ts";
import type { AnsweringInterface } from "./responder-messages.ts";

export interface HostLinks {
  readonly segments: readonly Segment[];
  readonly answering: readonly AnsweringInterface[];
}

export function hostLinks(
  interfaces: readonly HostInterface[],
  excludePatterns: readonly string[],
): HostLinks {
  const excluded = excludePatterns.map((pattern) => new RegExp(pattern));
  const usable = interfaces.filter(
    ({ name, canAnswer, hasCarrier }) =>
      canAnswer && hasCarrier && !excluded.some((pattern) => pattern.test(name)),
  );
  // Beacons go over IPv4: without an address of it there is no tenure, and no answer.
  const owning = usable.filter(({ addresses }) => addresses.some(({ ip }) => ipFamily(ip) === 4));
  return {
    segments: owning.map(({ name, addresses }) => ({
      interface: name,
      prefixes: addresses.map(({ prefix }) => prefix),
    })),
    answering: usable.flatMap(({ name, index, mac, addresses, gateway }) => {
      const address = addresses.find(({ ip }) => ipFamily(ip) === 4) ?? null;
      return mac === null ? [] : [{ name, index, mac, address, gateway }];
    }),
  };
}
