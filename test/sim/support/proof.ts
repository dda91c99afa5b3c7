// What a node can prove, kept from outside: it follows what reached the node, not what the node
// made of it, so that it can judge the machine.

import type { Ip } from "../../../src/core/address.ts";
import type { Timings } from "../../../src/ownership/timings.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Proof {
  readonly #timings: Timings;
  #confirmedUntil = LONG_AGO;
  #regainedAt = Number.POSITIVE_INFINITY;
  #isRead = false;
  #certainSince = LONG_AGO;
  #steppedAt = LONG_AGO;
  /** When the node slept past its tenure, or started; null: it has read the records since. */
  #sleptAt: number | null = null;
  readonly #silenced = new Map<Ip, number>();
  readonly #evidence = new Map<string, number>();

  constructor(timings: Timings) {
    this.#timings = timings;
  }

  /** The API confirms the node's Lease, and told it all records since it does so without a gap. */
  isCertain(now: number): boolean {
    return this.#isRead && this.isConfirmed(now);
  }

  isConfirmed(now: number): boolean {
    return now < this.#confirmedUntil;
  }

  /** The latest point at which the node may still answer, by its own clock. */
  tenureMax(): number {
    return Math.max(this.#confirmedUntil, this.#steppedAt + this.#timings.holdOnMs);
  }

  /** True time since when it is certain; only while it is. */
  get certainSince(): number {
    return this.#certainSince;
  }

  /** The main loop is about to step. */
  steps(now: number, trueNow: number): void {
    if (now >= this.tenureMax()) this.#sleptAt = trueNow;
    this.#steppedAt = now;
  }

  /** The node slept past its tenure, and has not read the records since. */
  get mustReadFirst(): boolean {
    return this.#sleptAt !== null;
  }

  renewed(sentAt: number, now: number, trueNow: number): void {
    const until = sentAt + this.#timings.renewDeadlineMs;
    if (now >= this.#confirmedUntil && now < until) {
      this.#regainedAt = trueNow;
      this.#isRead = false;
    }
    this.#confirmedUntil = Math.max(this.#confirmedUntil, until);
  }

  /** All records arrived; the server read them at `readAt`, asked for at `sentAt`. */
  recordsRead(sentAt: number, readAt: number): void {
    if (sentAt >= this.#regainedAt && !this.#isRead) {
      this.#isRead = true;
      this.#certainSince = readAt;
    }
    if (this.#sleptAt !== null && sentAt >= this.#sleptAt) this.#sleptAt = null;
    for (const [address, heardAt] of this.#silenced) {
      if (readAt > heardAt) this.#silenced.delete(address);
    }
  }

  /** The node Lease of `node` as it was at `readAt` reached this node. */
  memberRead(node: string, readAt: number): void {
    this.#evidence.set(node, readAt);
  }

  /** When the last direct look at the Lease of `node` was; undefined: never. */
  evidenceOf(node: string): number | undefined {
    return this.#evidence.get(node);
  }

  /** Another host announced the address. True: this node cannot prove its right, so it yields. */
  heard(address: Ip, now: number, trueNow: number): void {
    if (!this.isCertain(now)) this.#silenced.set(address, trueNow);
  }

  /** The node had to give way for the address, and has not read the records since. */
  mustBeSilent(address: Ip): boolean {
    return this.#silenced.has(address);
  }
}
