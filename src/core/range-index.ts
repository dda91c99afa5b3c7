// Which owner of ranges (a pool) holds an address: a binary search over all ranges, since every
// Service asks.

import type { Ip, IpRange } from "./address.ts";
import { ipFamily, ipToBigInt } from "./address.ts";

interface Entry<P> {
  readonly range: IpRange;
  readonly pool: P;
}

/** Ranges must not overlap (the configuration is checked for it). */
export class RangeIndex<P extends { readonly ranges: readonly IpRange[] }> {
  readonly #entries: readonly Entry<P>[];

  constructor(pools: readonly P[]) {
    this.#entries = pools
      .flatMap((pool) => pool.ranges.map((range) => ({ range, pool })))
      .sort((a, b) => compareStart(a.range.family, a.range.start, b.range));
  }

  /** The pool that holds `ip`, or null. */
  find(ip: Ip): P | null {
    const family = ipFamily(ip);
    const value = ipToBigInt(ip);
    let low = 0;
    let high = this.#entries.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry === undefined) return null;
      if (compareStart(family, value, entry.range) < 0) high = middle - 1;
      else if (entry.range.family === family && value <= entry.range.end) return entry.pool;
      else low = middle + 1;
    }
    return null;
  }
}

function compareStart(family: number, value: bigint, range: IpRange): number {
  if (family !== range.family) return family - range.family;
  return value < range.start ? -1 : value > range.start ? 1 : 0;
}
