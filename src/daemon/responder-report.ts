// What the responder thread tells of itself: counters by name, and who was answered last.

import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { PeerSummary } from "../beacon/open-segment.ts";
import type { BeaconSocketCounters } from "../beacon/socket.ts";
import type { Ip } from "../core/address.ts";
import type { LastAnswer, ResponderReport } from "./responder-messages.ts";

export interface AnswerCount {
  readonly address: Ip;
  count: number;
  last: LastAnswer | null;
  /** Frames that announced it. */
  announced: number;
}

export function reportOf(parts: {
  readonly counters: Readonly<Record<string, number>>;
  readonly answered: Iterable<AnswerCount>;
  /** By interface. */
  readonly problems: ReadonlyMap<string, string>;
  readonly beacons: BeaconSocketCounters;
  /** By reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly peers: readonly PeerSummary[];
  readonly groupProblem: string | null;
  readonly foreignClusters: readonly ForeignCluster[];
}): ResponderReport {
  const counters = { ...parts.counters };
  for (const [name, count] of Object.entries(parts.beacons)) counters[`beacon-${name}`] = count;
  for (const [name, count] of Object.entries(parts.drops)) counters[`beacon-drop-${name}`] = count;
  const vips = [...parts.answered].map(({ address, count, last, announced }) => ({
    address,
    answered: count,
    lastAnswer: last,
    announced,
  }));
  const problems = [...parts.problems].map(([name, message]) => ({ interface: name, message }));
  const { peers, groupProblem, foreignClusters } = parts;
  return { counters, vips, problems, peers, groupProblem, foreignClusters };
}
