// The right to answer on one segment, and its end: hold less a margin after the last beacon that
// was sent, by the smallest hold that any peer may still count with (design, section 4.5).

import { TENURE_MARGIN_MS } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY as BootMs;

export class Tenure {
  readonly #multiplier: number;
  /** Of the last beacons; any of them may be the last that a peer received. */
  #holdsMs: number[] = [];
  #until: BootMs = LONG_AGO;

  constructor(multiplier: number) {
    this.#multiplier = multiplier;
  }

  /** Nothing may be answered from here on. */
  get until(): BootMs {
    return this.#until;
  }

  /** A beacon has left since the start or the last lapse. */
  get hasBegun(): boolean {
    return this.#until !== LONG_AGO;
  }

  /** A beacon with that hold is about to be sent. */
  sending(holdMs: number): void {
    this.#holdsMs.push(holdMs);
    if (this.#holdsMs.length > this.#multiplier + 1) this.#holdsMs.shift();
  }

  /** It left; `sentAt` was taken before. One of a tenure before this one says nothing. */
  sent(sentAt: BootMs, now: BootMs): void {
    if (this.#holdsMs.length === 0) return;
    const until = after(sentAt, Math.min(...this.#holdsMs) - TENURE_MARGIN_MS);
    if (until > this.#until && until > now) this.#until = until;
  }

  /** True once, when it has ended. */
  takeLapse(now: BootMs): boolean {
    if (this.#until === LONG_AGO || now < this.#until) return false;
    this.#until = LONG_AGO;
    return true;
  }
}
