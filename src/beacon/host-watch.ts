// Whether the host of a daemon that restarts is still there: it is asked for its own address by
// ARP, once in a beacon interval, for as long as there are no beacons. Its kernel answers.

import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";

/** Requests in a row without an answer after which the host counts as gone. */
export const HOST_MISSES = 3;

export class HostWatch {
  #intervalMs = 0;
  #askAt: BootMs = NEVER;
  #isAnswered = true;
  #misses = 0;

  /** Its daemon says that it restarts; said again, that changes nothing. */
  begin(intervalMs: number, now: BootMs): void {
    if (this.#askAt !== NEVER) return;
    this.#intervalMs = intervalMs;
    this.#askAt = after(now, intervalMs);
    this.#isAnswered = true;
    this.#misses = 0;
  }

  end(): void {
    this.#askAt = NEVER;
    this.#misses = 0;
  }

  get due(): BootMs {
    return this.#askAt;
  }

  /** It has answered all but the last request at least. */
  get isThere(): boolean {
    return this.#misses === 0;
  }

  get isGone(): boolean {
    return this.#misses >= HOST_MISSES;
  }

  answered(): void {
    this.#isAnswered = true;
    this.#misses = 0;
  }

  /** True when it should be asked; that counts as asked. */
  takeAsk(now: BootMs): boolean {
    if (now < this.#askAt) return false;
    if (!this.#isAnswered) this.#misses += 1;
    this.#isAnswered = false;
    this.#askAt = after(now, this.#intervalMs);
    return true;
  }
}
