// What a node answers for, after a start, before the cluster is listed. To list thousands of
// Services takes seconds; the records are read first, and of the VIPs that have one the store knows
// what has to be known. It is no more than a beginning: nothing is allocated, told of or announced
// by BGP before everything is listed.

import type { Pool } from "../config/cluster-config.ts";
import type { Ip, IpRange } from "../core/address.ts";
import type { OwnershipEvent, VipRecord } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Logger } from "./logger.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Snapshots } from "./snapshots.ts";

export interface EarlyVipsParts {
  readonly log: Pick<Logger, "info">;
  readonly cluster: ClusterView;
  readonly snapshots: Pick<Snapshots, "load">;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  readonly tellResponder: (message: ToResponder) => void;
}

export class EarlyVips {
  readonly #parts: EarlyVipsParts;
  #told: readonly Ip[] = [];

  constructor(parts: EarlyVipsParts) {
    this.#parts = parts;
  }

  /** The records were read, for the first time since the start. */
  onRecords(records: readonly VipRecord[]): void {
    const { log, cluster, snapshots, tellOwnership, tellResponder } = this.#parts;
    const memory = cluster.isSynced ? null : snapshots.load();
    if (memory === null) return;
    const view = cluster.as(memory);
    const recorded = new Set(records.map(({ address }) => address));
    // A Service that had none may be gone by now: nobody takes an address for it.
    const changed = view.takeVips().changed.filter(({ address }) => recorded.has(address));
    if (changed.length === 0) return;
    const text = "working from what was known last until the cluster is listed";
    log.info({ event: "head-start", vips: changed.length }, text);
    tellResponder({ type: "ranges", ranges: rangesOf(view.config.pools) });
    tellOwnership({ type: "vips", changed, freed: [] });
    this.#told = changed.map(({ address }) => address);
  }

  /** The cluster is listed: what was told, and no Service has any more. Empty when asked again. */
  takeGone(): Ip[] {
    if (this.#told.length === 0) return [];
    const present = new Set(this.#parts.cluster.addresses());
    const gone = this.#told.filter((address) => !present.has(address));
    this.#told = [];
    return gone;
  }
}

export function rangesOf(pools: readonly Pool[]): IpRange[] {
  return pools.flatMap((pool) => pool.ranges);
}
