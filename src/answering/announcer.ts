// When announcements are sent: at once and then at 50 ms, 200 ms, 1 s, 2 s and 4 s, because a
// neighbour may miss one, or ignore it while its entry is young (Linux: locktime, 1 s); then a slow
// refresh, because switches forget. Pure: it says what is due, the caller sends it.

import type { Ip } from "../core/address.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { BootMs } from "../core/time.ts";
import { after, bootMs, NEVER } from "../core/time.ts";

/** Offsets from the first announcement, in milliseconds. */
export const ANNOUNCE_AT_MS: readonly number[] = [0, 50, 200, 1_000, 2_000, 4_000];
/** Time between refreshes afterwards. */
export const REFRESH_MS = 60_000;
/** At most this many addresses in one batch, so that a bulk failover does not flood the segment. */
export const BATCH_ADDRESSES_MAX = 128;
/** From the start of a batch to the start of the next one, however many calls it is taken in. */
export const BATCH_PAUSE_MS = 5;

interface Schedule {
  readonly startedAt: BootMs;
  /** 0: not announced yet. */
  sent: number;
  dueAt: BootMs;
}

export class Announcer {
  readonly #schedules = new Map<Ip, Schedule>();
  /** Not announced yet, oldest first: found without a search when thousands start at once. */
  readonly #fresh = new Map<Ip, Schedule>();
  /** When each is announced again. */
  readonly #repetitions = new Deadlines<Ip>();
  #nextBatchAt = Number.NEGATIVE_INFINITY as BootMs;
  /** Addresses that the batch which began last may still take. */
  #room = BATCH_ADDRESSES_MAX;

  /** Starts the series anew. */
  start(address: Ip, now: BootMs): void {
    const schedule = { startedAt: now, sent: 0, dueAt: now };
    this.#schedules.set(address, schedule);
    this.#fresh.set(address, schedule);
    this.#repetitions.set(address, NEVER);
  }

  stop(address: Ip): void {
    this.#schedules.delete(address);
    this.#fresh.delete(address);
    this.#repetitions.set(address, NEVER);
  }

  /** Addresses to announce now, first announcements before repetitions; they count as sent. */
  take(now: BootMs): Ip[] {
    if (now >= this.#nextBatchAt) this.#room = BATCH_ADDRESSES_MAX;
    if (this.#room === 0) return [];
    const batch = this.#takeFresh(now);
    batch.push(...this.#takeRepetitions(now, batch.length));
    if (batch.length === 0) return batch;
    if (this.#room === BATCH_ADDRESSES_MAX) this.#nextBatchAt = after(now, BATCH_PAUSE_MS);
    this.#room -= batch.length;
    return batch;
  }

  nextDeadline(): BootMs {
    const [oldest] = this.#fresh.values();
    const due = Math.min(oldest?.dueAt ?? NEVER, this.#repetitions.next);
    return bootMs(this.#room === 0 ? Math.max(due, this.#nextBatchAt) : due);
  }

  #takeFresh(now: BootMs): Ip[] {
    const taken: Ip[] = [];
    for (const [address, schedule] of this.#fresh) {
      if (taken.length === this.#room) break;
      this.#fresh.delete(address);
      this.#advance(address, schedule, now);
      taken.push(address);
    }
    return taken;
  }

  /** Those that were announced least often come first; for whom there is no room is due still. */
  #takeRepetitions(now: BootMs, alreadyTaken: number): Ip[] {
    const due = this.#repetitions.take(now).flatMap((address) => {
      const schedule = this.#schedules.get(address);
      return schedule === undefined ? [] : [{ address, schedule }];
    });
    due.sort((a, b) => a.schedule.sent - b.schedule.sent);
    const room = this.#room - alreadyTaken;
    for (const { address, schedule } of due.slice(room)) {
      this.#repetitions.set(address, schedule.dueAt);
    }
    const batch = due.slice(0, room);
    for (const { address, schedule } of batch) this.#advance(address, schedule, now);
    return batch.map(({ address }) => address);
  }

  #advance(address: Ip, schedule: Schedule, now: BootMs): void {
    schedule.sent += 1;
    const offset = ANNOUNCE_AT_MS[schedule.sent];
    schedule.dueAt =
      offset === undefined ? after(now, REFRESH_MS) : after(schedule.startedAt, offset);
    this.#repetitions.set(address, schedule.dueAt);
  }
}
