// How long it takes from the claim of a VIP until this node answers for it, in seconds.

import type { Ip } from "../core/address.ts";
import { Histogram, type HistogramCounts } from "../core/histogram.ts";
import type { BootMs } from "../core/time.ts";
import type { OwnerChange } from "../ownership/types.ts";

/** The write is waited for 40 ms at most; what takes longer waited for something else. */
const BOUNDS = [0.005, 0.01, 0.02, 0.03, 0.04, 0.045, 0.05, 0.1, 0.5, 1];

export class ClaimDurations {
  readonly #histogram = new Histogram(BOUNDS);
  /** Since when; null: it is this node's, and its claim is told again. */
  readonly #claimedAt = new Map<Ip, BootMs | null>();

  /** Claims since the start, those that came to nothing included. */
  begun = 0;

  claimed(address: Ip, now: BootMs): void {
    if (this.#claimedAt.get(address) === null) return;
    this.#claimedAt.set(address, now);
    this.begun += 1;
  }

  withdrawn(address: Ip): void {
    this.#claimedAt.delete(address);
  }

  changed({ type, address }: OwnerChange, now: BootMs): void {
    const claimedAt = this.#claimedAt.get(address) ?? null;
    if (type === "lost") this.#claimedAt.delete(address);
    else this.#claimedAt.set(address, null);
    if (type === "gained" && claimedAt !== null) {
      this.#histogram.observe((now - claimedAt) / 1_000);
    }
  }

  get(): HistogramCounts {
    return this.#histogram.get();
  }
}
