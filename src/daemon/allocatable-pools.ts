// The pools of the configuration as the allocator sees them, with the namespaces that their
// selectors select now.

import type { Pool } from "../config/cluster-config.ts";
import type { Labels } from "../config/label-selector.ts";
import { ServiceFilter } from "../config/service-allocation.ts";
import type { AllocatablePool } from "../ipam/types.ts";

/** `namespaces`: the labels of each that exists. */
export function allocatablePools(
  pools: readonly Pool[],
  namespaces: ReadonlyMap<string, Labels>,
): AllocatablePool[] {
  return pools.map(({ serviceAllocation, ...pool }) => {
    const isForAll = serviceAllocation === null;
    return {
      ...pool,
      allotment: isForAll ? null : new ServiceFilter(serviceAllocation, namespaces),
    };
  });
}

/** Whether it matters which namespaces there are. */
export function needsNamespaces(pools: readonly Pool[]): boolean {
  return pools.some((pool) => (pool.serviceAllocation?.namespaceSelectors.length ?? 0) > 0);
}
