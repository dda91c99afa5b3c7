// Judges the clients' neighbour caches: where one node alone answers for a VIP, the client that it
// reaches sends there, once its announcements had the time to arrive.
//
// The bounds: an owner announces at once and for 4 s; a client whose entry has just changed takes
// what comes a second later. Where frames were lost meanwhile, or two answered that did not
// hear each other, or not for long, the refresh of every minute tells, at the latest.

import { ANNOUNCE_AT_MS, REFRESH_MS } from "../../../src/answering/announcer.ts";
import type { Ip } from "../../../src/core/address.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import type { Client } from "./client.ts";
import { macOfPort } from "./lan.ts";
import type { SimNode } from "./node.ts";
import type { Segment } from "./segment.ts";
import { Violation } from "./violation.ts";

/** Frames on their way, and whole milliseconds. */
const SLACK_MS = 60;
/** The announcement that no locked entry outlasts. */
const LAST_MS = ANNOUNCE_AT_MS[4] ?? 0;

/** An owner that heard another announce does so itself, as seldom as it may. */
const DEFENCE_MS = DEFAULT_TIMINGS.defendIntervalMs;

interface Sole {
  readonly node: SimNode;
  readonly since: number;
  /** When its main loop, which decides when to announce, or all of it stood still last. */
  stalledAt: number;
  /** It was not heard when it announced, or two that did not hear each other answered before. */
  readonly wasSplit: boolean;
  /** Another answered, too. */
  readonly wasDouble: boolean;
  isJudged: boolean;
}

export interface Place {
  readonly address: Ip;
  readonly segment: number;
  /** Of both. */
  readonly key: string;
}

interface Moment {
  readonly now: number;
  /** When frames were lost or late there last. */
  readonly troubleAt: number;
}

export interface CacheOptions {
  readonly segments: readonly Segment[];
  readonly clients: readonly Client[];
  /** Two that hear each other both answer for so long. */
  readonly doubleMs: number;
  /** Of a node's ms that are to be waited for in true ms. */
  readonly slow: number;
  readonly judges: () => void;
}

export class Caches {
  readonly #options: CacheOptions;
  /** By VIP and segment: who alone answers there. */
  readonly #soles = new Map<string, Sole>();
  /** Who answers since a time when it could not reach the client: its announcements are over. */
  readonly #unheard = new Map<string, Set<SimNode>>();
  /** Where more than one answers: whether all of them hear each other's beacons and ARP. */
  readonly #doubles = new Map<string, boolean>();

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** `answering`: all that do so on the segment. */
  look(place: Place, answering: readonly SimNode[], moment: Moment): void {
    const { now, troubleAt } = moment;
    const { key } = place;
    const sole = this.#soles.get(key);
    const isAsBefore = answering.length === 1 && answering[0] === sole?.node;
    if (sole !== undefined && isAsBefore && !this.#unheard.has(key)) {
      if (this.#reaches(sole.node, place.segment)) return this.#judge(place, sole, moment);
    }
    const reaching = answering.filter((node) => this.#reaches(node, place.segment));
    // One that stands still does not answer for a while, and announces nothing when it goes on.
    const stays = (node: SimNode): boolean => answering.length === 0 || answering.includes(node);
    const before = [...(this.#unheard.get(key) ?? [])].filter(stays);
    const unheard = answering.filter((node) => !reaching.includes(node));
    if (before.length + unheard.length === 0) this.#unheard.delete(key);
    else this.#unheard.set(key, new Set([...before, ...unheard]));
    const [only, other] = reaching;
    if (only === undefined || other !== undefined) {
      // Who goes on after a pause has announced before it, and need not do so again.
      if (answering.length > 0) this.#soles.delete(key);
      else if (sole !== undefined) sole.stalledAt = now;
      if (only !== undefined) this.#noteDouble(key, place.segment, reaching);
      return;
    }
    if (sole?.node === only) return this.#judge(place, sole, moment);
    const isWhole = this.#doubles.get(key);
    const isLate = troubleAt > now - this.#options.doubleMs;
    const wasSplit = isWhole === false || (isWhole === true && isLate) || before.includes(only);
    this.#doubles.delete(key);
    this.#soles.set(key, {
      node: only,
      since: now,
      wasSplit,
      wasDouble: isWhole !== undefined,
      isJudged: false,
      stalledAt: 0,
    });
  }

  #judge({ address, segment }: Place, sole: Sole, { now, troubleAt }: Moment): void {
    const { clients, slow, doubleMs, judges } = this.#options;
    const { node, since, wasSplit } = sole;
    const client = clients[segment];
    const own = macOfPort(segment, node.port);
    // Not all of that is seen by the owner: who hears nothing may announce, and answers go to one.
    const othersAt = client?.othersHeardAt(address, own) ?? 0;
    const isSlow = wasSplit || Math.max(troubleAt, othersAt) >= since;
    const mayDefend = sole.wasDouble || othersAt > since - DEFENCE_MS * slow;
    const soonMs = mayDefend ? DEFENCE_MS + LAST_MS : LAST_MS;
    const ownMs = isSlow ? REFRESH_MS + LAST_MS : soonMs;
    const bound = ownMs * slow + doubleMs + SLACK_MS;
    if (node.isStalled) sole.stalledAt = now;
    if (now - Math.max(since, sole.stalledAt, troubleAt, othersAt) <= bound) return;
    const mac = client?.macOf(address) ?? null;
    if (mac === null) return;
    if (!sole.isJudged) judges();
    sole.isJudged = true;
    if (mac === own) return;
    const detail = `${node.name} alone answers for ${address} for ${Math.round(now - since)} ms`;
    throw new Violation("cache-follows", `${detail}, a client on ${segment} sends to ${mac}`);
  }

  /** Once false it stays so until one alone answers. */
  #noteDouble(key: string, segment: number, answering: readonly SimNode[]): void {
    const on = this.#options.segments[segment];
    const isWhole = answering.every((one) =>
      answering.every((other) => one === other || on?.hearsAll(one.port, other.port) === true),
    );
    this.#doubles.set(key, isWhole && this.#doubles.get(key) !== false);
  }

  /** What it announces does; that it hears the client is not needed. */
  #reaches(node: SimNode, segment: number): boolean {
    const { segments, clients } = this.#options;
    const client = clients[segment];
    return client !== undefined && segments[segment]?.hearsArp(node.port, client.port) === true;
  }
}
