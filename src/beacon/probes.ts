// What a node asks on the wire to learn whether another one is there.

import type { Ip } from "../core/address.ts";
import type { BeaconSegment, EngineEffect } from "./engine-types.ts";
import type { Peer } from "./peer.ts";

type Probe = Extract<EngineEffect, { type: "probe" }>;

/** A silent node is asked for at most this many of its VIPs. */
export const PROBED_VIPS_MAX = 8;

/** Asks a silent peer for its VIPs, everybody and itself, and the gateway whether it is there. */
export function probesOf(
  { gateway, interface: name }: BeaconSegment,
  { mac }: Pick<Peer, "mac">,
  targets: readonly Ip[],
): Probe[] {
  const probes = targets.slice(0, PROBED_VIPS_MAX).flatMap((address): Probe[] => [
    { type: "probe", interface: name, address, to: null },
    { type: "probe", interface: name, address, to: mac },
  ]);
  return [...probes, ...gatewayProbe({ gateway, interface: name })];
}

/** Asks the host of a peer for its own address; once that was in vain, the gateway, too. */
export function hostProbes(
  about: BeaconSegment,
  { address, mac, isHostThere }: Pick<Peer, "address" | "mac" | "isHostThere">,
): Probe[] {
  const probe = { type: "probe", interface: about.interface, address, to: mac } as const;
  return isHostThere ? [probe] : [probe, ...gatewayProbe(about)];
}

/** Which side of a split this node is on. */
function gatewayProbe({
  gateway,
  interface: name,
}: Pick<BeaconSegment, "gateway" | "interface">): Probe[] {
  if (gateway === null) return [];
  return [{ type: "probe", interface: name, address: gateway, to: null }];
}
