// Which interfaces of the host lie in the networks of which pools.

import type { IpRange } from "../core/address.ts";
import type { Facts, InterfaceFact, PoolFact } from "./facts.ts";

export function overlaps(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.start <= b.end && b.start <= a.end;
}

export function isInPool({ addresses }: InterfaceFact, { ranges }: PoolFact): boolean {
  return addresses.some(({ prefix }) => ranges.some((range) => overlaps(prefix, range)));
}

/** Those on which addresses of pools are answered for; all that could, while no pool is known. */
export function servingInterfaces({ interfaces, pools }: Facts): readonly InterfaceFact[] {
  const all = (interfaces.known ? interfaces.value : []).filter(({ canAnswer }) => canAnswer);
  if (!pools.known || pools.value.length === 0) return all;
  return all.filter((one) => pools.value.some((pool) => isInPool(one, pool)));
}
