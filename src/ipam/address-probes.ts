// Which addresses are asked for on the wire before a Service gets them (RFC 5227 section 2.1.1),
// when, and what follows: an address that nobody answers for is free for some minutes, one that
// another host answers for, or comes to use, is quarantined until that has gone. Pure: the caller
// asks, and says which frames are foreign; `now` is an argument.
//
// Not guaranteed: a host that is off, or asleep, or comes later in silence is not found. The owner
// of the address notices it then (RFC 5227 section 2.4).

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after, bootMs, earliest, NEVER } from "../core/time.ts";
import { RateBudget } from "./rate-budget.ts";

/** For so long nobody is asked again. */
export const FREE_FOR_MS = 300_000;
/** What is likely to be handed out next is asked for again before that. */
export const REFRESH_AFTER_MS = 240_000;
/**
 * Addresses that Services wait for: twice as many as an API server takes writes of a Service's
 * status, or more, so that probes are not what a burst waits for. With the repetition that is 8,000
 * broadcasts a second, a sixth of what a bulk failover announces.
 */
export const HURRIED_PER_SECOND = 4_000;
/** Probes ahead of need and of the quarantine: 1,000 pools are no storm. */
export const UNHURRIED_PER_SECOND = 100;
/** An exhausted budget is looked at again after this, so that requests leave in batches. */
const BATCH_MS = 50;
/** Without a word from the thread that asks it counts as not asked: nobody waits for ever. */
export const ANSWER_WITHIN_MS = 3_000;
/** Time between two probes for a quarantined address: twice as long each time. */
export const QUARANTINE_GAP_MS_MIN = 5_000;
export const QUARANTINE_GAP_MS_MAX = 60_000;
/** Rounds without an answer that end it: a host may be busy for one. */
export const SILENT_ROUNDS = 2;

export interface ProbeOrder {
  readonly address: Ip;
  readonly interfaces: readonly string[];
  /** Somebody waits for it. */
  readonly isHurried: boolean;
}

/** What is known of an address: nothing, nobody uses it, or these hosts do. */
export type WireUse = "unknown" | "free" | { readonly macs: readonly Mac[] };

export interface UseChange {
  readonly address: Ip;
  /** `unprobed`: it could not be asked for, and counts as free. */
  readonly use: Exclude<WireUse, "unknown"> | "unprobed";
}

interface Round {
  readonly isHurried: boolean;
  /** Interfaces of which nothing is known yet. */
  readonly waitsFor: Set<string>;
  readonly macs: Set<Mac>;
  /** On some interface it was asked for. */
  isAsked: boolean;
  readonly endsAt: BootMs;
}

interface Quarantine {
  macs: readonly Mac[];
  silentRounds: number;
  gapMs: number;
  nextAt: BootMs;
}

export class AddressProbes {
  readonly #hurried = new Set<Ip>();
  #ahead: Set<Ip> = new Set();
  /** In the order in which they end. */
  readonly #rounds = new Map<Ip, Round>();
  readonly #freeUntil = new Map<Ip, BootMs>();
  readonly #quarantines = new Map<Ip, Quarantine>();
  readonly #hurriedBudget = new RateBudget(HURRIED_PER_SECOND, BATCH_MS * 4);
  readonly #budget = new RateBudget(UNHURRIED_PER_SECOND, BATCH_MS * 4);

  use(address: Ip, now: BootMs): WireUse {
    const quarantine = this.#quarantines.get(address);
    if (quarantine !== undefined) return { macs: quarantine.macs };
    return this.#isFree(address, now) ? "free" : "unknown";
  }

  #isFree(address: Ip, now: BootMs): boolean {
    return now < (this.#freeUntil.get(address) ?? bootMs(0));
  }

  /** A Service waits for what is known of it. */
  want(address: Ip): void {
    if (this.#rounds.get(address)?.isHurried !== true) this.#hurried.add(address);
  }

  /** What is likely to be handed out next; replaces what was said before. */
  lookAhead(addresses: readonly Ip[], now: BootMs): void {
    const isStale = (ip: Ip): boolean => {
      const staleAt = after(this.#freeUntil.get(ip) ?? bootMs(0), REFRESH_AFTER_MS - FREE_FOR_MS);
      return now >= staleAt && !this.#quarantines.has(ip) && !this.#rounds.has(ip);
    };
    this.#ahead = new Set(addresses.filter(isStale));
    for (const [ip, until] of this.#freeUntil) if (now >= until) this.#freeUntil.delete(ip);
  }

  /** It was handed out: what was known before says nothing about it any more. */
  handedOut(address: Ip): void {
    for (const known of [this.#freeUntil, this.#rounds, this.#quarantines]) known.delete(address);
    for (const due of [this.#hurried, this.#ahead]) due.delete(address);
  }

  quarantined(): ReadonlyMap<Ip, { readonly macs: readonly Mac[] }> {
    return this.#quarantines;
  }

  /** Everything is forgotten: this node hands out nothing now. */
  clear(): void {
    for (const known of [this.#hurried, this.#ahead, this.#rounds]) known.clear();
    for (const known of [this.#freeUntil, this.#quarantines]) known.clear();
  }

  /** Probes to be sent now, within the rates, and what has become known without an answer. */
  take(
    now: BootMs,
    interfacesOf: (address: Ip) => readonly string[],
  ): { readonly orders: ProbeOrder[]; readonly changes: UseChange[] } {
    const changes = this.#endRounds(now);
    const orders: ProbeOrder[] = [];
    const begin = (address: Ip, isHurried: boolean): void => {
      const interfaces = interfacesOf(address);
      this.#begin(address, { isHurried, interfaces, now });
      if (interfaces.length === 0) changes.push(...this.#end(address, now));
      else orders.push({ address, interfaces, isHurried });
    };
    for (const address of this.#hurried) {
      if (!this.#hurriedBudget.take(now)) break;
      this.#hurried.delete(address);
      begin(address, true);
    }
    for (const address of this.#unhurried(now)) {
      if (!this.#budget.take(now)) break;
      this.#ahead.delete(address);
      begin(address, false);
    }
    return { orders, changes };
  }

  /** The foreign hosts that answered on the interface; null: it could not be asked there. */
  answered(
    address: Ip,
    { interface: name, macs }: { interface: string; macs: readonly Mac[] | null },
    now: BootMs,
  ): UseChange[] {
    const round = this.#rounds.get(address);
    if (round === undefined || !round.waitsFor.delete(name)) return [];
    round.isAsked ||= macs !== null;
    for (const mac of macs ?? []) round.macs.add(mac);
    return round.waitsFor.size === 0 || round.macs.size > 0 ? this.#end(address, now) : [];
  }

  /**
   * A foreign host sent a frame as if it had the address, or asked for it as who is about to have
   * it: that nobody uses it is void. What was handed out is its owner's concern.
   */
  sighted(address: Ip, mac: Mac, now: BootMs): UseChange[] {
    if (!this.#isFree(address, now)) return [];
    // It may be asked for anew just now: that host need not answer to have it.
    this.#rounds.delete(address);
    return [this.#quarantine(address, [mac], now)];
  }

  /** When it was found that nobody uses the address, or null: that is not known. */
  freeSince(address: Ip, now: BootMs): BootMs | null {
    const until = this.#freeUntil.get(address);
    return until === undefined || now >= until ? null : after(until, -FREE_FOR_MS);
  }

  /** When `take` is to be called next. */
  nextDeadline(now: BootMs): BootMs {
    const [first] = this.#rounds.values();
    const gaps = [...this.#quarantines].flatMap(([ip, { nextAt }]) =>
      this.#rounds.has(ip) ? [] : [nextAt],
    );
    const unhurriedAt = this.#ahead.size > 0 ? now : earliest(...gaps);
    const hurriedAt = this.#hurried.size > 0 ? this.#hurriedBudget.nextAt(now) : NEVER;
    const slowAt = unhurriedAt > now ? unhurriedAt : this.#budget.nextAt(now);
    return earliest(first?.endsAt ?? NEVER, hurriedAt, slowAt);
  }

  /** One at a time: there may be thousands, and room for few. */
  *#unhurried(now: BootMs): Iterable<Ip> {
    for (const [ip, { nextAt }] of this.#quarantines) {
      if (now >= nextAt && !this.#rounds.has(ip)) yield ip;
    }
    for (const ip of this.#ahead) if (!this.#rounds.has(ip)) yield ip;
  }

  #begin(
    address: Ip,
    { isHurried, interfaces, now }: Omit<ProbeOrder, "address"> & { now: BootMs },
  ): void {
    const waitsFor = new Set(interfaces);
    const endsAt = after(now, ANSWER_WITHIN_MS);
    this.#rounds.delete(address);
    this.#rounds.set(address, { isHurried, waitsFor, macs: new Set(), isAsked: false, endsAt });
  }

  #endRounds(now: BootMs): UseChange[] {
    const over = [...this.#rounds].flatMap(([ip, { endsAt }]) => (now >= endsAt ? [ip] : []));
    return over.flatMap((address) => this.#end(address, now));
  }

  #end(address: Ip, now: BootMs): UseChange[] {
    const round = this.#rounds.get(address);
    this.#rounds.delete(address);
    if (round === undefined) return [];
    const known = this.#quarantines.get(address);
    if (round.macs.size > 0) return [this.#quarantine(address, [...round.macs], now)];
    if (known === undefined) {
      this.#freeUntil.set(address, after(now, FREE_FOR_MS));
      return [{ address, use: round.isAsked ? "free" : "unprobed" }];
    }
    known.nextAt = after(now, known.gapMs);
    if (!round.isAsked) return [];
    known.silentRounds += 1;
    known.nextAt = after(now, QUARANTINE_GAP_MS_MIN);
    if (known.silentRounds < SILENT_ROUNDS) return [];
    this.#quarantines.delete(address);
    this.#freeUntil.set(address, after(now, FREE_FOR_MS));
    return [{ address, use: "free" }];
  }

  #quarantine(address: Ip, macs: readonly Mac[], now: BootMs): UseChange {
    const gapMs = this.#quarantines.get(address)?.gapMs ?? QUARANTINE_GAP_MS_MIN;
    const nextGapMs = Math.min(gapMs * 2, QUARANTINE_GAP_MS_MAX);
    const quarantine = { macs, silentRounds: 0, gapMs: nextGapMs, nextAt: after(now, gapMs) };
    this.#quarantines.set(address, quarantine);
    this.#freeUntil.delete(address);
    return { address, use: { macs } };
  }
}
