// What the main thread and the responder thread say to each other.

import type { Asked } from "../answering/asks.ts";
import type { BeaconSettings } from "../beacon/engine-types.ts";
import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { BeaconMeasureCounts } from "../beacon/measures.ts";
import type { PeerNews } from "../beacon/news.ts";
import type { Ip, IpPrefix, IpRange } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Mac } from "../core/mac.ts";
import type { PeerEntry, PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { PackedLog } from "./frame-log.ts";
import type { LoopDelays } from "./loop-delay.ts";

export interface AnsweringInterface {
  readonly name: string;
  readonly index: number;
  readonly mac: Mac;
  /** By which peers are spoken to: IPv4, or link-local; null: there is none, and no beacons. */
  readonly address: { readonly ip: Ip; readonly prefix: IpPrefix } | null;
  readonly gateway: Ip | null;
  /** It takes in every frame: it would drop those to groups otherwise. Default: false. */
  readonly isPromiscuous?: boolean;
}

/** What the thread is started with. */
export interface ResponderStart {
  readonly node: string;
  /** Grows with every start of the daemon on this host. */
  readonly incarnation: number;
  readonly settings: BeaconSettings;
  readonly port: number;
}

export type ToResponder =
  /** The interfaces with carrier on which to answer; replaces those of before. */
  | { readonly type: "interfaces"; readonly interfaces: readonly AnsweringInterface[] }
  /** What the kernel lets through: the ranges of all pools. */
  | { readonly type: "ranges"; readonly ranges: readonly IpRange[] }
  | {
      readonly type: "grant";
      readonly address: Ip;
      readonly epoch: Epoch;
      readonly interfaces: readonly string[];
      readonly lapses: number;
    }
  | { readonly type: "revoke"; readonly address: Ip }
  /** What beacons are authenticated with, and of which cluster they are. */
  | {
      readonly type: "beacon-keys";
      readonly sending: Uint8Array | null;
      readonly accepted: readonly Uint8Array[];
    }
  | { readonly type: "cluster"; readonly cluster: string }
  | { readonly type: "state"; readonly state: PeerState }
  | {
      readonly type: "claim";
      readonly entries: readonly PeerEntry[];
      readonly interfaces: readonly string[];
    }
  | {
      readonly type: "offer";
      readonly to: string;
      readonly interface: string;
      readonly entries: readonly PeerEntry[];
    }
  /** Answer there in place of an owner that restarts, with its MAC; null: no more. */
  | {
      readonly type: "stand-in";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac | null;
    }
  /** Ask the segment who has the address, and `owner` alone if nobody says so; it is `asked`. */
  | {
      readonly type: "ask";
      readonly address: Ip;
      readonly interface: string;
      readonly owner: Mac | null;
    }
  /** The same for a person, from which nothing follows; it is `seen`. */
  | { readonly type: "look"; readonly address: Ip; readonly interface: string }
  /** Ask whether anybody uses the addresses; `probed` tells. Hurried: somebody waits for it. */
  | {
      readonly type: "probe";
      readonly interface: string;
      readonly addresses: readonly Ip[];
      readonly isHurried: boolean;
    }
  /** It was handed out: who uses it now is no news. Null: all that were asked for. */
  | { readonly type: "unwatch"; readonly address: Ip | null }
  | {
      readonly type: "complain";
      readonly entries: readonly PeerEntry[];
      readonly interface: string;
    }
  | { readonly type: "withdraw" }
  | { readonly type: "retell"; readonly node: string; readonly interface: string }
  /** By node: VIPs to ask it for when it is silent. */
  | {
      readonly type: "probe-targets";
      readonly targets: ReadonlyMap<string, readonly Ip[]>;
    }
  | { readonly type: "announce"; readonly address: Ip }
  /** Nothing is answered or announced while it is muted; beacons go on. */
  | { readonly type: "mute"; readonly isMuted: boolean }
  /** `withDelays`: those of the thread's loop, which begin anew then; else they are empty. */
  | { readonly type: "report"; readonly withAnswers: boolean; readonly withDelays?: boolean }
  /** The last frames and decisions are wanted. */
  | { readonly type: "frames" }
  | { readonly type: "stop" };

/** Who uses an address, as far as one segment knows; null: it could not be asked. */
export interface Probed {
  readonly address: Ip;
  readonly interface: string;
  readonly macs: readonly Mac[] | null;
}

/** Somebody uses an address, or is about to, some time after it was asked for. */
export interface Sighted {
  readonly address: Ip;
  readonly interface: string;
  readonly mac: Mac;
}

export interface LastAnswer {
  readonly at: BootMs;
  readonly to: Mac;
  readonly interface: string;
}

export interface VipAnswers {
  readonly address: Ip;
  readonly answered: number;
  readonly lastAnswer: LastAnswer | null;
  /** Frames that announced it. */
  readonly announced: number;
}

export interface ResponderProblem {
  readonly interface: string;
  readonly message: string;
  readonly breaks: Breakage;
}

/** What an interface cannot be used for: for nothing, or not for IPv6 addresses. */
export type Breakage = "all" | "ipv6";

export interface ResponderReport {
  /** Frames by outcome, sent, failed and announced, after `arp-` or `ndp-`; those of beacons. */
  readonly counters: Readonly<Record<string, number>>;
  readonly vips: readonly VipAnswers[];
  readonly problems: readonly ResponderProblem[];
  readonly peers: readonly {
    readonly node: string;
    readonly interface: string;
    readonly verdict: string;
    readonly state: PeerState;
    readonly jitterMs: number;
  }[];
  readonly measures: BeaconMeasureCounts;
  /** Of the thread, since it was asked for them last. */
  readonly loopDelays: LoopDelays;
  /** Why this host is not in all groups in which IPv6 addresses are asked for, or null. */
  readonly groupProblem: string | null;
  /** Other clusters whose beacons arrive. */
  readonly foreignClusters: readonly ForeignCluster[];
}

export type FromResponder =
  | { readonly type: "ready"; readonly realtime: string | null }
  | {
      readonly type: "heard";
      readonly address: Ip;
      readonly interface: string;
      readonly mac: Mac;
    }
  | { readonly type: "peer"; readonly news: PeerNews }
  | { readonly type: "asked"; readonly asked: readonly Asked[] }
  | { readonly type: "seen"; readonly seen: Asked }
  | { readonly type: "probed"; readonly probed: readonly Probed[] }
  | { readonly type: "sighted"; readonly sighted: Sighted }
  /** Without answers where only a sign of life was asked for: there may be thousands. */
  | { readonly type: "report"; readonly report: ResponderReport; readonly withAnswers: boolean }
  | { readonly type: "frames"; readonly log: PackedLog };
