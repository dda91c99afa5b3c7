// When announcements are sent: at once and then at 50 ms, 200 ms, 1 s, 2 s and 4 s, because a
// neighbour may miss one, or ignore it while its entry is young (Linux: locktime, 1 s); then a slow
// refresh, because switches forget. Pure: it says what is due, the caller sends it.

import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import { after, bootMs, NEVER } from "../core/time.ts";

/** Offsets from the first announcement, in milliseconds. */
export const ANNOUNCE_AT_MS: readonly number[] = [0, 50, 200, 1_000, 2_000, 4_000];
/** Time between refreshes afterwards. */
export const REFRESH_MS = 60_000;
/** A refresh may wait for others: each wakes up every host on the segment. */
export const REFRESH_STEP_MS = 500;
/** At most this many addresses in one batch, so that a bulk failover does not flood the segment. */
export const BATCH_ADDRESSES_MAX = 128;
/** From the start of a batch to the start of the next one, however many calls it is taken in. */
export const BATCH_PAUSE_MS = 5;

interface Schedule {
  readonly startedAt: BootMs;
  /** How often it was announced; refreshes do not count. */
  sent: number;
  dueAt: BootMs;
}

export class Announcer {
  readonly #schedules = new Map<Ip, Schedule>();
  /**
   * By how often they were announced. Each is in the order they are due, as all of it wait equally
   * long: what is due is found without a search when thousands start at once.
   */
  readonly #queues = [...ANNOUNCE_AT_MS, REFRESH_MS].map(() => new Map<Ip, Schedule>());
  #nextBatchAt = Number.NEGATIVE_INFINITY as BootMs;
  /** Addresses that the batch which began last may still take. */
  #room = BATCH_ADDRESSES_MAX;

  /** Starts the series anew. */
  start(address: Ip, now: BootMs): void {
    this.stop(address);
    const schedule = { startedAt: now, sent: 0, dueAt: now };
    this.#schedules.set(address, schedule);
    this.#queues[0]?.set(address, schedule);
  }

  stop(address: Ip): void {
    const schedule = this.#schedules.get(address);
    if (schedule === undefined) return;
    this.#queues[schedule.sent]?.delete(address);
    this.#schedules.delete(address);
  }

  /** Addresses to announce now, those that were announced least often first; they count as sent. */
  take(now: BootMs): Ip[] {
    if (now >= this.#nextBatchAt) this.#room = BATCH_ADDRESSES_MAX;
    const batch = new Map<Ip, Schedule>();
    for (const queue of this.#queues) {
      for (const [address, schedule] of queue) {
        if (batch.size === this.#room || schedule.dueAt > now) break;
        queue.delete(address);
        batch.set(address, schedule);
      }
    }
    if (batch.size === 0) return [];
    // When all are taken: what is late for two announcements is in one batch once.
    for (const [address, schedule] of batch) this.#advance(address, schedule, now);
    if (this.#room === BATCH_ADDRESSES_MAX) this.#nextBatchAt = after(now, BATCH_PAUSE_MS);
    this.#room -= batch.size;
    return [...batch.keys()];
  }

  nextDeadline(): BootMs {
    let due: number = NEVER;
    for (const queue of this.#queues) {
      const [first] = queue.values();
      due = Math.min(due, first?.dueAt ?? NEVER);
    }
    return bootMs(this.#room === 0 ? Math.max(due, this.#nextBatchAt) : due);
  }

  #advance(address: Ip, schedule: Schedule, now: BootMs): void {
    schedule.sent = Math.min(schedule.sent + 1, ANNOUNCE_AT_MS.length);
    const offset = ANNOUNCE_AT_MS[schedule.sent];
    schedule.dueAt = offset === undefined ? refreshAt(now) : after(schedule.startedAt, offset);
    this.#queues[schedule.sent]?.set(address, schedule);
  }
}

function refreshAt(now: BootMs): BootMs {
  return bootMs(Math.ceil((now + REFRESH_MS) / REFRESH_STEP_MS) * REFRESH_STEP_MS);
}
