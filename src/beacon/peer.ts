// One other node on one segment, as its datagrams show it: freshness, silence, probes, and its
// table of VIPs. Pure bookkeeping: what is sent and told is the engine's.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { PeerEntry, PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { DatagramBody, TableChange } from "./body.ts";
import { HOST_MISSES, HostWatch } from "./host-watch.ts";
import type { Datagram } from "./wire.ts";

/** When a silent node is asked on the wire, as parts of its hold: 150, 200, 250 of 300 ms. */
const PROBE_AT: readonly number[] = [1 / 2, 2 / 3, 5 / 6];
/** In beacon intervals: by then the next beacon is late by any clock: who answers sends none. */
const LATE = 1.25;
/** Part of a hold: no two answers of a host that answers all probes are further apart. */
const ROUND = 2 / 3;
/**
 * In beacon intervals: how long another digest is seen before the table is asked for, and until it
 * is asked for again: to the third beacon that does not hurry. A first one is asked for at once.
 */
const MISMATCH = 1.5;
const ASKED = 2.5;
/** In beacon intervals: less than two, so that those lost together are not counted. */
const FRESH = 1.6;
/** A silence is told again after one and two intervals: by then it shows who else is gone. */
const REPEATS = 2;
/** Datagrams that may be overtaken and still count: bits of a number. */
const WINDOW = 31;
/** A table of more pages than this is not believed. */
export const PAGES_MAX = 1_024;

/**
 * `heard`: within its hold. `silent`: not, and nothing answered the probes. `answers`: no beacons,
 * but its MAC answers for its VIPs: the beacons are filtered, the host lives.
 */
export type Verdict = "heard" | "silent" | "answers";

interface Pages {
  readonly digest: string;
  readonly entries: (readonly PeerEntry[] | undefined)[];
}

export class Peer {
  readonly node: string;
  /** What it is asked to say, until it does. */
  readonly challenge: string;
  /** It said it: it lives, and nothing that was recorded before counts. */
  isProven = false;
  /** Of its last beacon. */
  incarnation: number;
  /** Of its last datagram: a new one asks for tables before it sends a beacon. */
  #incarnation: number;
  #sequence: number;
  /** Bit n: the datagram n before that sequence was seen (RFC 4303 section 3.4.3). */
  #seen = 1;
  address: Ip;
  mac: Mac;
  state: PeerState;
  stalledMs = 0;
  /** How late its last beacon came; null: it was not expected any more. */
  lateMs: number | null = null;
  verdict: Verdict = "heard";
  #heardAt: BootMs;
  #beaconAt: BootMs;
  #intervalMs: number;
  #jitterMs = 0;
  #holdMs: number;
  /** How often its silence is still to be told. */
  #repeats = 0;
  /** Probes sent since it was heard last. */
  #probes = 0;
  /** When this node was found not to have listened. */
  #excusedAt: BootMs = -NEVER as BootMs;
  #probedAt: BootMs = NEVER;
  #answeredAt: BootMs = -NEVER as BootMs;
  #digest: string;
  #tableDigest: string | null = null;
  #table = new Map<Ip, PeerEntry>();
  /** When its table is to be asked for; NEVER: it is known. */
  #askAt: BootMs = -NEVER as BootMs;
  #pages: Pages | null = null;
  /** Its table was asked for, and has not come. */
  #isTableMissing = false;
  #isMissingTold = false;
  readonly #host = new HostWatch();

  constructor(
    first: Datagram,
    body: Extract<DatagramBody, { kind: "beacon" }>,
    { challenge, now }: { readonly challenge: string; readonly now: BootMs },
  ) {
    this.challenge = challenge;
    this.node = first.node;
    this.incarnation = first.incarnation;
    this.#incarnation = first.incarnation;
    this.#sequence = first.sequence;
    this.address = first.address;
    this.mac = body.mac;
    this.state = body.state;
    this.#holdMs = body.holdMs;
    this.#heardAt = now;
    this.#beaconAt = now;
    this.#intervalMs = body.intervalMs;
    this.#digest = body.digest;
    if (this.state === "restarting") this.#host.begin(this.#intervalMs, now);
  }

  /**
   * Whether the datagram is seen for the first time; it then counts as seen. `late`: newer ones
   * came before it, as happens where frames overtake each other.
   */
  freshness({ incarnation, sequence }: Datagram): "newest" | "late" | "replay" {
    if (incarnation < this.#incarnation) return "replay";
    if (incarnation > this.#incarnation) {
      this.#forgetTable();
      this.#incarnation = incarnation;
      this.#sequence = sequence;
      this.#seen = 1;
      return "newest";
    }
    const ahead = sequence - this.#sequence;
    if (ahead > 0) {
      this.#seen = ahead < WINDOW ? (this.#seen << ahead) | 1 : 1;
      this.#sequence = sequence;
      return "newest";
    }
    const bit = 1 << -ahead;
    if (-ahead >= WINDOW || (this.#seen & bit) !== 0) return "replay";
    this.#seen |= bit;
    return "late";
  }

  /** True when that proves, for the first time, that it lives. */
  prove(challenge: string): boolean {
    if (this.isProven || challenge !== this.challenge) return false;
    this.isProven = true;
    return true;
  }

  heard(beacon: Extract<DatagramBody, { kind: "beacon" }>, from: Ip, now: BootMs): void {
    this.#heardAt = now;
    // As in RFC 3550 section 6.4.1; early are those that have news.
    const lateMs = Math.max(0, now - this.#beaconAt - this.#intervalMs);
    this.lateMs = this.verdict === "heard" ? lateMs : null;
    if (this.lateMs !== null) this.#jitterMs += (this.lateMs - this.#jitterMs) / 16;
    this.#beaconAt = now;
    this.#intervalMs = beacon.intervalMs;
    this.#repeats = 0;
    this.#holdMs = beacon.holdMs;
    this.incarnation = this.#incarnation;
    this.address = from;
    this.mac = beacon.mac;
    this.state = beacon.state;
    const isBack = this.verdict !== "heard";
    // What a host missed before it was heard again says nothing.
    if (isBack || this.state !== "restarting") this.#host.end();
    if (this.state === "restarting") this.#host.begin(this.#intervalMs, now);
    this.stalledMs = beacon.stalledMs;
    this.verdict = "heard";
    this.#probes = 0;
    this.#digest = beacon.digest;
    if (this.hasTable) this.#askAt = NEVER;
    // What happened on the two sides meanwhile should be known at once.
    else if (isBack) this.#askAt = now;
    else if (this.#askAt === NEVER) this.#askAt = after(now, MISMATCH * this.#intervalMs);
  }

  /** Its silence so far says nothing: this node was not listening. */
  excuse(now: BootMs): void {
    // The hold of a restart has an end: of it only as much is given again as shows who is back.
    const leftMs = this.isRestarting ? this.#judgementMs : this.#holdMs;
    this.#heardAt = Math.max(this.#heardAt, now - this.#holdMs + leftMs) as BootMs;
    this.#probes = 0;
    this.#excusedAt = now;
  }

  /** What it asks of this node now may have waited in the socket; if it still holds, it repeats. */
  isExcused(now: BootMs): boolean {
    return now < after(this.#excusedAt, this.#intervalMs);
  }

  /** The table is that of its last beacon. */
  get hasTable(): boolean {
    return this.#tableDigest === this.#digest;
  }

  get table(): readonly PeerEntry[] {
    return [...this.#table.values()];
  }

  /** True when its table should be asked for; that counts as asked. */
  takeTableRequest(now: BootMs): boolean {
    if (this.hasTable || now < this.#askAt) return false;
    this.#askAt = after(now, ASKED * this.#intervalMs);
    this.#isTableMissing = true;
    return true;
  }

  /** True when whether its table is missing has changed; that counts as told. */
  takeTableNews(): boolean {
    if (this.hasTable) this.#isTableMissing = false;
    if (this.#isTableMissing === this.#isMissingTold) return false;
    this.#isMissingTold = this.#isTableMissing;
    return true;
  }

  /** How late its beacons come, on average, in ms. */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  /** Time between two of its beacons, in ms. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** How long it is to be waited for after its last beacon, in ms. */
  get holdMs(): number {
    return this.#holdMs;
  }

  /** A page of its table; true when that completed it. */
  addPage(page: Extract<DatagramBody, { kind: "table" }>): boolean {
    // One that was overtaken is old.
    if (page.pages > PAGES_MAX || page.digest !== this.#digest) return false;
    const isNew = this.#pages?.digest !== page.digest;
    if (isNew || this.#pages?.entries.length !== page.pages) {
      this.#pages = { digest: page.digest, entries: new Array(page.pages).fill(undefined) };
    }
    this.#pages.entries[page.page] = page.entries;
    const all = this.#pages.entries.flatMap((entries) => (entries === undefined ? [] : [entries]));
    if (all.length < page.pages) return false;
    this.#table = new Map(all.flat().map((entry) => [entry.address, entry]));
    this.#tableIs(page.digest);
    return true;
  }

  /** A change of the table that is known; true when the table is known thereafter. */
  addChange({ from, to, entries, gone }: TableChange): boolean {
    // A beacon that came before it says the same; one that says else tells of others that got lost.
    const isNext = this.#digest === from || this.#digest === to;
    if (this.#tableDigest !== from || !isNext) return false;
    for (const { address } of gone) this.#table.delete(address);
    for (const entry of entries) this.#table.set(entry.address, entry);
    this.#digest = to;
    this.#tableIs(to);
    return true;
  }

  #tableIs(digest: string): void {
    this.#tableDigest = digest;
    this.#pages = null;
    this.#askAt = NEVER;
    this.#isTableMissing = false;
    this.#isMissingTold = false;
  }

  /** Its daemon restarts: until the hold is over its host is watched in place of its beacons. */
  get isRestarting(): boolean {
    return this.state === "restarting" && this.verdict === "heard";
  }

  /** True when its host should be asked for its own address; that counts as asked. */
  takeHostAsk(now: BootMs): boolean {
    return this.isRestarting && this.#host.takeAsk(now);
  }

  /** Its host does not answer, or the hold of its restart is nearly over. */
  isJudgedSoon(now: BootMs): boolean {
    const soon = after(this.#heardAt, this.#holdMs - this.#judgementMs);
    return !this.#host.isThere || now >= soon;
  }

  /** Its host answered for its own address. */
  hostAnswered(): void {
    this.#host.answered();
  }

  /** Its MAC answered for one of its VIPs. */
  answered(now: BootMs): void {
    this.#answeredAt = now;
  }

  /** For how long it has been silent; 0 while it is not. */
  silentFor(now: BootMs): number {
    return this.verdict === "silent" ? now - this.#heardAt : 0;
  }

  /** True when a probe is due; it counts as sent. */
  takeProbe(now: BootMs): boolean {
    if (this.verdict === "silent" || this.isRestarting || now < this.#nextProbe()) return false;
    if (this.#probes === 0) this.#probedAt = now;
    this.#probes += 1;
    return true;
  }

  /** What its silence means now; null while that has not changed. */
  judge(now: BootMs): Verdict | null {
    if (this.verdict === "silent") return null;
    const isDue = now >= after(this.#heardAt, this.#holdMs);
    if (!isDue && !(this.isRestarting && this.#host.isGone)) return null;
    // What it answered before its next beacon was due says nothing: it may have died since.
    const since = Math.max(this.#probedAt, after(this.#heardAt, LATE * this.#intervalMs));
    // A host whose daemon does not come back is there, and of no use.
    const answers = !this.isRestarting && this.#answeredAt >= since;
    const verdict = answers ? "answers" : "silent";
    // One that answers is asked again, round after round.
    this.#heardAt = now;
    this.#probes = 0;
    if (verdict === this.verdict) return null;
    this.verdict = verdict;
    // When it is heard again, that is told anew.
    this.#isTableMissing = false;
    this.#isMissingTold = false;
    this.#repeats = verdict === "silent" ? REPEATS : 0;
    return verdict;
  }

  /**
   * Heard so lately that it is not among those that fell silent with another: a cut takes all of
   * them at once, and the first is judged when the others still seem to be there.
   */
  isFresh(now: BootMs): boolean {
    if (this.verdict === "answers") {
      return now < after(this.#answeredAt, ROUND * this.#holdMs + this.#intervalMs / 4);
    }
    if (this.isRestarting) return this.#host.isThere;
    return this.verdict === "heard" && now < after(this.#beaconAt, FRESH * this.#intervalMs);
  }

  /** True when its silence should be told once more; that counts as told. */
  takeRepeat(now: BootMs): boolean {
    if (this.#repeats === 0 || now < this.#repeatAt()) return false;
    this.#repeats -= 1;
    return true;
  }

  nextDeadline(): BootMs {
    if (this.verdict === "silent") return this.#repeats === 0 ? NEVER : this.#repeatAt();
    const holdUntil = after(this.#heardAt, this.#holdMs);
    const next = this.isRestarting ? this.#host.due : this.#nextProbe();
    return Math.min(next, holdUntil) as BootMs;
  }

  /** What it takes to find its host gone, or the whole hold where that is less. */
  get #judgementMs(): number {
    return Math.min(this.#holdMs, HOST_MISSES * this.#intervalMs);
  }

  #repeatAt(): BootMs {
    return after(this.#heardAt, (REPEATS + 1 - this.#repeats) * this.#intervalMs);
  }

  #nextProbe(): BootMs {
    const part = PROBE_AT[this.#probes];
    return part === undefined ? NEVER : after(this.#heardAt, part * this.#holdMs);
  }

  #forgetTable(): void {
    this.#table = new Map();
    this.#tableDigest = null;
    this.#askAt = -NEVER as BootMs;
    this.#pages = null;
  }
}
