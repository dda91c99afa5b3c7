// Virtual time: what happens next, and when. Things of one moment happen in the order in which they
// were asked for, so that a run is the same every time.

import { Violation } from "./violation.ts";

/** More events at one moment than this are one that asks for itself again. */
const STILL_MAX = 10_000;

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  readonly #heap: Entry[] = [];
  #now = 0;
  #asked = 0;
  #done = 0;
  /** Events of this one moment. */
  #still = 0;

  /** True time in ms; no node knows it. */
  get now(): number {
    return this.#now;
  }

  /** How many events have happened. */
  get done(): number {
    return this.#done;
  }

  after(delayMs: number, run: () => void): void {
    this.#push({ at: this.#now + Math.max(0, delayMs), order: this.#asked++, run });
  }

  /** Lets everything happen up to `until`, calling `onEach` after each event. */
  runUntil(until: number, onEach: () => void): void {
    for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
      if (next.at > until) break;
      this.#pop();
      this.#still = next.at === this.#now ? this.#still + 1 : 0;
      if (this.#still > STILL_MAX) throw new Violation("no-busy-loop", "time stands still");
      this.#now = next.at;
      this.#done += 1;
      next.run();
      onEach();
    }
    this.#now = until;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      let child = heap[left];
      let at = left;
      const right = heap[left + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        at = left + 1;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = at;
    }
    heap[index] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
