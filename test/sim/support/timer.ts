// A timer as Node has them: whole milliseconds, by the node's own clock; a new deadline replaces
// the one before.

import type { NodeClock } from "./clock.ts";
import type { EventQueue } from "./event-queue.ts";

export class SimTimer {
  readonly #queue: EventQueue;
  readonly #clock: NodeClock;
  readonly #run: () => void;
  #armed = 0;
  /** When it is looked at next. */
  #at = Number.POSITIVE_INFINITY;
  /** When it goes off. */
  #dueAt = Number.POSITIVE_INFINITY;

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
    this.#dueAt = this.#queue.now + wait;
    // One that is put off is looked at when it was due before, and no sooner: fewer events.
    if (this.#at > this.#dueAt) this.#lookAt(this.#dueAt);
  }

  #lookAt(at: number): void {
    this.#armed += 1;
    const mine = this.#armed;
    this.#at = at;
    this.#queue.after(at - this.#queue.now, () => {
      if (mine !== this.#armed) return;
      if (this.#queue.now < this.#dueAt) return this.#lookAt(this.#dueAt);
      this.#at = Number.POSITIVE_INFINITY;
      this.#run();
    });
  }
}
