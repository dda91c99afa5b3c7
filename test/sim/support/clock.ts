// A node's boot clock: an offset and a rate of its own against true time.

import type { BootMs } from "../../../src/core/time.ts";
import { bootMs } from "../../../src/core/time.ts";
import type { EventQueue } from "./event-queue.ts";

export class NodeClock {
  readonly #queue: EventQueue;
  readonly #offset: number;
  readonly rate: number;

  constructor(queue: EventQueue, options: { offset: number; rate: number }) {
    this.#queue = queue;
    this.#offset = options.offset;
    this.rate = options.rate;
  }

  now(): BootMs {
    return bootMs(this.#offset + this.#queue.now * this.rate);
  }

  /** True ms for `ms` of this clock. */
  trueMs(ms: number): number {
    return ms / this.rate;
  }
}
