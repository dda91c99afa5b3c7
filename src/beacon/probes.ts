// What a node asks on the wire to learn whether another one is there.

import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
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

/** Asks the host of a peer for its own address; when it may be judged soon, the gateway, too. */
export function hostProbes(
  about: BeaconSegment,
  peer: Pick<Peer, "address" | "mac" | "isJudgedSoon">,
  now: BootMs,
): Probe[] {
  const { address, mac } = peer;
  const probe = { type: "probe", interface: about.interface, address, to: mac } as const;
  return peer.isJudgedSoon(now) ? [probe, ...gatewayProbe(about)] : [probe];
}

/** Which side of a split this node is on. */
function gatewayProbe({
  gateway,
  interface: name,
}: Pick<BeaconSegment, "gateway" | "interface">): Probe[] {
  if (gateway === null) return [];
  return [{ type: "probe", interface: name, address: gateway, to: null }];
}
