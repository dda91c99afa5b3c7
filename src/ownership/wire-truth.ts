// The wire is the truth: a record that is held proves no answer. For each VIP the best of the other
// nodes ask on the wire, now and then, who answers, and compare it with the owner (design, section
// 4.8). Pure: it says whom to ask and what to make of the answers; `now` is an argument.

import type { Ip } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Mac } from "../core/mac.ts";
import type { PeerEntry } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after, bootMs } from "../core/time.ts";

/** Each VIP is asked for once in this time by each of its observers. */
export const ROUND_MS = 10_000;
/**
 * And there are at least so many milliseconds between two requests on a segment, 50 a second at
 * most: its nodes share them.
 */
export const ASK_GAP_MS_MIN = 20;
/** Waking up costs more than a request: of many VIPs some are asked for at once. */
const BATCH_MS = 500;
/** The best two of those that do not own a VIP watch it. */
export const OBSERVERS_MAX = 2;
/** An owner that does not answer for so many rounds loses the VIP. */
export const SILENT_ROUNDS_MAX = 3;
/** But not more often than this: what makes it silent may make the next one silent, too. */
export const TAKE_GAP_MS = 600_000;
/** VIPs that are looked at in vain, as they are others' to watch, before one is asked for. */
const PASSED_OVER_MAX = 16;

/** A VIP that this node watches, as it stands now. */
export interface Watched {
  readonly address: Ip;
  readonly owner: string;
  readonly epoch: Epoch;
  /** The owner's, on this segment. */
  readonly mac: Mac;
  readonly interface: string;
  /** Of its observers this node is the first. */
  readonly isFirst: boolean;
  /** There is no other node on the segment that could observe it. */
  readonly isAlone: boolean;
}

export type WireVerdict = "answered" | "nobody" | "another" | "two";

export interface WireFinding {
  readonly address: Ip;
  readonly owner: string;
  readonly verdict: WireVerdict;
  /** Who answered. */
  readonly macs: readonly Mac[];
  /**
   * Nobody did, but the owner when it was asked alone, twice in a row: frames to groups do not
   * reach it.
   */
  readonly isDeaf: boolean;
}

/** The answers to a request. */
export interface WireAnswers {
  readonly macs: readonly Mac[];
  readonly isDeaf: boolean;
}

export type WireTruthEffect =
  | {
      readonly type: "ask";
      readonly address: Ip;
      readonly interface: string;
      readonly owner: Mac;
    }
  /** Another one than before; a first one only when it is bad. */
  | { readonly type: "changed"; readonly finding: WireFinding }
  /** Tell the owner, which announces again, and the other observer. */
  | { readonly type: "complain"; readonly entry: PeerEntry; readonly interface: string }
  /** The owner is silent for too long: its tenure counts as over. */
  | {
      readonly type: "owner-mute";
      readonly address: Ip;
      readonly owner: string;
      readonly epoch: Epoch;
    };

/** All VIPs; there may be thousands, and it is seldom that they are looked through. */
export interface VipAddresses {
  readonly size: number;
  keys(): Iterable<Ip>;
}

/** What this node may ask for. */
export interface Watching {
  readonly addresses: VipAddresses;
  /** The VIP as it stands, or null when this node does not watch it. */
  readonly watch: (address: Ip) => Watched | null;
  /** How many ask on the segment, this node included: at least 1. */
  readonly askers: number;
}

interface Watch {
  epoch: Epoch;
  finding: WireFinding;
  silentRounds: number;
  /** In the last round it answered when it was asked alone. */
  seemsDeaf: boolean;
}

export class WireTruth {
  #queue: Ip[] = [];
  #nextAskAt = bootMs(0);
  #roundBeganAt = bootMs(0);
  /** How long a round takes: longer than ROUND_MS where there are many VIPs. */
  #roundMs = ROUND_MS;
  /** Of the requests that are not answered yet. */
  readonly #askedAt = new Map<Ip, Epoch>();
  readonly #watches = new Map<Ip, Watch>();
  readonly #complaints = new Map<Ip, { readonly epoch: Epoch; readonly at: BootMs }>();
  readonly #takenAt = new Map<Ip, BootMs>();
  readonly counts: Record<WireVerdict, number> = { answered: 0, nobody: 0, another: 0, two: 0 };

  /** When `takeAsk` is to be called next. */
  get due(): BootMs {
    return this.#nextAskAt;
  }

  /** What is not as it should be. */
  findings(): WireFinding[] {
    const all = [...this.#watches.values()].map(({ finding }) => finding);
    return all.filter(({ verdict }) => verdict !== "answered");
  }

  takeAsk({ addresses, watch, askers }: Watching, now: BootMs): WireTruthEffect[] {
    if (now < this.#nextAskAt) return [];
    if (this.#queue.length === 0) this.#beginRound(addresses, now);
    const gap = Math.max(ASK_GAP_MS_MIN * askers, ROUND_MS / Math.max(1, addresses.size));
    const count = Math.max(1, Math.floor(BATCH_MS / gap));
    this.#nextAskAt = after(now, gap * count);
    return Array.from({ length: count }, () => this.#askOne(watch)).flat();
  }

  #askOne(watch: (address: Ip) => Watched | null): WireTruthEffect[] {
    for (let passed = 0; passed < PASSED_OVER_MAX; passed++) {
      const address = this.#queue.pop();
      if (address === undefined) return [];
      const watched = watch(address);
      if (watched === null) {
        this.#watches.delete(address);
        continue;
      }
      this.#askedAt.set(address, watched.epoch);
      const { interface: name, mac } = watched;
      return [{ type: "ask", address, interface: name, owner: mac }];
    }
    return [];
  }

  /** The answers to a request; `watched`: the VIP as it stands now. */
  asked(watched: Watched | null, answers: WireAnswers, now: BootMs): WireTruthEffect[] {
    if (watched === null) return [];
    const { address, owner, epoch } = watched;
    // It has changed hands since: whoever answered did so rightly.
    if (this.#askedAt.get(address) !== epoch) return [];
    const { macs, isDeaf } = answers;
    const verdict = verdictOf(watched.mac, macs);
    this.counts[verdict] += 1;
    const known = this.#watches.get(address);
    const before = known?.epoch === epoch ? known : undefined;
    // Once may be a request that was lost.
    const finding = { address, owner, verdict, macs, isDeaf: isDeaf && before?.seemsDeaf === true };
    const silentRounds = verdict === "nobody" ? (before?.silentRounds ?? 0) + 1 : 0;
    this.#watches.set(address, { epoch, finding, silentRounds, seemsDeaf: isDeaf });
    const effects: WireTruthEffect[] = [];
    const told = known?.finding ?? { verdict: "answered", isDeaf: false };
    if (told.verdict !== verdict || told.isDeaf !== finding.isDeaf) {
      effects.push({ type: "changed", finding });
    }
    if (verdict === "answered") return effects;
    effects.push({ type: "complain", entry: { address, epoch }, interface: watched.interface });
    if (silentRounds >= SILENT_ROUNDS_MAX && this.#mayTake(watched, now)) {
      this.#takenAt.set(address, now);
      effects.push({ type: "owner-mute", address, owner, epoch });
    }
    return effects;
  }

  /** Another observer found the owner silent, or not the one that answers. */
  complained(entries: readonly PeerEntry[], now: BootMs): void {
    for (const { address, epoch } of entries) this.#complaints.set(address, { epoch, at: now });
  }

  #beginRound(addresses: VipAddresses, now: BootMs): void {
    this.#roundMs = Math.max(ROUND_MS, now - this.#roundBeganAt);
    this.#roundBeganAt = now;
    this.#queue = [...addresses.keys()];
    const present = new Set(this.#queue);
    for (const known of [this.#watches, this.#complaints, this.#takenAt, this.#askedAt]) {
      for (const address of known.keys()) if (!present.has(address)) known.delete(address);
    }
  }

  /** One observer may be wrong: its own ear may be the trouble. */
  #mayTake({ address, epoch, isFirst, isAlone }: Watched, now: BootMs): boolean {
    const takenAt = this.#takenAt.get(address);
    if (!isFirst || (takenAt !== undefined && now < after(takenAt, TAKE_GAP_MS))) return false;
    const complaint = this.#complaints.get(address);
    const complaintMs = (SILENT_ROUNDS_MAX + 1) * this.#roundMs;
    const isShared = complaint?.epoch === epoch && now < after(complaint.at, complaintMs);
    return isAlone || isShared;
  }
}

function verdictOf(owner: Mac, macs: readonly Mac[]): WireVerdict {
  if (macs.length === 0) return "nobody";
  if (macs.length > 1) return "two";
  return macs[0] === owner ? "answered" : "another";
}
