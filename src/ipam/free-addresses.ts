// The free addresses of one range, lowest first. A cursor passes over the range once, and a heap
// keeps what was freed below it, so that filling a /16 is linear and a /64 costs no memory.

import type { Ip, IpRange } from "../core/address.ts";
import { ipFromBigInt } from "../core/address.ts";

export class FreeAddresses {
  readonly #range: IpRange;
  #cursor: bigint;
  /** A heap: the lowest first. */
  readonly #freed: bigint[] = [];
  /** What the heap holds, so that it holds nothing twice and cannot outgrow the range. */
  readonly #isFreed = new Set<bigint>();

  constructor(range: IpRange) {
    this.#range = range;
    this.#cursor = range.start;
  }

  /**
   * The lowest address that `isFree` accepts, or null. What it refuses below the cursor is not
   * offered again until `release`.
   */
  take(isFree: (ip: Ip) => boolean): Ip | null {
    for (let value = this.#popFreed(); value !== null; value = this.#popFreed()) {
      const ip = ipFromBigInt(this.#range.family, value);
      if (isFree(ip)) return ip;
    }
    while (this.#cursor <= this.#range.end) {
      const ip = ipFromBigInt(this.#range.family, this.#cursor);
      this.#cursor += 1n;
      if (isFree(ip)) return ip;
    }
    return null;
  }

  /** Says that an address of this range may be free again; saying it twice does no harm. */
  release(value: bigint): void {
    if (value >= this.#cursor || this.#isFreed.has(value)) return;
    this.#isFreed.add(value);
    this.#freed.push(value);
    this.#siftUp(this.#freed.length - 1);
  }

  #popFreed(): bigint | null {
    const top = this.#freed[0];
    const last = this.#freed.pop();
    if (top === undefined || last === undefined) return null;
    this.#isFreed.delete(top);
    if (this.#freed.length > 0) {
      this.#freed[0] = last;
      this.#siftDown(0);
    }
    return top;
  }

  #siftUp(index: number): void {
    let child = index;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfLess(child, parent)) return;
      child = parent;
    }
  }

  #siftDown(index: number): void {
    let parent = index;
    for (;;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      const smaller = this.#less(right, left) ? right : left;
      if (!this.#swapIfLess(smaller, parent)) return;
      parent = smaller;
    }
  }

  #less(a: number, b: number): boolean {
    const left = this.#freed[a];
    const right = this.#freed[b];
    return left !== undefined && right !== undefined && left < right;
  }

  #swapIfLess(a: number, b: number): boolean {
    if (!this.#less(a, b)) return false;
    const left = this.#freed[a] as bigint;
    this.#freed[a] = this.#freed[b] as bigint;
    this.#freed[b] = left;
    return true;
  }
}
