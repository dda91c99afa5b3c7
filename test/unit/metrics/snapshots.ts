// Snapshots of a daemon for the tests of the metrics, and their samples as lines of text.

import type { HistogramCounts } from "../../../src/core/histogram.ts";
import { METRICS } from "../../../src/metrics/catalog.ts";
import type { Snapshot } from "../../../src/metrics/snapshot.ts";

const NONE: ReadonlyMap<string, number> = new Map();
const NOTHING: HistogramCounts = { bounds: [0.1, 1], counts: [0, 0, 0], sum: 0 };

/** A daemon that has just started and knows nothing. */
export const NEW_DAEMON: Snapshot = {
  node: "n1",
  version: "1.2.3",
  pools: null,
  owned: [],
  bgpSessions: [],
  bgpAnnounced: [],
  vips: 0,
  isHoldover: false,
  updates: 0,
  updateErrors: 0,
  isConfigLoaded: false,
  isConfigStale: false,
  changes: [],
  lapses: 0,
  claims: NOTHING,
  beacons: {
    ...{ sent: 0, sendFailures: 0, received: 0, dropsByReason: NONE },
    ...{ lateness: NOTHING, margin: NOTHING },
  },
  arp: { receivedByOutcome: NONE, sent: 0, sendFailures: 0, announcements: 0 },
  ndp: { receivedByOutcome: NONE, sent: 0, sendFailures: 0, announcements: 0 },
  probes: { endedByFinding: NONE, waits: 0, sightings: 0, quarantined: 0 },
  wireChecksByVerdict: NONE,
  findingsByKind: NONE,
  apiRequestsByOutcome: NONE,
  apiDurationsByMethod: new Map(),
  leaseWritesByOutcome: NONE,
  eventsByOutcome: NONE,
  storeBytes: 0,
  loopDelays: { main: NONE, responder: NONE },
  process: { cpuSeconds: 0, rssBytes: 0, startedAt: 0 },
};

/** All samples of the metrics whose name begins so, each as `name{label=value} number`. */
export function samplesOf(changes: Partial<Snapshot>, prefix: string): string[] {
  const snapshot = { ...NEW_DAEMON, ...changes };
  return METRICS.filter(({ name }) => name.startsWith(prefix)).flatMap(({ name, read }) =>
    read(snapshot).map(({ labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
      return `${name}{${pairs.join()}} ${value}`;
    }),
  );
}
