// The judge: looks at all nodes at once, as an ARP probe heard by everybody would, and at every
// change of a record. It knows true time and what left each node, and asks no machine.
//
// The bound: of two nodes that hear each other, beacons and ARP, both answer for no longer than
// `bounds.doubleMs` after the last frame between anybody was lost, or who hears whom has changed:
// by then three beacons have shown that the tables differ, and the tables were exchanged.

import type { Ip } from "../../../src/core/address.ts";
import type { Change, VirtualApi } from "./api.ts";
import { Caches, type Place } from "./caches.ts";
import type { Client } from "./client.ts";
import { Conflicts } from "./conflicts.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SimNode } from "./node.ts";
import { LATE_MS_MAX, type Segment } from "./segment.ts";
import type { Bounds } from "./settings.ts";
import type { VipPlan } from "./topology.ts";
import { type Invariant, noOccasions, type Occasions, Violation } from "./violation.ts";

/** A rewrite by the owner, with retries, and the watches of all. */
const HAND_MS_MAX = 20_000;
/** An offer stands for a second; a write may hang for two, twice. */
const OFFER_MS = 6_000;
/** The owner renews its Lease, and everybody has seen it do so. */
const SOUND_MS = 25_000;
/** A write that was sent before has reached the API, or never will. */
const IN_FLIGHT_MS = 6_000;

export interface OracleOptions {
  readonly api: VirtualApi;
  readonly queue: EventQueue;
  readonly segments: readonly Segment[];
  readonly clients: readonly Client[];
  readonly nodes: readonly SimNode[];
  readonly vips: readonly VipPlan[];
  readonly bounds: Bounds;
  /** Those whose owner counted as mute some time. */
  readonly muted: ReadonlySet<Ip>;
  /** A VIP went from one owner to another. */
  readonly onMove: () => void;
}

export interface OracleFigures {
  probes: number;
  /** Probes without any answer. */
  unanswered: number;
  moves: number;
  /** Times two that hear each other both answered, and the longest of them in true ms. */
  doubles: number;
  longestDoubleMs: number;
  readonly occasions: Occasions;
}

export class Oracle {
  readonly #options: OracleOptions;
  readonly #epochs = new Map<Ip, number>();
  readonly #owners = new Map<string, string>();
  /** Whom the record named last. */
  readonly #holders = new Map<Ip, string>();
  #editedUntil = 0;
  /** By segment. */
  readonly #troubleAt: number[];
  readonly #lateUntil: number[];
  /** Where each VIP is answered, by its address. */
  readonly #places: ReadonlyMap<Ip, readonly Place[]>;
  readonly #caches: Caches;
  readonly #conflicts: Conflicts;
  readonly #offeredAt = new Map<string, number>();
  readonly #doubleSince = new Map<string, number>();
  /** Since when a node answers unnamed by the record though nothing keeps it from writing. */
  readonly #unnamedSince = new Map<Ip, Map<SimNode, number>>();
  readonly figures: OracleFigures = {
    probes: 0,
    unanswered: 0,
    moves: 0,
    doubles: 0,
    longestDoubleMs: 0,
    occasions: noOccasions(),
  };

  constructor(options: OracleOptions) {
    this.#options = options;
    const { segments, clients, vips, bounds } = options;
    this.#troubleAt = segments.map(() => 0);
    this.#lateUntil = segments.map(() => 0);
    this.#places = new Map(vips.map((vip) => [vip.address, placesOf(vip)]));
    this.#caches = new Caches({
      ...{ segments, clients, doubleMs: bounds.doubleMs, slow: bounds.slow },
      judges: () => this.judges("cache-follows"),
    });
    this.#conflicts = new Conflicts(bounds.defendMs, () => this.judges("conflict-answered"));
    for (const { address } of vips) this.#unnamedSince.set(address, new Map());
    options.api.watch((change) => this.#onChange(change));
  }

  /** Frames were lost, or who hears whom has changed: what was to be heard begins anew. */
  onTrouble(segment: number): void {
    this.#troubleAt[segment] = this.#options.queue.now;
  }

  /** A frame is on its way for longer than it should be: it may be missed like a lost one. */
  onLate(segment: number): void {
    this.#lateUntil[segment] = this.#options.queue.now + LATE_MS_MAX;
  }

  /** An owner asks another node to take over: no needless move. */
  onOffer(address: Ip, from: string, to: string): void {
    this.#offeredAt.set(`${address} ${from} ${to}`, this.#options.queue.now);
  }

  /** A foreign host on the port uses the address; true when its owner hears that. */
  onForeign(address: Ip, segment: number, port: number): boolean {
    const { queue, segments } = this.#options;
    const [only, other] = this.#answering(address, segment);
    const isHeard = only !== undefined && segments[segment]?.hears(port, only.port) === true;
    const owner = isHeard && other === undefined ? only : null;
    const place = this.#placeOf(address, segment);
    if (place !== undefined) this.#conflicts.heard(place, owner, queue.now);
    return owner !== null;
  }

  onAnnounced(address: Ip, segment: number, name: string): void {
    const node = this.#options.nodes.find((one) => one.name === name);
    const place = this.#placeOf(address, segment);
    if (node !== undefined && place !== undefined) this.#conflicts.announced(place, node);
  }

  #placeOf(address: Ip, segment: number): Place | undefined {
    return this.#places.get(address)?.find((place) => place.segment === segment);
  }

  /** The promise is looked at, and may turn out to be broken. */
  judges(invariant: Invariant): void {
    const { occasions } = this.figures;
    occasions[invariant] = (occasions[invariant] ?? 0) + 1;
  }

  /** Asks everybody for everything. */
  probe(): void {
    for (const { proof, clock } of this.#options.nodes) {
      if (proof !== null && clock.now() < proof.silentUntil) this.judges("wakes-up-silent");
    }
    for (const [address, places] of this.#places) {
      const all = new Set<SimNode>();
      for (const place of places) {
        for (const node of this.#probeOn(place)) all.add(node);
      }
      this.#checkNames(address, all);
    }
  }

  #probeOn(place: Place): readonly SimNode[] {
    const { address, segment } = place;
    const answering = this.#answering(address, segment);
    this.figures.probes += 1;
    if (answering.length === 0) this.figures.unanswered += 1;
    for (const node of answering) this.#checkOne(node, address, segment);
    this.#checkDoubles(place, answering);
    const { now } = this.#options.queue;
    const lostAt = this.#troubleAt[segment] ?? 0;
    this.#conflicts.look(place, answering, { now, lostAt });
    const spoiltAt = Math.max(this.#lateUntil[segment] ?? 0, this.#conflicts.lastAt(place));
    const troubleAt = Math.max(lostAt, spoiltAt);
    this.#caches.look(place, answering, { now, troubleAt });
    return answering;
  }

  #answering(address: Ip, segment: number): SimNode[] {
    return this.#options.nodes.filter((node) => node.answers(address, segment));
  }

  /** Who answers for each address; one each is what healing must end with. */
  checkHealed(): void {
    for (const { address, segments } of this.#options.vips) {
      this.judges("one-after-healing");
      const owner = this.#options.api.vip(address)?.owner ?? null;
      for (const segment of segments) {
        const names = this.#answering(address, segment).map((node) => node.name);
        if (names.length === 1 && names[0] === owner) continue;
        const detail = `${address} is answered by [${names}] on ${segment}`;
        throw new Violation("one-after-healing", `${detail}, the record names ${owner}`);
      }
    }
    for (const vip of this.#options.vips) this.#checkTogether(vip);
  }

  /** A node that counted as mute for one of them may get only the other. */
  #checkTogether({ address, rankBy }: VipPlan): void {
    const { api, muted } = this.#options;
    if (rankBy === address || muted.has(address) || muted.has(rankBy)) return;
    this.judges("together");
    const [owner, first] = [api.vip(address)?.owner, api.vip(rankBy)?.owner];
    if (owner === first) return;
    const detail = `${address} is with ${owner}, and ${rankBy} with ${first}`;
    throw new Violation("together", detail);
  }

  #checkOne({ name, proof, clock }: SimNode, address: Ip, segment: number): void {
    if (proof === null) return;
    this.judges("tenure");
    const local = clock.now();
    const until = proof.tenureMax(segment);
    if (local >= until) {
      const late = (local - until).toFixed(1);
      throw new Violation("tenure", `${name} answers for ${address} ${late} ms too late`);
    }
    if (local < proof.silentUntil) {
      const early = (proof.silentUntil - local).toFixed(1);
      throw new Violation("wakes-up-silent", `${name} answers for ${address} ${early} ms early`);
    }
  }

  /** Whoever can write for long enough has written. */
  #checkNames(address: Ip, answering: ReadonlySet<SimNode>): void {
    const unnamedSince = this.#unnamedSince.get(address);
    if (unnamedSince === undefined) return;
    for (const node of unnamedSince.keys()) {
      if (!answering.has(node)) unnamedSince.delete(node);
    }
    if (answering.size === 0) return;
    const { now } = this.#options.queue;
    const owner = this.#options.api.vip(address)?.owner ?? null;
    for (const node of answering) {
      if (owner === node.name || node.isStalled || !node.link.isSound) {
        unnamedSince.delete(node);
        continue;
      }
      const since = Math.max(unnamedSince.get(node) ?? now, this.#editedUntil);
      unnamedSince.set(node, since);
      this.judges("named-by-record");
      if (now - since <= this.#options.bounds.recordMs) continue;
      const detail = `${node.name} answers for ${address}, the record names ${owner}`;
      throw new Violation("named-by-record", detail);
    }
  }

  #checkDoubles({ segment, key: where }: Place, answering: readonly SimNode[]): void {
    if (answering.length < 2 && this.#doubleSince.size === 0) return;
    const seen = new Set<string>();
    for (const [index, one] of answering.entries()) {
      for (const other of answering.slice(index + 1)) {
        if (!this.#hearEachOther(one, other, segment)) continue;
        seen.add(this.#noteDouble(where, this.#troubleAt[segment] ?? 0, [one, other]));
      }
    }
    for (const key of this.#doubleSince.keys()) {
      if (key.startsWith(`${where} `) && !seen.has(key)) this.#doubleSince.delete(key);
    }
  }

  #noteDouble(where: string, troubleAt: number, [one, other]: readonly [SimNode, SimNode]): string {
    const { now } = this.#options.queue;
    const key = `${where} ${one.name} ${other.name}`;
    const known = this.#doubleSince.get(key);
    this.judges("one-answers");
    if (known === undefined) this.figures.doubles += 1;
    const start = one.isStalled || other.isStalled ? now : (known ?? now);
    this.#doubleSince.set(key, start);
    const since = Math.max(start, troubleAt);
    this.figures.longestDoubleMs = Math.max(this.figures.longestDoubleMs, now - since);
    if (now - since > this.#options.bounds.doubleMs) {
      throw new Violation("one-answers", `${key} both answer for ${Math.round(now - since)} ms`);
    }
    return key;
  }

  #hearEachOther(one: SimNode, other: SimNode, segment: number): boolean {
    const on = this.#options.segments[segment];
    return on?.hearsAll(one.port, other.port) === true && on.hearsAll(other.port, one.port);
  }

  #onChange({ before, after, byHand }: Change): void {
    const { now } = this.#options.queue;
    if (byHand !== null) {
      const shownAt = Math.max(now, ...this.#options.nodes.map((node) => node.link.watchFreeAt));
      this.#editedUntil = Math.max(this.#editedUntil, shownAt + HAND_MS_MAX);
      if (after === null && before?.kind === "vip") this.#forget(before.record.address);
      return;
    }
    if (after?.kind !== "vip") return;
    const { address, owner, epoch } = after.record;
    if (now > this.#editedUntil) this.#checkEpoch(address, owner, epoch);
    this.#epochs.set(address, epoch);
    if (owner === null) return;
    this.#countMove(address, owner);
    const previous = before?.kind === "vip" ? before.record.owner : null;
    if (previous !== owner) this.#checkDrained(address, owner);
    if (previous !== null && previous !== owner) this.#checkNeed(address, previous, owner);
  }

  #countMove(address: Ip, owner: string): void {
    const last = this.#holders.get(address) ?? owner;
    this.#holders.set(address, owner);
    if (last === owner) return;
    this.figures.moves += 1;
    this.#options.onMove();
  }

  /** Who answers writes down what it took before. */
  #checkDrained(address: Ip, owner: string): void {
    const { nodes } = this.#options;
    const to = nodes.find((node) => node.name === owner);
    if (nodes.some((node) => node.drainedForMs > IN_FLIGHT_MS)) {
      this.judges("drained-takes-nothing");
    }
    if (to === undefined || this.#isAnswering(to, address) || to.drainedForMs <= IN_FLIGHT_MS)
      return;
    if (this.#options.queue.now <= this.#editedUntil) return;
    throw new Violation("drained-takes-nothing", `${owner}, drained, takes ${address}`);
  }

  /**
   * Nobody takes a VIP from an owner that answers, can write, and is heard by the taker or by more
   * nodes than the taker is.
   */
  #checkNeed(address: Ip, previous: string, owner: string): void {
    const { nodes, queue, bounds } = this.#options;
    const from = nodes.find((node) => node.name === previous);
    const to = nodes.find((node) => node.name === owner);
    if (from === undefined || to === undefined) return;
    if (from.isStopping || this.#isOffered(address, previous, owner)) return;
    // It took the VIP before, when it could not write, and writes that down now.
    if (this.#isAnswering(to, address)) return;
    const segments = this.#segmentsOf(address);
    const troubleAt = segments.map((on) => this.#troubleAt[on] ?? 0);
    const lateUntil = segments.map((on) => this.#lateUntil[on] ?? 0);
    const quietSince = Math.max(...troubleAt, ...lateUntil, this.#editedUntil);
    const isWireQuiet = queue.now - quietSince > bounds.quietMs;
    const isQuiet = isWireQuiet && queue.now - from.soundSince > SOUND_MS;
    if (!isQuiet || queue.now - to.startedAt < SOUND_MS) return;
    this.judges("no-needless-move");
    if (!this.#isAnswering(from, address)) return;
    const hearsIt = segments.every((on) => this.#arpBothWays(from, to, on));
    // A node concludes from what the first of its segments tells it.
    const first = segments.find((on) => this.#options.segments[on]?.hasCarrier(to.port) === true);
    if (!hearsIt && (first === undefined || !this.#isCutOff(to, first))) return;
    const how = hearsIt ? "which hears it" : "which is cut off";
    const detail = `${address} goes from ${previous}, which answers, to ${owner}, ${how}`;
    throw new Violation("no-needless-move", detail);
  }

  #isOffered(address: Ip, from: string, to: string): boolean {
    const at = this.#offeredAt.get(`${address} ${from} ${to}`) ?? Number.NEGATIVE_INFINITY;
    return this.#options.queue.now - at <= OFFER_MS;
  }

  #segmentsOf(address: Ip): readonly number[] {
    return this.#options.vips.find((vip) => vip.address === address)?.segments ?? [];
  }

  #isAnswering(node: SimNode, address: Ip): boolean {
    return this.#segmentsOf(address).some((segment) => node.answers(address, segment));
  }

  #arpBothWays(one: SimNode, other: SimNode, segment: number): boolean {
    const on = this.#options.segments[segment];
    return on?.hearsArp(one.port, other.port) === true && on.hearsArp(other.port, one.port);
  }

  /** It receives from fewer than half of the nodes that are there, itself included. */
  #isCutOff(node: SimNode, segment: number): boolean {
    const { api, nodes, segments } = this.#options;
    const on = segments[segment];
    if (on === undefined) return false;
    const isRunning = (other: SimNode): boolean => other.isUp && !other.isFrozen;
    // One that has given its Lease up is no member any more.
    const isThere = (other: SimNode): boolean =>
      isRunning(other) && on.hasCarrier(other.port) && api.member(other.name)?.holder != null;
    const isHeard = (other: SimNode): boolean => on.hears(other.port, node.port);
    const isKnown = (other: SimNode): boolean => isHeard(other) || !node.hasMissedStartOf(other);
    const there = nodes.filter((other) => other !== node && isThere(other) && isKnown(other));
    const heard = there.filter(isHeard);
    return 2 * (1 + heard.length) < 1 + there.length;
  }

  #forget(address: Ip): void {
    this.#epochs.delete(address);
    for (const key of this.#owners.keys()) {
      if (key.startsWith(`${address} `)) this.#owners.delete(key);
    }
  }

  #checkEpoch(address: Ip, owner: string | null, epoch: number): void {
    this.judges("epochs-grow");
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
}

function placesOf({ address, segments }: VipPlan): Place[] {
  return segments.map((segment) => ({ address, segment, key: `${address} ${segment}` }));
}
