// A timer as Node has them: whole milliseconds, by the node's own clock; a new deadline replaces
// the one before.

import type { NodeClock } from "./clock.ts";
import type { EventQueue } from "./event-queue.ts";

export class SimTimer {
  readonly #queue: EventQueue;
  readonly #clock: NodeClock;
  readonly #run: () => void;
  #armed = 0;
  #at = Number.POSITIVE_INFINITY;

  /** Calls `run` at each deadline that it was armed with last. */
  constructor(
    { queue, clock }: { readonly queue: EventQueue; readonly clock: NodeClock },
    run: () => void,
  ) {
    this.#queue = queue;
    this.#clock = clock;
    this.#run = run;
  }

  clear(): void {
    this.#armed += 1;
    this.#at = Number.POSITIVE_INFINITY;
  }

  /** The deadline is by the node's clock. */
  arm(deadline: number): void {
    const local = deadline - this.#clock.now();
    if (!Number.isFinite(local)) return this.clear();
    const wait = this.#clock.trueMs(Math.max(0, Math.ceil(local)));
    const at = this.#queue.now + wait;
    // It goes off earlier, and is armed anew then: fewer events, and nothing is late.
    if (this.#at <= at + 1e-6) return;
    this.#armed += 1;
    const mine = this.#armed;
    this.#at = at;
    this.#queue.after(wait, () => {
      if (mine !== this.#armed) return;
      this.#at = Number.POSITIVE_INFINITY;
      this.#run();
    });
  }
}
