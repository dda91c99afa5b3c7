// What a node can prove, kept from outside: it follows what left and reached the node, not what the
// node made of it, so that it can judge the machine.

import { TENURE_MARGIN_MS } from "../../../src/beacon/tenure.ts";
import type { Timings } from "../../../src/ownership/timings.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Proof {
  readonly #timings: Timings;
  /** By the node's own clock: when its last beacon left. */
  #beaconAt = LONG_AGO;
  /** By its own clock: when it woke from a sleep past its tenure, or started. */
  #wokeAt: number;

  constructor(timings: Timings, startedAt: number) {
    this.#timings = timings;
    this.#wokeAt = startedAt;
  }

  beaconSent(sentAt: number): void {
    this.#beaconAt = sentAt;
  }

  /** The process goes on after it stood still for `sleptMs`. */
  woke(now: number, sleptMs: number): void {
    if (now >= this.tenureMax() && sleptMs >= this.#timings.holdMs) this.#wokeAt = now;
  }

  /** The latest point at which the node may still answer, by its own clock. */
  tenureMax(): number {
    return this.#beaconAt + this.#timings.holdMs - TENURE_MARGIN_MS;
  }

  /** Until then it must have listened before it answers anything. */
  get silentUntil(): number {
    return this.#wokeAt + this.#timings.holdMs;
  }
}
