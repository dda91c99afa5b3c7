// Which pools an advertisement covers, L2 or BGP.

import type { LabelSelector } from "./label-selector.ts";
import { anySelectorMatches } from "./label-selector.ts";
import type { RawResource } from "./resource.ts";

export interface PoolSelection {
  readonly ipAddressPools: readonly string[];
  readonly ipAddressPoolSelectors: readonly LabelSelector[];
}

/**
 * The names of the pools selected by name or by label, in the order of `rawPools`; all when there
 * is neither. A name without a pool is no mistake: the pool may be yet to come.
 */
export function selectedPools(
  { ipAddressPools: names, ipAddressPoolSelectors: labels }: PoolSelection,
  rawPools: readonly RawResource[],
): string[] {
  const isAll = names.length === 0 && labels.length === 0;
  const wanted = new Set(names);
  return rawPools
    .filter((pool) => isAll || wanted.has(pool.name) || anySelectorMatches(labels, pool.labels))
    .map((pool) => pool.name);
}
