// What is to be looked at again, and when: one deadline a key, the earliest first, and of equal
// ones the one that was set first. A binary heap; an entry that was replaced stays in it until its
// time comes, or until such entries are most of it.

import type { BootMs } from "./time.ts";
import { NEVER } from "./time.ts";

interface Entry<K> {
  readonly due: BootMs;
  readonly key: K;
  readonly sequence: number;
}

/** Fewer entries than this are not worth clearing out. */
const CLEAR_OUT_MIN = 64;

export class Deadlines<K> {
  readonly #entries = new Map<K, Entry<K>>();
  #heap: Entry<K>[] = [];
  #sequence = 0;

  /** Replaces what was said before; NEVER: the key has no deadline any more. */
  set(key: K, due: BootMs): void {
    if (due === (this.#entries.get(key)?.due ?? NEVER)) return;
    if (due === NEVER) this.#entries.delete(key);
    else {
      const entry = { due, key, sequence: this.#sequence++ };
      this.#entries.set(key, entry);
      this.#push(entry);
    }
    const isMostlyOld = this.#heap.length > 2 * this.#entries.size;
    if (isMostlyOld && this.#heap.length >= CLEAR_OUT_MIN) this.#clearOut();
  }

  /** The earliest deadline; NEVER: there is none. */
  get next(): BootMs {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#entries.get(first.key) === first) return first.due;
      this.#pop();
    }
    return NEVER;
  }

  /** The keys whose time has come; they have no deadline then. */
  take(now: BootMs): K[] {
    const keys: K[] = [];
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.due > now) break;
      this.#pop();
      if (this.#entries.get(first.key) !== first) continue;
      this.#entries.delete(first.key);
      keys.push(first.key);
    }
    return keys;
  }

  #clearOut(): void {
    // In this order it is a heap.
    this.#heap = [...this.#entries.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #push(entry: Entry<K>): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const entry = heap.pop();
    if (entry === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(entry, child)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = entry;
  }
}

function isBefore<K>(a: Entry<K>, b: Entry<K>): boolean {
  return a.due === b.due ? a.sequence < b.sequence : a.due < b.due;
}
