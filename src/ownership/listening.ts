// How long a node that starts, wakes or comes to a segment listens before it may own anything, in
// holds (design, section 4.5). A hold grows with the nodes that are found meanwhile, and the
// listening with it: otherwise some of many would not have spoken yet.

import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";

export class Listening {
  readonly #holdMs: (now: BootMs) => number;
  /** By number of holds: when the last listening of that length began. Empty: it is over. */
  readonly #begun = new Map<number, BootMs>();

  /** `holdMs`: the longest that anybody may wait for a beacon. */
  constructor(holdMs: (now: BootMs) => number) {
    this.#holdMs = holdMs;
  }

  /** What is listened to already goes on for as long as it should. */
  begin(holds: number, now: BootMs): void {
    this.#begun.set(holds, now);
  }

  isOver(now: BootMs): boolean {
    if (this.#begun.size > 0 && now >= this.#until(now)) this.#begun.clear();
    return this.#begun.size === 0;
  }

  /** When it is over if nobody else is found; NEVER: it is. */
  nextDeadline(now: BootMs): BootMs {
    return this.isOver(now) ? NEVER : this.#until(now);
  }

  #until(now: BootMs): BootMs {
    const holdMs = this.#holdMs(now);
    const ends = [...this.#begun].map(([holds, at]) => after(at, holds * holdMs));
    return Math.max(...ends) as BootMs;
  }
}
