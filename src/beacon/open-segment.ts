// One segment as the beacon engine keeps it.

import type { PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { BeaconSegment, BeaconSettings } from "./engine-types.ts";
import type { Peer, Verdict } from "./peer.ts";
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

/** What people are told of a peer. */
export interface PeerSummary {
  readonly node: string;
  readonly interface: string;
  readonly verdict: Verdict;
  readonly state: PeerState;
}

export function summaries({ about, peers }: OpenSegment): PeerSummary[] {
  return [...peers.values()].map(({ node, verdict, state }) => ({
    node,
    interface: about.interface,
    verdict,
    state,
  }));
}
