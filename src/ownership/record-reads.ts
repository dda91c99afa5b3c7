// When all records are read from the API: one read at a time, another wish meanwhile is served
// after it, and a read that failed is tried again. After one that took long the next one waits:
// reading ten thousand records over and over would be all that node and API server do. A doubt does
// not wait, as nothing is owned until it ends, unless the read before did not wait either.

import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";

/** One may fail by chance. */
const FAILURES_MAX = 2;
/** A read that takes longer is slow, and this many times as long passes before the next. */
const SLOW_MS = 250;
const REST_TIMES = 4;

export class RecordReads {
  readonly #retryMs: number;
  readonly #send: () => void;
  #isReading = false;
  /** The records were doubted while a read was in flight. */
  #mustReadAgain = false;
  #readAt: BootMs = NEVER;
  #sentAt: BootMs = NEVER;
  /** The next read is not sent before. */
  #restUntil: BootMs = -NEVER as BootMs;
  /** The last read was sent before that, for a doubt. */
  #wasHurried = false;
  /** Reads that failed, one after the other. */
  #failures = 0;

  /** `send`: called when a read is to be sent. */
  constructor(retryMs: number, send: () => void) {
    this.#retryMs = retryMs;
    this.#send = send;
  }

  /** They cannot be had: whoever waits for them waits in vain. */
  get isFailing(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  get isReading(): boolean {
    return this.#isReading;
  }

  /** When a read is due. */
  get due(): BootMs {
    return this.#readAt;
  }

  request(now: BootMs): void {
    if (this.#isReading) this.#readAt = after(now, this.#retryMs);
    else if (now < this.#restUntil) this.#readAt = this.#restUntil;
    else this.#read(now);
  }

  #read(now: BootMs): void {
    this.#wasHurried = now < this.#restUntil;
    this.#isReading = true;
    this.#sentAt = now;
    this.#readAt = NEVER;
    this.#send();
  }

  /** What a read in flight will say does not count any more: another one must follow it. */
  doubt(now: BootMs): void {
    this.#mustReadAgain = this.#isReading;
    if (!this.#isReading) this.#hurry(now);
  }

  #hurry(now: BootMs): void {
    if (this.#wasHurried) this.request(now);
    else this.#read(now);
  }

  /** A read has ended. */
  ended(outcome: "read" | "failed", now: BootMs): void {
    const mustReadAgain = this.#mustReadAgain;
    this.#isReading = false;
    this.#mustReadAgain = false;
    this.#failures = outcome === "failed" ? this.#failures + 1 : 0;
    const tookMs = now - this.#sentAt;
    const restMs = tookMs > SLOW_MS ? REST_TIMES * tookMs : 0;
    if (outcome === "read") this.#restUntil = after(now, restMs);
    if (outcome === "failed") this.#readAt = after(now, this.#retryMs);
    else if (mustReadAgain) this.#hurry(now);
  }

  wake(now: BootMs): void {
    if (now >= this.#readAt) this.request(now);
  }
}
