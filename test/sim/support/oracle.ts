// The judge: looks at all nodes at once, as an ARP probe heard by everybody would, and at every
// change of a record. It knows true time and what reached each node, and asks no machine.
//
// The bound of this Lease-based version. Of two nodes that hear each other, both answer only while
// (a) one of them is cut off: its Lease was not confirmed within the renew deadline, or it has not
//     read all records since. It ends with the first announcement it hears, at the latest with the
//     refresh after REFRESH_MS when no frame is lost; a main loop that stands still ends with the
//     tenure.
// (b) the claim crossed the owner's return: the owner renewed its Lease after the claimant's last
//     look at it and before the claim was written. It ends when the owner learns of the record, by
//     the watch or by a read, which the claimant's announcement causes: CROSSED_MS_MAX.
// (c) somebody edited or deleted a Lease by hand: HAND_MS_MAX after all watches have shown it.

import { REFRESH_MS } from "../../../src/arp/announcer.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Change, VirtualApi } from "./api.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SimNode } from "./node.ts";
import type { Proof } from "./proof.ts";
import type { Segment } from "./segment.ts";
import { Violation } from "./violation.ts";

/** Announcement (4 s apart at the start, then a refresh), one read with its time limit, a retry. */
const CROSSED_MS_MAX = 12_000;
/** A rewrite by the owner, with retries, and the watches of all. */
const HAND_MS_MAX = 20_000;
/** A refresh, the slowest clock, and the end of a tenure that nobody pushes on any more. */
const HEARD_MS_MAX = REFRESH_MS / 0.9 + 10_000;
/** A claim stands on a look at the owner's Lease no older than this. */
const EVIDENCE_MS_MAX = 25_000;

export interface OracleOptions {
  readonly api: VirtualApi;
  readonly queue: EventQueue;
  readonly segment: Segment;
  readonly nodes: readonly SimNode[];
  readonly addresses: readonly Ip[];
}

export interface OracleFigures {
  probes: number;
  /** Probes without any answer. */
  unanswered: number;
  moves: number;
  /** Times two that hear each other both answered, and the longest of them in true ms. */
  doubles: number;
  longestDoubleMs: number;
  crossed: number;
}

export class Oracle {
  readonly #options: OracleOptions;
  readonly #nodesByName: ReadonlyMap<string, SimNode>;
  readonly #epochs = new Map<Ip, number>();
  readonly #owners = new Map<string, string>();
  readonly #evidence = new Map<string, number | undefined>();
  readonly #renewedAt = new Map<string, number>();
  /** Until when a node may answer unnamed though it is certain, by node and address. */
  readonly #crossedUntil = new Map<string, number>();
  #editedUntil = 0;
  /** VIPs whose record is as somebody made it by hand, or deleted it. */
  readonly #edited = new Set<Ip>();
  readonly #doubleSince = new Map<string, number>();
  readonly #doubleStart = new Map<string, number>();
  readonly figures: OracleFigures = {
    probes: 0,
    unanswered: 0,
    moves: 0,
    doubles: 0,
    longestDoubleMs: 0,
    crossed: 0,
  };

  constructor(options: OracleOptions) {
    this.#options = options;
    this.#nodesByName = new Map(options.nodes.map((node) => [node.name, node]));
    options.api.watch((change) => this.#onChange(change));
  }

  /** The claimant's look at the owner's Lease is what its claim stands on. */
  claimSent(node: string, address: Ip, proof: Proof): void {
    const owner = this.#options.api.vip(address)?.owner ?? null;
    const evidence = owner === null ? undefined : proof.evidenceOf(owner);
    this.#evidence.set(`${node} ${address}`, evidence);
  }

  /** Frames were lost, or who hears whom has changed: what was to be heard begins anew. */
  onTrouble(): void {
    const { now } = this.#options.queue;
    for (const key of this.#doubleSince.keys()) this.#doubleSince.set(key, now);
  }

  /** Asks everybody for everything. */
  probe(): void {
    for (const address of this.#options.addresses) {
      const answering = this.#options.nodes.filter((node) => node.answers(address));
      this.figures.probes += 1;
      if (answering.length === 0) this.figures.unanswered += 1;
      for (const node of answering) this.#checkOne(node, address);
      this.#checkDoubles(address, answering);
    }
  }

  /** Who answers for each address; one each is what healing must end with. */
  checkHealed(): void {
    for (const address of this.#options.addresses) {
      const answering = this.#options.nodes.filter((node) => node.answers(address));
      const names = answering.map((node) => node.name);
      const owner = this.#options.api.vip(address)?.owner ?? null;
      if (names.length !== 1 || names[0] !== owner) {
        const detail = `${address} is answered by [${names}], the record names ${owner}`;
        throw new Violation("one-after-healing", detail);
      }
    }
  }

  #checkOne(node: SimNode, address: Ip): void {
    const { proof } = node;
    if (proof === null) return;
    const local = node.clock.now();
    if (local >= proof.tenureMax()) {
      const late = (local - proof.tenureMax()).toFixed(1);
      throw new Violation("tenure", `${node.name} answers for ${address} ${late} ms too late`);
    }
    if (proof.mustReadFirst) {
      throw new Violation("wakes-up-silent", `${node.name} answers for ${address} at once`);
    }
    if (!node.isStalled && proof.mustBeSilent(address)) {
      throw new Violation("yields-when-heard", `${node.name} answers for ${address} all the same`);
    }
    if (!proof.isCertain(local) || this.#options.api.vip(address)?.owner === node.name) return;
    const { now } = this.#options.queue;
    const crossedUntil = this.#crossedUntil.get(`${node.name} ${address}`) ?? 0;
    const repairedUntil = this.#edited.has(address) ? proof.certainSince + HAND_MS_MAX : 0;
    if (now <= Math.max(crossedUntil, this.#editedUntil, repairedUntil)) return;
    const owner = this.#options.api.vip(address)?.owner ?? null;
    const detail = `${node.name} answers for ${address}, the record names ${owner}`;
    throw new Violation("named-by-record", detail);
  }

  #checkDoubles(address: Ip, answering: readonly SimNode[]): void {
    const seen = new Set<string>();
    for (const [index, one] of answering.entries()) {
      for (const other of answering.slice(index + 1)) {
        if (this.#hearEachOther(one, other)) {
          seen.add(this.#noteDouble(address, one, other));
        }
      }
    }
    for (const key of this.#doubleStart.keys()) {
      if (!key.startsWith(`${address} `) || seen.has(key)) continue;
      this.#doubleStart.delete(key);
      this.#doubleSince.delete(key);
    }
  }

  #noteDouble(address: Ip, one: SimNode, other: SimNode): string {
    const { now } = this.#options.queue;
    const key = `${address} ${one.name} ${other.name}`;
    const start = this.#doubleStart.get(key);
    if (start === undefined) {
      this.figures.doubles += 1;
      this.#doubleStart.set(key, now);
      this.#doubleSince.set(key, now);
      return key;
    }
    if (one.isStalled || other.isStalled) this.#doubleSince.set(key, now);
    this.figures.longestDoubleMs = Math.max(this.figures.longestDoubleMs, now - start);
    const since = Math.max(this.#doubleSince.get(key) ?? now, this.#editedUntil);
    if (now - since > HEARD_MS_MAX) {
      throw new Violation("one-answers", `${key} both answer for ${Math.round(now - since)} ms`);
    }
    return key;
  }

  #hearEachOther(one: SimNode, other: SimNode): boolean {
    const { segment } = this.#options;
    return segment.hears(one.port, other.port) && segment.hears(other.port, one.port);
  }

  #onChange({ before, after, byHand }: Change): void {
    const { now } = this.#options.queue;
    if (byHand) {
      const shownAt = Math.max(now, ...this.#options.nodes.map((node) => node.link.watchFreeAt));
      this.#editedUntil = Math.max(this.#editedUntil, shownAt + HAND_MS_MAX);
      if (before?.kind === "vip") this.#edited.add(before.record.address);
      if (after === null && before?.kind === "vip") this.#forget(before.record.address);
      return;
    }
    if (after?.kind === "member") this.#renewedAt.set(after.record.node, now);
    if (after?.kind !== "vip") return;
    const { address, owner, epoch } = after.record;
    this.#edited.delete(address);
    if (now > this.#editedUntil) this.#checkEpoch(address, owner, epoch);
    this.#epochs.set(address, epoch);
    if (owner === null) return;
    this.figures.moves += 1;
    const previous = before?.kind === "vip" ? before.record.owner : null;
    if (previous !== null && previous !== owner) this.#onTakenFrom(previous, owner, address);
  }

  #forget(address: Ip): void {
    this.#epochs.delete(address);
    for (const key of this.#owners.keys()) {
      if (key.startsWith(`${address} `)) this.#owners.delete(key);
    }
  }

  #checkEpoch(address: Ip, owner: string | null, epoch: number): void {
    const last = this.#epochs.get(address) ?? -1;
    const key = `${address} ${epoch}`;
    const previous = this.#owners.get(key);
    const isNext = owner === null ? epoch >= last : epoch > last;
    if (!isNext || (owner !== null && previous !== undefined && previous !== owner)) {
      const detail = `${address}: ${owner} writes epoch ${epoch} after ${last}`;
      throw new Violation("epochs-grow", detail);
    }
    if (owner !== null) this.#owners.set(key, owner);
  }

  /** The owner came back between the claimant's look and its write: both believe, for a moment. */
  #onTakenFrom(previous: string, owner: string, address: Ip): void {
    const { now } = this.#options.queue;
    const evidence = this.#evidence.get(`${owner} ${address}`);
    const hasCrossed = evidence !== undefined && (this.#renewedAt.get(previous) ?? 0) > evidence;
    const isFresh = evidence !== undefined && now - evidence <= EVIDENCE_MS_MAX;
    const loser = this.#nodesByName.get(previous);
    if (loser === undefined || !hasCrossed || !isFresh) return;
    this.figures.crossed += 1;
    this.#crossedUntil.set(`${previous} ${address}`, now + CROSSED_MS_MAX);
  }
}
