// When announcements are sent: at once and then at 50 ms, 200 ms, 1 s, 2 s and 4 s, because a
// neighbour may miss one, or ignore it while its entry is young (Linux: locktime, 1 s); then a slow
// refresh, because switches forget. Pure: it says what is due, the caller sends it.

import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";

/** Offsets from the first announcement, in milliseconds. */
export const ANNOUNCE_AT_MS: readonly number[] = [0, 50, 200, 1_000, 2_000, 4_000];
/** Time between refreshes afterwards. */
export const REFRESH_MS = 60_000;
/** At most this many addresses in one go, so that a bulk failover does not flood the segment. */
export const BATCH_ADDRESSES_MAX = 128;
/** Time until the next batch when one was full. */
export const BATCH_PAUSE_MS = 5;

interface Schedule {
  readonly startedAt: BootMs;
  sent: number;
  dueAt: BootMs;
}

export class Announcer {
  readonly #schedules = new Map<Ip, Schedule>();
  #nextAt: BootMs = NEVER;

  /** Starts the series anew. */
  start(address: Ip, now: BootMs): void {
    this.#schedules.set(address, { startedAt: now, sent: 0, dueAt: now });
    if (now < this.#nextAt) this.#nextAt = now;
  }

  stop(address: Ip): void {
    this.#schedules.delete(address);
  }

  /** Addresses to announce now, first announcements before repetitions; they count as sent. */
  take(now: BootMs): Ip[] {
    if (now < this.#nextAt) return [];
    const due = [...this.#schedules].filter(([, schedule]) => schedule.dueAt <= now);
    due.sort(([, a], [, b]) => a.sent - b.sent);
    const batch = due.slice(0, BATCH_ADDRESSES_MAX);
    for (const [, schedule] of batch) advance(schedule, now);
    this.#nextAt = this.#earliest();
    if (due.length > batch.length) this.#nextAt = after(now, BATCH_PAUSE_MS);
    return batch.map(([address]) => address);
  }

  nextDeadline(): BootMs {
    return this.#nextAt;
  }

  #earliest(): BootMs {
    let earliest = NEVER;
    for (const { dueAt } of this.#schedules.values()) if (dueAt < earliest) earliest = dueAt;
    return earliest;
  }
}

function advance(schedule: Schedule, now: BootMs): void {
  schedule.sent += 1;
  const offset = ANNOUNCE_AT_MS[schedule.sent];
  schedule.dueAt =
    offset === undefined ? after(now, REFRESH_MS) : after(schedule.startedAt, offset);
}
