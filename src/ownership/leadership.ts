// Who is the leader: the one daemon that allocates addresses. A Lease held for leaseDuration by
// what was *seen* here, never by the times written in it; leadership ends renewDeadline after the
// last successful renewal was *sent*. Pure: events and `now` in, at most one write out.
//
// Not guaranteed: a leader whose clock runs much faster than its peers' may be one of two for a
// moment. Whatever it writes then must be safe against that (writes carry a resourceVersion).

import { isOlderVersion } from "../core/resource-version.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { WriteOutcome } from "./types.ts";

/** As client-go recommends: leaseDuration > renewDeadline > retryPeriod. */
export const LEADER_TIMINGS = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryMs: 2_000,
  writeTimeoutMs: 3_000,
} as const;

export interface LeaderRecord {
  /** Null when nobody holds it. */
  readonly holder: string | null;
  /** Changes with every renewal. */
  readonly renewal: string;
  readonly transitions: number;
  readonly resourceVersion: string;
}

export interface LeaderWrite {
  /** Null: create. */
  readonly resourceVersion: string | null;
  /** Null: give it up. */
  readonly holder: string | null;
  readonly transitions: number;
  /** False: a renewal of what is held already. */
  readonly isAcquisition: boolean;
}

const LONG_AGO = Number.NEGATIVE_INFINITY as BootMs;

export class Leadership {
  readonly #identity: string;
  #record: LeaderRecord | null = null;
  #seenAt: BootMs = LONG_AGO;
  #isKnown = false;
  #isWriting = false;
  #isStopping = false;
  #isAfterLapse = false;
  #renewedAt: BootMs = LONG_AGO;
  #tryAt: BootMs = NEVER;
  /** A write failed: no other before this, whatever is observed. */
  #notBefore: BootMs = LONG_AGO;

  constructor(identity: string) {
    this.#identity = identity;
  }

  isLeader(now: BootMs): boolean {
    return now < after(this.#renewedAt, LEADER_TIMINGS.renewDeadlineMs);
  }

  /** It was not given up by who led before, who may have writes on their way. */
  get isAfterLapse(): boolean {
    return this.#isAfterLapse;
  }

  /** The holder by the record, or null. */
  get holder(): string | null {
    return this.#record?.holder ?? null;
  }

  /**
   * The record as a list or a watch shows it; null when there is none. One that is older than what
   * is known comes late and changes nothing.
   */
  observe(record: LeaderRecord | null, now: BootMs): void {
    if (record !== null && this.#record !== null) {
      if (isOlderVersion(record.resourceVersion, this.#record.resourceVersion)) return;
    }
    const isFirst = !this.#isKnown;
    this.#isKnown = true;
    if (isFirst || record === null || record.renewal !== this.#record?.renewal) this.#seenAt = now;
    this.#record = record;
    if (record?.holder !== this.#identity) this.#renewedAt = LONG_AGO;
    // A write whose answer was lost shows here: without the wait it would lead to the next at once.
    if (!this.#isWriting) {
      this.#tryAt = Math.max(this.#nextTry(now), this.#notBefore) as BootMs;
    }
  }

  written(sentAt: BootMs, outcome: WriteOutcome<LeaderRecord>, now: BootMs): void {
    this.#isWriting = false;
    if (outcome.kind !== "written") {
      this.#notBefore = after(now, LEADER_TIMINGS.retryMs);
      this.#tryAt = this.#notBefore;
      return;
    }
    this.#notBefore = LONG_AGO;
    const known = this.#record?.resourceVersion;
    if (known === undefined || !isOlderVersion(outcome.record.resourceVersion, known)) {
      this.#record = outcome.record;
    }
    this.#seenAt = now;
    const isHeld = this.#record?.holder === this.#identity && !this.#isStopping;
    this.#renewedAt = isHeld ? sentAt : LONG_AGO;
    this.#tryAt = after(sentAt, LEADER_TIMINGS.retryMs);
  }

  /** The write that is due now, or null. It counts as sent. */
  takeWrite(now: BootMs): LeaderWrite | null {
    if (!this.#isKnown || this.#isWriting || this.#isStopping || now < this.#tryAt) return null;
    const isMine = this.#record?.holder === this.#identity;
    if (!isMine && !this.#isVacant(now)) {
      this.#tryAt = this.#nextTry(now);
      return null;
    }
    if (!this.isLeader(now)) this.#isAfterLapse = (this.#record?.holder ?? null) !== null;
    this.#isWriting = true;
    this.#tryAt = NEVER;
    return {
      resourceVersion: this.#record?.resourceVersion ?? null,
      holder: this.#identity,
      transitions: (this.#record?.transitions ?? 0) + (isMine ? 0 : 1),
      isAcquisition: !isMine,
    };
  }

  /** Stops trying; returns the write that gives the Lease up, if it is held. */
  stop(): LeaderWrite | null {
    this.#isStopping = true;
    const record = this.#record;
    this.#renewedAt = LONG_AGO;
    if (record?.holder !== this.#identity) return null;
    const { resourceVersion, transitions } = record;
    return { resourceVersion, holder: null, transitions, isAcquisition: false };
  }

  nextDeadline(now: BootMs): BootMs {
    if (this.#isStopping) return NEVER;
    const lapseAt = after(this.#renewedAt, LEADER_TIMINGS.renewDeadlineMs);
    return earliest(this.#tryAt, lapseAt > now ? lapseAt : NEVER);
  }

  #isVacant(now: BootMs): boolean {
    if (this.#record === null || this.#record.holder === null) return true;
    return now >= after(this.#seenAt, LEADER_TIMINGS.leaseDurationMs);
  }

  #nextTry(now: BootMs): BootMs {
    if (this.#record?.holder === this.#identity) {
      return this.isLeader(now) ? after(this.#renewedAt, LEADER_TIMINGS.retryMs) : now;
    }
    return this.#isVacant(now) ? now : after(this.#seenAt, LEADER_TIMINGS.leaseDurationMs);
  }
}
