// One segment as the beacon engine keeps it.

import type { BootMs } from "../core/time.ts";
import type { BeaconSegment, BeaconSettings } from "./engine-types.ts";
import type { Peer } from "./peer.ts";
import type { Tenure } from "./tenure.ts";

export interface OpenSegment {
  about: BeaconSegment;
  readonly tenure: Tenure;
  readonly peers: Map<string, Peer>;
  sendAt: BootMs;
  sentAt: BootMs;
  gatewayAnsweredAt: BootMs;
}

/**
 * Time between two beacons: at least 1 ms a node that is there, so that a segment carries no more
 * than about 1,000 beacons a second. Those that are gone make nobody slower.
 */
export function intervalMs(open: OpenSegment | null, settings: BeaconSettings): number {
  let nodes = 1;
  for (const peer of open?.peers.values() ?? []) if (peer.verdict !== "silent") nodes += 1;
  return Math.max(settings.intervalMs, nodes);
}
