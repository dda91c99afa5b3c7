// What the segments tell the ownership machine: peers heard and silent, their tables and claims,
// and other hosts that use a VIP. A part of the machine, apart for its length.

import type { Ip } from "../core/address.ts";
import { holdoverOf } from "../core/epoch.ts";
import type { PeerEntry } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { Source, WireClaims } from "./claims.ts";
import { newDoubt } from "./doubt.ts";
import type { Members } from "./members.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Timings } from "./timings.ts";
import type { OwnershipEffect, OwnershipEvent } from "./types.ts";
import type { Vip } from "./vip.ts";
import { nextDefence } from "./vip.ts";
import type { VipTable } from "./vip-table.ts";

type EventOf<T extends OwnershipEvent["type"]> = Extract<OwnershipEvent, { type: T }>;

export type WireEvent = EventOf<
  | "heard"
  | "peer-heard"
  | "peer-silent"
  | "peer-table"
  | "peer-table-change"
  | "peer-claim"
  | "peer-offer"
  | "peer-complaint"
  | "peer-table-missing"
>;

/** News of a peer that is older than this is not acted on. */
const NEWS_MS_MAX = 100;

export interface WirePorts {
  readonly timings: Timings;
  readonly neighbours: Neighbours;
  readonly claims: WireClaims;
  readonly members: Members;
  readonly vips: VipTable;
  readonly emit: (effect: OwnershipEffect) => void;
  readonly evaluate: (vip: Vip | undefined, now: BootMs) => void;
  readonly evaluateAll: (now: BootMs) => void;
  readonly readRecords: (now: BootMs) => void;
  readonly isReading: () => boolean;
  readonly isApiInReach: (now: BootMs) => boolean;
  readonly canReadRecords: (now: BootMs) => boolean;
}

/** What the former owner announced before it let go of a VIP may arrive this long. */
const HANDED_OVER_MS = 4_000;

/** A neighbour cache that has just learnt of a host takes no other for 1 s (Linux: locktime). */
const CACHE_LOCK_MS = 1_100;

export class Wire {
  readonly #ports: WirePorts;

  constructor(ports: WirePorts) {
    this.#ports = ports;
  }

  apply(event: WireEvent, now: BootMs): void {
    switch (event.type) {
      case "heard":
        return this.#onForeign(event, now);
      case "peer-heard":
        return this.#onPeerHeard(event, now);
      case "peer-silent":
        return this.#onPeerSilent(event, now);
      case "peer-table-missing":
        // That alone lets nobody do more: whatever is to be done is looked at when it is due.
        return this.#ports.neighbours.tableMissing(event.node, event.interface, now);
      case "peer-table":
        return this.#onPeerTable(event, now);
      case "peer-table-change":
        return this.#onTableChange(event, now);
      case "peer-claim":
        return this.#onPeerClaim(event, now);
      case "peer-offer":
        return this.#onPeerOffer(event, now);
      case "peer-complaint":
        return this.#onComplaint(event, now);
    }
  }

  #onPeerHeard(event: EventOf<"peer-heard">, now: BootMs): void {
    const isAnew = this.#ports.neighbours.heard(event.node, event.interface, event);
    // A new process owns nothing of what the one before it had on the wire.
    if (isAnew) this.#ports.claims.forgetNode(event);
    this.#ports.evaluateAll(now);
  }

  /** News that waited in a queue may be wrong by now: it is asked for again. */
  #onPeerSilent(event: EventOf<"peer-silent">, now: BootMs): void {
    const { node, interface: name } = event;
    if (now >= after(event.at, NEWS_MS_MAX)) {
      this.#ports.emit({ type: "retell", node, interface: name });
      return;
    }
    this.#ports.neighbours.silent(node, name, event);
    if (this.#ports.members.status(node, now) === "stopped") this.#ports.neighbours.forget(node);
    this.#ports.evaluateAll(now);
  }

  #onPeerTable(event: EventOf<"peer-table">, now: BootMs): void {
    const changed = this.#ports.claims.table(event, event.entries, now);
    this.#onListed(event, changed, now);
  }

  #onTableChange(event: EventOf<"peer-table-change">, now: BootMs): void {
    this.#onListed(event, this.#ports.claims.change(event, event, now), now);
  }

  /** The table is known, and these are changes of it; of them `entries` has those it lists. */
  #onListed(
    source: Source & { readonly entries: readonly PeerEntry[] },
    changed: readonly Ip[],
    now: BootMs,
  ): void {
    const { node, interface: segment, entries } = source;
    const wasMissing = this.#ports.neighbours.tableCame(node, segment);
    const listed = new Set(entries.map((entry) => entry.address));
    for (const entry of entries) this.#answersNow(entry, node);
    for (const address of changed) {
      const vip = this.#ports.vips.get(address);
      this.#ports.evaluate(vip, now);
      if (vip?.phase.kind !== "owning") continue;
      // Two answer. Or they did, and the caches may still say otherwise.
      if (listed.has(address)) this.#meetPeer(vip, source, now);
      else this.#ports.emit({ type: "announce", address });
    }
    if (wasMissing) this.#onTableAgain(source, now);
  }

  /** What a peer claimed and does not list is believed for its time again, and no longer. */
  #onTableAgain(source: Source, now: BootMs): void {
    // Without the records, nothing was taken before it had told.
    if (!this.#ports.canReadRecords(now)) return this.#ports.evaluateAll(now);
    for (const address of this.#ports.claims.unconfirmedOf(source)) {
      this.#ports.evaluate(this.#ports.vips.get(address), now);
    }
  }

  /** A peer that answers, too, is told the epoch: the lower one yields. Once for a time we tell. */
  #meetPeer(
    vip: Vip,
    { node, interface: name }: { readonly node: string; readonly interface: string },
    now: BootMs,
  ): void {
    if (vip.phase.kind !== "owning") return;
    const { address } = vip.spec;
    const { epoch, interfaces } = vip.phase;
    this.#ports.emit({ type: "claim", address, epoch, interfaces });
    const mac = this.#ports.neighbours.on(name).get(node)?.mac;
    if (mac === undefined || this.#isTold(vip, node, now)) return;
    this.#ports.emit({ type: "conflict", address, interface: name, mac, resolution: "peer" });
  }

  #onPeerClaim(event: EventOf<"peer-claim">, now: BootMs): void {
    for (const entry of event.entries) {
      this.#ports.claims.claimed(event, entry, now);
      // With the API's epoch: it claims what it has. Other claims come before the answering.
      if (holdoverOf(entry.epoch) === 0) this.#answersNow(entry, event.node);
      this.#ports.evaluate(this.#ports.vips.get(entry.address), now);
    }
  }

  /** A table lists what a node answers for: whoever was asked to take the VIP over has it now. */
  #answersNow({ address, epoch }: PeerEntry, node: string): void {
    const vip = this.#ports.vips.get(address);
    if (vip?.phase.kind !== "owning" || vip.offer?.to !== node) return;
    if (epoch > vip.phase.epoch) vip.offer.isAnnounced = true;
  }

  /** One that waited in a queue is over: the owner has asked somebody else since. */
  #onPeerOffer(event: EventOf<"peer-offer">, now: BootMs): void {
    const until = after(event.at, this.#ports.timings.offerMs);
    for (const { address, epoch } of event.entries) {
      const vip = this.#ports.vips.get(address);
      if (vip === undefined) continue;
      vip.offered = { from: event.node, epoch, until };
      this.#ports.evaluate(vip, now);
    }
  }

  /** Caches may be wrong: whoever owns it says so again, as seldom as it may defend it. */
  #onComplaint({ entries }: EventOf<"peer-complaint">, now: BootMs): void {
    for (const { address, epoch } of entries) {
      const vip = this.#ports.vips.get(address);
      if (vip?.phase.kind !== "owning" || vip.phase.epoch !== epoch) continue;
      if (now < nextDefence(vip, this.#ports.timings.defendIntervalMs)) continue;
      vip.defendedAt = now;
      this.#ports.emit({ type: "announce", address });
    }
  }

  /**
   * RFC 5227 section 2.4: a foreign host is met by one defence in an interval while the record is
   * known to be ours; while it is not, the other may be the owner. A peer is told the epoch: the
   * lower one yields.
   */
  #onForeign({ address, interface: name, mac }: EventOf<"heard">, now: BootMs): void {
    const vip = this.#ports.vips.get(address);
    if (vip === undefined || vip.phase.kind !== "owning") return;
    const report = { type: "conflict", address, interface: name, mac } as const;
    const peer = this.#ports.neighbours.nodeOf(mac);
    if (vip.offer !== null && vip.offer.to === peer) {
      vip.offer.isAnnounced = true;
      return this.#ports.evaluate(vip, now);
    }
    if (peer !== null) {
      this.#meetPeer(vip, { node: peer, interface: name }, now);
      if (isHandedOver(vip, peer, now)) return;
      // It may yield without a word; the caches that it changed would keep to it.
      const due = nextDefence(vip, this.#ports.timings.defendIntervalMs);
      vip.defendAt = Math.max(due, after(now, CACHE_LOCK_MS)) as BootMs;
      return this.#ports.evaluate(vip, now);
    }
    if (!this.#ports.isApiInReach(now)) {
      this.#ports.vips.lose(vip, "another-host-answers", `${mac} on ${name} while the API is away`);
      vip.yieldedUntil = after(now, this.#ports.timings.defendIntervalMs);
      vip.doubt = newDoubt(this.#ports.isReading());
      this.#ports.emit({ ...report, resolution: "yielded" });
      this.#ports.readRecords(now);
      this.#ports.evaluate(vip, now);
      return;
    }
    const isDue = now >= nextDefence(vip, this.#ports.timings.defendIntervalMs);
    if (isDue) {
      vip.defendedAt = now;
      vip.defendAt = NEVER;
      this.#ports.emit({ type: "announce", address });
      this.#ports.readRecords(now);
    } else vip.defendAt = nextDefence(vip, this.#ports.timings.defendIntervalMs);
    this.#ports.emit({ ...report, resolution: isDue ? "defended" : "counted" });
    this.#ports.evaluate(vip, now);
  }

  /** Two answer while a VIP is handed over; else that is told, once for a time. */
  #isTold(vip: Vip, peer: string, now: BootMs): boolean {
    if (isHandedOver(vip, peer, now)) return true;
    const isTold = now < after(vip.peerToldAt, this.#ports.timings.defendIntervalMs);
    vip.peerToldAt = isTold ? vip.peerToldAt : now;
    return isTold;
  }
}

/** The peer had it before, and what it said then is still on its way. */
function isHandedOver({ tookFrom }: Vip, peer: string, now: BootMs): boolean {
  return tookFrom?.from === peer && now < after(tookFrom.until, HANDED_OVER_MS);
}
