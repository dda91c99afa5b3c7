// The free addresses of a list of ranges, in the order of the list, each range from its lowest. A
// cursor passes over them once, and a heap keeps what was freed behind it, so that filling a /16 is
// linear, a /64 costs no memory, and 100,000 ranges are passed over once as well.

import type { Ip, IpRange } from "../core/address.ts";
import { ipFromBigInt } from "../core/address.ts";
import { Heap } from "./heap.ts";

/** Where an address is in the order of allocation of a pool. */
export interface Place {
  /** Index of its range. */
  readonly range: number;
  readonly value: bigint;
}

export function isBefore(a: Place, b: Place): boolean {
  return a.range === b.range ? a.value < b.value : a.range < b.range;
}

export class FreeAddresses {
  readonly #ranges: readonly IpRange[];
  #cursor: Place;
  readonly #freed = new Heap<Place>(isBefore);
  /** What the heap holds, so that it holds nothing twice and cannot outgrow the ranges. */
  readonly #isFreed = new Set<bigint>();

  /** Ranges of one family that do not overlap. */
  constructor(ranges: readonly IpRange[]) {
    this.#ranges = ranges;
    this.#cursor = { range: 0, value: ranges[0]?.start ?? 0n };
  }

  /**
   * The first address that `isFree` accepts, or null. What it refuses behind the cursor is not
   * offered again until `release`.
   */
  take(isFree: (ip: Ip) => boolean): { readonly ip: Ip; readonly place: Place } | null {
    for (let place = this.#next(); place !== null; place = this.#next()) {
      const ip = ipFromBigInt(this.#ranges[place.range]?.family ?? 4, place.value);
      if (isFree(ip)) return { ip, place };
    }
    return null;
  }

  /** Says that the address there may be free again; saying it twice does no harm. */
  release(place: Place): void {
    if (!isBefore(place, this.#cursor) || this.#isFreed.has(place.value)) return;
    this.#isFreed.add(place.value);
    this.#freed.push(place);
  }

  #next(): Place | null {
    const freed = this.#freed.pop();
    if (freed !== undefined) {
      this.#isFreed.delete(freed.value);
      return freed;
    }
    const place = this.#cursor;
    const range = this.#ranges[place.range];
    if (range === undefined) return null;
    if (place.value < range.end) this.#cursor = { ...place, value: place.value + 1n };
    else {
      const next = place.range + 1;
      this.#cursor = { range: next, value: this.#ranges[next]?.start ?? 0n };
    }
    return place;
  }
}
