// How much a node is preferred as an owner, by what the configuration says of it.

import type { NodePlacement } from "./types.ts";

/** The sum of weights; 0 for one that is not preferred, not allowed or not known. */
export function preferenceOf(placement: NodePlacement | undefined): number {
  return placement?.allowed === true ? (placement.preference ?? 0) : 0;
}
