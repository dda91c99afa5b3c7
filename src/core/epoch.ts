// Epochs count the tenures of a VIP. They compare as (Lease epoch, holdover counter): what was
// claimed while the API was away never beats what the record says later. Kept as one number.

declare const epochBrand: unique symbol;

/** Lease epoch times 2^16, plus the holdover counter. Compares as the pair does. */
export type Epoch = number & { readonly [epochBrand]: true };

/** Claims without a Lease write, one after the other; more than this are one. */
export const HOLDOVER_MAX = 0xffff;
const STEP = HOLDOVER_MAX + 1;

export const NO_EPOCH = -1 as Epoch;

/** `leaseTransitions` is an int32: one that has reached its end cannot be followed. */
export const LEASE_EPOCH_MAX = 0x7fff_ffff;

/** `lease`: `leaseTransitions` of the VIP's Lease, 0 to LEASE_EPOCH_MAX - 1. */
export function epochOf(lease: number, holdover = 0): Epoch {
  return (lease * STEP + Math.min(holdover, HOLDOVER_MAX)) as Epoch;
}

export function leaseEpochOf(epoch: Epoch): number {
  return Math.floor(epoch / STEP);
}

export function holdoverOf(epoch: Epoch): number {
  return epoch < 0 ? 0 : epoch % STEP;
}

/** The next epoch of a claim that no Lease knows of yet. */
export function nextHoldover(epoch: Epoch): Epoch {
  return epochOf(Math.max(0, leaseEpochOf(epoch)), holdoverOf(epoch) + 1);
}

/** `5`, or `5+2` for the second claim since Lease epoch 5. */
export function formatEpoch(epoch: Epoch): string {
  const holdover = holdoverOf(epoch);
  return holdover === 0 ? String(leaseEpochOf(epoch)) : `${leaseEpochOf(epoch)}+${holdover}`;
}
