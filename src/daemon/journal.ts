// Writes down every change of owner, in the history, in the log, and, for what this node gained,
// as an Event on the Services.

import type { Ip } from "../core/address.ts";
import { formatEpoch, holdoverOf, leaseEpochOf } from "../core/epoch.ts";
import type { Clock } from "../core/time.ts";
import {
  CLAIM_CAUSES,
  LOSS_CAUSES,
  type OwnerChange,
  type OwnershipEffect,
  type VipRecord,
} from "../ownership/types.ts";
import type { OwnershipViews } from "../ownership/views.ts";
import type { WireFinding } from "../ownership/wire-truth.ts";
import type { HistoryRow, Store } from "../store/store.ts";
import { AnnouncedServices } from "./announced-services.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Logger } from "./logger.ts";
import type { ServiceEvents } from "./service-events.ts";
import { takeoverEvidence } from "./takeover-evidence.ts";

export interface JournalOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: Logger;
  readonly cluster: ClusterView;
  readonly events: ServiceEvents;
  readonly views: () => Pick<OwnershipViews, "silence">;
  /** Each row as it is written. */
  readonly onRow?: (row: HistoryRow) => void;
}

/** Rows that were written since the start. */
export type JournalCount = Pick<HistoryRow, "change" | "cause"> & { count: number };

/** What was done about another host that answers. */
const CONFLICTS = ["defended", "yielded", "peer"] as const;

export class Journal {
  readonly #options: JournalOptions;
  readonly #owners = new Map<Ip, string | null>();
  /** By what changed and why. */
  readonly #counts = new Map<string, JournalCount>();
  readonly #announced: AnnouncedServices;

  constructor(options: JournalOptions) {
    this.#options = options;
    // From zero: what is counted for the first time would look as if it had always been so.
    for (const cause of CLAIM_CAUSES) this.#count({ change: "gained", cause }, 0);
    for (const cause of LOSS_CAUSES) this.#count({ change: "lost", cause }, 0);
    for (const cause of CONFLICTS) this.#count({ change: "conflict", cause }, 0);
    this.#count({ change: "moved", cause: "observed" }, 0);
    this.#announced = new AnnouncedServices(options.cluster, options.events);
    for (const { address, owner } of options.store.tenures()) {
      this.#owners.set(address as Ip, owner);
    }
  }

  counts(): readonly Readonly<JournalCount>[] {
    return [...this.#counts.values()];
  }

  /** This node gained or lost a VIP. */
  ownChange(change: OwnerChange): void {
    const { address, cause } = change;
    const { node } = this.#options;
    const epoch = Math.max(0, leaseEpochOf(change.epoch));
    const what = change.type === "gained" ? this.#gainedDetail(change) : change.detail;
    const unwritten = holdoverOf(change.epoch) > 0 ? `unwritten, ${formatEpoch(change.epoch)}` : "";
    const detail = [what, unwritten].filter((text) => text !== "").join(", ");
    this.#write({ address, change: change.type, node, epoch, cause, detail });
    this.#owners.set(address, change.type === "gained" ? node : null);
    if (change.type === "lost") this.#announced.lost(address);
    else this.#announced.gained(address);
  }

  /** One of them may have come to an address that this node owns already. */
  servicesChanged(services: Iterable<string>): void {
    this.#announced.changed(services);
  }

  /** A record of any VIP was read; another node's gain is a row of its own. */
  vipRecord({ address, owner, epoch }: VipRecord): void {
    const before = this.#owners.get(address);
    if (owner === null || owner === before || owner === this.#options.node) return;
    this.#owners.set(address, owner);
    const detail = before == null ? "" : `from ${before}`;
    const about = { address, change: "moved", node: owner, epoch } as const;
    this.#options.store.recordObserved(this.#told({ ...about, cause: "observed", detail }));
  }

  vipRecordGone(address: Ip): void {
    this.#owners.delete(address);
    this.#options.store.forgetTenure(address);
  }

  conflict(conflict: Extract<OwnershipEffect, { type: "conflict" }>): void {
    const { address, mac, interface: name, resolution } = conflict;
    // A stubborn host is counted by the responder; the history keeps what was done about it.
    if (resolution === "counted") return;
    const { node, cluster, events } = this.#options;
    const detail = `${mac} on ${name}`;
    const isPeer = resolution === "peer";
    this.#write({ address, change: "conflict", node, epoch: 0, cause: resolution, detail });
    for (const key of cluster.servicesOf(address)) {
      const service = cluster.services.get(key);
      if (service !== undefined) events.conflict(service, { address, mac, isPeer });
    }
  }

  /** What answers on the wire for the VIP of another node is not what should, or is again. */
  wireChanged({ address, owner, verdict, macs, isDeaf }: WireFinding): void {
    const { cluster, events } = this.#options;
    const detail = isDeaf ? "but it answers when it is asked alone" : macs.join(", ");
    this.#write({ address, change: "wire", node: owner, epoch: 0, cause: verdict, detail });
    if (verdict === "answered") return;
    for (const key of cluster.servicesOf(address)) {
      const service = cluster.services.get(key);
      if (service !== undefined) events.unanswered(service, { address, owner, macs, isDeaf });
    }
  }

  #gainedDetail(change: Extract<OwnerChange, { type: "gained" }>): string {
    const { views, clock } = this.#options;
    const from = change.previousOwner === null ? "" : `from ${change.previousOwner}`;
    const evidence = takeoverEvidence(change, views(), clock.boot());
    return [from, evidence].filter((text) => text !== "").join(": ");
  }

  #write(row: Omit<HistoryRow, "at">): void {
    this.#options.store.recordChange(this.#told(row));
  }

  /** Counts it, and has it in the log. */
  #told(row: Omit<HistoryRow, "at">): HistoryRow {
    const { clock, log, onRow } = this.#options;
    this.#count(row);
    log.info({ event: "owner-change", ...row }, `${row.address} ${row.change}: ${row.cause}`);
    const told = { at: clock.wall(), ...row };
    onRow?.(told);
    return told;
  }

  #count({ change, cause }: Pick<HistoryRow, "change" | "cause">, more = 1): void {
    const key = `${change} ${cause}`;
    const counted = this.#counts.get(key) ?? { change, cause, count: 0 };
    counted.count += more;
    this.#counts.set(key, counted);
  }
}
