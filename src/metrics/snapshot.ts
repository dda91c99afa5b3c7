// What the metrics are made from: the daemon at one moment, as plain values.

import type { HistogramCounts } from "../core/histogram.ts";

export interface PoolCounts {
  readonly pool: string;
  readonly assignedIpv4: number;
  readonly assignedIpv6: number;
  readonly availableIpv4: number;
  readonly availableIpv6: number;
}

/** A VIP that this node owns; what was counted since it took it. */
export interface OwnedVip {
  readonly address: string;
  /** `namespace/name`. */
  readonly services: readonly string[];
  readonly answered: number;
  readonly announced: number;
}

/** A BGP session of this node; counts are the routing daemon's. */
export interface BgpSession {
  /** `address:port`, or the interface, as MetalLB calls it. */
  readonly peer: string;
  readonly vrf: string;
  readonly isUp: boolean;
  readonly announced: number;
  /** By FRR's name of the message. */
  readonly messages: Readonly<Record<string, number>>;
  /** Null: it is not watched by BFD. */
  readonly bfd: {
    readonly isUp: boolean;
    readonly counters: Readonly<Record<string, number>>;
  } | null;
}

type Counts = ReadonlyMap<string, number>;

/** Of one protocol, on all interfaces. */
export interface FrameCounts {
  readonly receivedByOutcome: Counts;
  readonly sent: number;
  readonly sendFailures: number;
  readonly announcements: number;
}

/** Counters count from the start of the process; times are in seconds. */
export interface Snapshot {
  readonly node: string;
  readonly version: string;
  /** Null: this node does not lead, and allocates nothing. */
  readonly pools: readonly PoolCounts[] | null;
  readonly owned: readonly OwnedVip[];
  readonly bgpSessions: readonly BgpSession[];
  /** Announced by BGP from this node. */
  readonly bgpAnnounced: readonly { readonly service: string; readonly address: string }[];
  /** Addresses that Services of the cluster have. */
  readonly vips: number;
  readonly isHoldover: boolean;
  readonly updates: number;
  readonly updateErrors: number;
  readonly isConfigLoaded: boolean;
  readonly isConfigStale: boolean;
  readonly changes: readonly {
    readonly change: string;
    readonly cause: string;
    readonly count: number;
  }[];
  readonly lapses: number;
  /** From the claim of a VIP until it is answered for, in seconds. */
  readonly claims: HistogramCounts;
  readonly beacons: {
    readonly sent: number;
    readonly sendFailures: number;
    readonly received: number;
    readonly dropsByReason: Counts;
    /** How late those of peers come, in seconds. */
    readonly lateness: HistogramCounts;
    /** What is left of the tenure when one is sent, in seconds. */
    readonly margin: HistogramCounts;
  };
  readonly arp: FrameCounts;
  readonly ndp: FrameCounts;
  /** Of the addresses that no Service has, asked for as long as this node leads. */
  readonly probes: {
    readonly endedByFinding: Counts;
    /** Those that a Service waited for. */
    readonly waits: number;
    /** Free ones that a host came to use. */
    readonly sightings: number;
    readonly quarantined: number;
  };
  readonly wireChecksByVerdict: Counts;
  readonly findingsByKind: Counts;
  readonly apiRequestsByOutcome: Counts;
  /** How long they took, in seconds, by method. */
  readonly apiDurationsByMethod: ReadonlyMap<string, HistogramCounts>;
  readonly leaseWritesByOutcome: Counts;
  readonly eventsByOutcome: Counts;
  readonly storeBytes: number;
  /** Since the metrics were read last, by quantile. */
  readonly loopDelays: { readonly main: Counts; readonly responder: Counts };
  readonly process: {
    readonly cpuSeconds: number;
    readonly rssBytes: number;
    /** Unix time. */
    readonly startedAt: number;
  };
}
