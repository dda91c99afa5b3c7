// Serves the metrics: takes a snapshot of the parts of the daemon when somebody reads them. All is
// counted where it happens anyway; between two scrapes this does nothing.

import type { FrameProtocol } from "../answering/frame-protocol.ts";
import { ARP } from "../arp/protocol.ts";
import type { BeaconMeasureCounts } from "../beacon/measures.ts";
import type { NodeFile } from "../config/node-file.ts";
import type { HistogramCounts } from "../core/histogram.ts";
import type { Clock } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import type { EventRecorder } from "../k8s-sync/events.ts";
import { METRICS } from "../metrics/catalog.ts";
import { Exposition, type MetricsFormat } from "../metrics/exposition.ts";
import { MetricsServer } from "../metrics/server.ts";
import type { FrameCounts, OwnedVip, Snapshot } from "../metrics/snapshot.ts";
import { NDP } from "../ndp/protocol.ts";
import type { Store } from "../store/store.ts";
import type { AddressProbeTask } from "./address-probe-task.ts";
import type { AllocationController } from "./allocation-controller.ts";
import type { Bgp } from "./bgp.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Journal } from "./journal.ts";
import type { LeaderDriver } from "./leader-driver.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import type { Logger } from "./logger.ts";
import { LoopDelay } from "./loop-delay.ts";
import type { OwnershipDriver } from "./ownership-driver.ts";
import { processUse } from "./process-use.ts";
import type { Responder } from "./responder.ts";
import type { Task } from "./tasks.ts";
import type { Views } from "./views.ts";
import type { WireTruthTask } from "./wire-truth-task.ts";

export interface MetricsSources {
  readonly file: Pick<NodeFile, "nodeName" | "metrics">;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  readonly views: Pick<Views, "findingCounts">;
  readonly cluster: ClusterView;
  readonly ownership: Pick<OwnershipDriver, "machine" | "claims">;
  readonly client: {
    counts(): ReadonlyMap<string, number>;
    durations(): ReadonlyMap<string, HistogramCounts>;
  };
  readonly writer: Pick<LeaseWriter, "counts">;
  readonly events: Pick<EventRecorder, "counts">;
  readonly responder: Pick<Responder, "report" | "refresh" | "answersFor">;
  readonly bgp: Pick<Bgp, "sessionCounts" | "announcedAddresses">;
  readonly wireTruth: Pick<WireTruthTask, "counters">;
  readonly leading: {
    readonly leader: Pick<LeaderDriver, "isLeading">;
    readonly allocation: Pick<AllocationController, "usage" | "failedWrites">;
    readonly probes: Pick<AddressProbeTask, "counters">;
  };
  readonly store: Pick<Store, "bytes">;
  readonly journal: Pick<Journal, "counts">;
}

/** What Prometheus asks for first. */
const OPENMETRICS = /\bapplication\/openmetrics-text\b/;
const DROP_PREFIX = "beacon-drop-";
const WIRE_PREFIX = "wire-";
const PROBE_PREFIX = "probe-";

export class MetricsTask implements Task {
  readonly name = "metrics";
  readonly #sources: MetricsSources;
  readonly #expositions = {
    text: new Exposition(METRICS),
    openmetrics: new Exposition(METRICS, "openmetrics"),
  };
  readonly #server: MetricsServer;
  /** Unix time in seconds. */
  readonly #startedAt: number;
  readonly #loop = new LoopDelay();

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    const { file, log, clock } = sources;
    // Once: a wall clock that is set later must not look like a restart.
    this.#startedAt = clock.wall() / 1_000;
    this.#server = new MetricsServer({
      ...file.metrics,
      answer: (accept) => this.#answer(OPENMETRICS.test(accept) ? "openmetrics" : "text"),
      onProblem: (problem) => {
        if (problem !== null) log.warn({ event: "metrics-not-served" }, problem);
        else log.info({ event: "metrics-served", ...file.metrics }, "metrics are served");
      },
      onError: (error) => log.error({ event: "metrics", err: error }, "metrics cannot be told"),
    });
  }

  /** Why they are not served though they should be, or null. */
  get problem(): string | null {
    return this.#server.problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#sources.file.metrics.port !== 0) this.#loop.start();
    await this.#server.run(signal);
    this.#loop.stop();
  }

  async #answer(format: MetricsFormat): Promise<{ contentType: string; text: string }> {
    await this.#sources.responder.refresh({ forMetrics: true });
    const more = { loopDelays: new Map(this.#loop.take()), startedAt: this.#startedAt };
    const exposition = this.#expositions[format];
    const text = await exposition.text(snapshotOf(this.#sources, more));
    return { contentType: exposition.contentType, text };
  }
}

/** Of all parts, now; `more` is what only the task itself knows. */
export function snapshotOf(
  sources: MetricsSources,
  more: { readonly loopDelays: ReadonlyMap<string, number>; readonly startedAt: number },
): Snapshot {
  const { file, clock, cluster, leading, journal, store, views } = sources;
  const { client, writer, events, ownership, wireTruth, responder, bgp } = sources;
  const { views: machine } = ownership.machine;
  const { counters } = responder.report();
  const isRefused = cluster.configProblems.length > 0;
  const { written, repeated, dropped, refused } = events.counts();
  return {
    node: file.nodeName,
    version: VERSION,
    pools: leading.leader.isLeading ? leading.allocation.usage() : null,
    owned: ownedVips(sources),
    bgpSessions: bgp.sessionCounts(),
    bgpAnnounced: bgp.announcedAddresses(),
    vips: cluster.addresses().length,
    isHoldover: machine.isHoldover(clock.boot()),
    updates: cluster.counts.updates,
    updateErrors: cluster.counts.refusals + leading.allocation.failedWrites,
    isConfigLoaded: cluster.isSynced,
    isConfigStale: isRefused || (cluster.isSynced && !cluster.isConfigCurrent),
    changes: journal.counts(),
    lapses: machine.lapses(),
    claims: ownership.claims.get(),
    beacons: { ...beaconCounts(counters), ...responder.report().measures },
    arp: frameCounts(ARP, counters),
    ndp: frameCounts(NDP, counters),
    probes: probeCounts(leading.probes.counters()),
    wireChecksByVerdict: withoutPrefix(wireTruth.counters(), WIRE_PREFIX),
    findingsByKind: views.findingCounts(),
    apiRequestsByOutcome: client.counts(),
    apiDurationsByMethod: client.durations(),
    leaseWritesByOutcome: new Map(Object.entries(writer.counts())),
    eventsByOutcome: new Map(Object.entries({ written, repeated, dropped, refused })),
    storeBytes: store.bytes(),
    loopDelays: { main: more.loopDelays, responder: new Map(responder.report().loopDelays) },
    process: { ...processUse(), startedAt: more.startedAt },
  };
}

function ownedVips({ cluster, ownership, responder }: MetricsSources): OwnedVip[] {
  return ownership.machine.owned().map((address) => {
    const { answered, announced } = responder.answersFor(address) ?? { answered: 0, announced: 0 };
    return { address, services: cluster.servicesOf(address), answered, announced };
  });
}

function frameCounts(
  { name, outcomes }: FrameProtocol,
  counters: Readonly<Record<string, number>>,
): FrameCounts {
  const count = (what: string): number => counters[`${name}-${what}`] ?? 0;
  return {
    receivedByOutcome: new Map(outcomes.map((outcome) => [outcome, count(outcome)])),
    sent: count("sent"),
    sendFailures: count("send-failed"),
    announcements: count("announced"),
  };
}

function beaconCounts(
  counters: Readonly<Record<string, number>>,
): Omit<Snapshot["beacons"], keyof BeaconMeasureCounts> {
  const drops = withoutPrefix(counters, DROP_PREFIX);
  // From an address that is on no segment: the socket drops those itself.
  drops.set("off-segment", counters["beacon-foreign"] ?? 0);
  return {
    sent: counters["beacon-sent"] ?? 0,
    sendFailures: counters["beacon-sendFailed"] ?? 0,
    received: (counters["beacon-received"] ?? 0) + (counters["beacon-foreign"] ?? 0),
    dropsByReason: drops,
  };
}

function probeCounts(counters: Readonly<Record<string, number>>): Snapshot["probes"] {
  const {
    free = 0,
    used = 0,
    unprobed = 0,
    waited = 0,
    sighted = 0,
  } = Object.fromEntries(withoutPrefix(counters, PROBE_PREFIX));
  const endedByFinding = new Map(Object.entries({ free, used, unprobed }));
  const quarantined = counters.quarantined ?? 0;
  return { endedByFinding, waits: waited, sightings: sighted, quarantined };
}

function withoutPrefix(
  counters: Readonly<Record<string, number>>,
  prefix: string,
): Map<string, number> {
  const named = Object.entries(counters).filter(([name]) => name.startsWith(prefix));
  return new Map(named.map(([name, count]) => [name.slice(prefix.length), count]));
}
