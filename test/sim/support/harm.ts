// What a fault did: it counts as effective only once it changed something, which the part of the
// simulation that it disturbs says. A move is put down to the kinds whose harm lasts or just ended.

import type { EventQueue } from "./event-queue.ts";

/** One fault, as the part that it disturbs sees it. */
export interface Harm {
  /** It changed a delivery, a write, a clock, or what a machine decided. */
  hit(): void;
}

/** Done by a story, not by chance. */
export const UNCOUNTED: Harm = { hit: () => {} };

export interface KindFigures {
  injected: number;
  effective: number;
  /** Owners changed while its harm lasted or shortly after; other kinds may count it, too. */
  moves: number;
}

/** A move this long after a harm ended may be its consequence: a hold, a claim, a retry. */
const AFTERMATH_MS = 5_000;

export class Fault implements Harm {
  readonly kind: string;
  isEffective = false;
  /** True time. */
  endsAt: number;

  constructor(kind: string, now: number) {
    this.kind = kind;
    this.endsAt = now;
  }

  hit(): void {
    this.isEffective = true;
  }
}

export class Ledger {
  readonly #queue: EventQueue;
  readonly #faults: Fault[] = [];
  readonly #moves = new Map<string, number>();

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  /** Takes a fault that was injected. */
  add(fault: Fault): void {
    this.#faults.push(fault);
  }

  /** Everything is healed: no harm lasts beyond now. */
  endAll(): void {
    const { now } = this.#queue;
    for (const fault of this.#faults) fault.endsAt = Math.min(fault.endsAt, now);
  }

  /** A VIP went from one owner to another. */
  moved(): void {
    const { now } = this.#queue;
    const near = this.#faults.filter((one) => one.isEffective && now <= one.endsAt + AFTERMATH_MS);
    for (const kind of new Set(near.map((fault) => fault.kind))) {
      this.#moves.set(kind, (this.#moves.get(kind) ?? 0) + 1);
    }
  }

  /** By kind, so far. */
  get figures(): ReadonlyMap<string, KindFigures> {
    const figures = new Map<string, KindFigures>();
    for (const { kind, isEffective } of this.#faults) {
      const moves = this.#moves.get(kind) ?? 0;
      const one = figures.get(kind) ?? { injected: 0, effective: 0, moves };
      one.injected += 1;
      if (isEffective) one.effective += 1;
      figures.set(kind, one);
    }
    return figures;
  }
}

/** What comes for a process that is not there, or stands still, and the faults to blame. */
export class Interruption {
  #harms: Harm[] = [];
  #dueAt = Number.POSITIVE_INFINITY;

  begin(harm: Harm): void {
    this.#harms.push(harm);
  }

  /** A frame, an answer or a timer came that the process should have seen. */
  met(): void {
    for (const harm of this.#harms) harm.hit();
  }

  /** The process ends; by the node's clock it had something to do at `dueAt`. */
  replace(harm: Harm, dueAt: number): void {
    this.#harms = [harm];
    this.#dueAt = dueAt;
  }

  end(now: number): void {
    if (now >= this.#dueAt) this.met();
    this.#harms = [];
    this.#dueAt = Number.POSITIVE_INFINITY;
  }
}
