// The words of the beacon engine: what it is given, and what it wants done.

import type { Ip } from "../core/address.ts";
import type { Sha256 } from "../core/hash.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import type { PeerNews } from "./news.ts";
import type { DropReason, Hmac } from "./wire.ts";

export interface BeaconSegment {
  readonly interface: string;
  readonly mac: Mac;
  /** This node's own address on the segment: IPv4, or link-local where there is none. */
  readonly address: Ip;
  /** The gateway on this segment, or null. */
  readonly gateway: Ip | null;
}

export interface BeaconSettings {
  /** Time between two beacons; grows with the number of peers so that a segment stays quiet. */
  readonly intervalMs: number;
  /** The hold is the interval times this. */
  readonly multiplier: number;
  /** How long peers leave a daemon that restarts what it has, 0 to 60,000 ms. */
  readonly restartHoldMs: number;
}

export const DEFAULT_BEACON_SETTINGS: BeaconSettings = {
  intervalMs: 100,
  multiplier: 3,
  restartHoldMs: 10_000,
};

export type EngineEffect =
  | { readonly type: "tell"; readonly news: PeerNews }
  | {
      readonly type: "send";
      readonly interface: string;
      /** Null: to everybody. */
      readonly to: Ip | null;
      readonly bytes: Uint8Array;
      /** For a beacon: report back with `sent` when it has left. */
      readonly sentAt: BootMs | null;
    }
  /** Ask who has the address; `to` null: everybody. */
  | {
      readonly type: "probe";
      readonly interface: string;
      readonly address: Ip;
      readonly to: Mac | null;
    }
  /** The hosts that are asked for their own addresses: these are to be received, too. */
  | {
      readonly type: "watch-hosts";
      readonly interface: string;
      readonly addresses: readonly Ip[];
    }
  | { readonly type: "tenure"; readonly interface: string; readonly until: BootMs };

export const ENGINE_DROPS = [
  "replay",
  "late",
  "foreign-cluster",
  "wrong-address",
  "own",
  "unknown",
  "unproven",
] as const;
export type Drop = DropReason | (typeof ENGINE_DROPS)[number];

export interface EngineOptions {
  readonly node: string;
  /** Grows with every start; see store. */
  readonly incarnation: number;
  readonly settings: BeaconSettings;
  readonly hmac: Hmac;
  readonly sha256: Sha256;
}
