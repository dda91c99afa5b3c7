// So many a second, and at once no more than fit into a short time: a token bucket. Pure: `now` is
// an argument.

import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";

export class RateBudget {
  readonly #perMs: number;
  readonly #most: number;
  readonly #batchMs: number;
  #left: number;
  #at: BootMs | null = null;

  /** `burstMs`: what has gathered in that time may be taken at once. */
  constructor(perSecond: number, burstMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#most = Math.max(1, this.#perMs * burstMs);
    this.#batchMs = burstMs / 4;
    this.#left = this.#most;
  }

  /** False: not now. */
  take(now: BootMs): boolean {
    const gathered = this.#at === null ? 0 : Math.max(0, now - this.#at) * this.#perMs;
    this.#left = Math.min(this.#most, this.#left + gathered);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** When there is something to take: now, or in a batch. */
  nextAt(now: BootMs): BootMs {
    return this.#left >= 1 ? now : after(now, this.#batchMs);
  }
}
