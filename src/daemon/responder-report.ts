// What the responder thread tells of itself: counters by name, and who was answered last.

import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { BeaconMeasureCounts } from "../beacon/measures.ts";
import type { PeerSummary } from "../beacon/open-segment.ts";
import type { BeaconSocketCounters } from "../beacon/socket.ts";
import type { Ip, IpFamily } from "../core/address.ts";
import type { LoopDelays } from "./loop-delay.ts";
import type { OpenInterface } from "./open-interface.ts";
import type { LastAnswer, ResponderProblem, ResponderReport } from "./responder-messages.ts";

export interface AnswerCount {
  readonly address: Ip;
  count: number;
  last: LastAnswer | null;
  /** Frames that announced it. */
  announced: number;
}

/** One an interface: that which breaks more. */
export function problemsOf(
  interfaces: Iterable<OpenInterface>,
  ofBeacons: ReadonlyMap<string, string>,
): ResponderProblem[] {
  return [...interfaces].flatMap(({ about: { name }, channels }): ResponderProblem[] => {
    const of = (family: IpFamily): string | null =>
      channels.find(({ use }) => use.protocol.family === family)?.problem ?? null;
    const ofAll = of(4) ?? ofBeacons.get(name) ?? null;
    const message = ofAll ?? of(6);
    if (message === null) return [];
    return [{ interface: name, message, breaks: ofAll === null ? "ipv6" : "all" }];
  });
}

export function reportOf(parts: {
  readonly counters: Readonly<Record<string, number>>;
  readonly answered: Iterable<AnswerCount>;
  readonly problems: readonly ResponderProblem[];
  readonly beacons: BeaconSocketCounters;
  /** By reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly peers: readonly PeerSummary[];
  readonly groupProblem: string | null;
  readonly foreignClusters: readonly ForeignCluster[];
  readonly measures: BeaconMeasureCounts;
  readonly loopDelays: LoopDelays;
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
  const { problems, peers, groupProblem, foreignClusters, measures, loopDelays } = parts;
  const about = { problems, peers, groupProblem, foreignClusters, measures, loopDelays };
  return { counters, vips, ...about };
}
