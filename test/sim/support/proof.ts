// What a node can prove, kept from outside: it follows what left and reached the node, not what the
// node made of it, so that it can judge the machine.

import { TENURE_MARGIN_MS } from "../../../src/core/peer.ts";
import type { Timings } from "../../../src/ownership/timings.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Proof {
  readonly #timings: Timings;
  /** By the node's own clock: when its last beacon left, by segment. */
  readonly #beaconAt: number[] = [];
  /** By its own clock: when it woke from a sleep past its tenure, or started. */
  #wokeAt: number;

  constructor(timings: Timings, startedAt: number) {
    this.#timings = timings;
    this.#wokeAt = startedAt;
  }

  beaconSent(segment: number, sentAt: number): void {
    this.#beaconAt[segment] = sentAt;
  }

  /** The process goes on after it stood still for `sleptMs`. */
  woke(now: number, sleptMs: number): void {
    const isPast = this.#beaconAt.every((_, segment) => now >= this.tenureMax(segment));
    if (isPast && sleptMs >= this.#timings.holdMs) this.#wokeAt = now;
  }

  /** The latest point at which the node may still answer on the segment, by its own clock. */
  tenureMax(segment: number): number {
    const beaconAt = this.#beaconAt[segment] ?? LONG_AGO;
    return beaconAt + this.#timings.holdMs - TENURE_MARGIN_MS;
  }

  /** Until then it must have listened before it answers anything. */
  get silentUntil(): number {
    return this.#wokeAt + this.#timings.holdMs;
  }
}
