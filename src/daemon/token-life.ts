// How much of a token's life is left. Pure. Once a token was got by this process its age is told
// by the boot clock: a wall clock that is wrong or steps renews nothing too often or too late.

import type { BootMs, WallMs } from "../core/time.ts";

/** What has an end: a token or a client certificate. */
export interface Validity {
  readonly issuedAt: WallMs;
  readonly expiresAt: WallMs;
}

export interface Now {
  readonly boot: BootMs;
  readonly wall: WallMs;
}

/** Long before the end, where the whole life is long: somebody has to do something by hand. */
const NEAR_MS_MAX = 14 * 86_400_000;
/** Renewed in this part of the life, each node at a point of its own. */
const RENEW_FROM = 1 / 2;
const RENEW_TO = 2 / 3;

export function lifeMs({ issuedAt, expiresAt }: Validity): number {
  return expiresAt - issuedAt;
}

/** `gotAt`: when this process got it, on the boot clock; null: it did not. */
export function leftMs(validity: Validity, gotAt: BootMs | null, now: Now): number {
  if (gotAt !== null) return lifeMs(validity) - (now.boot - gotAt);
  return validity.expiresAt - now.wall;
}

/** `share` in [0, 1): where between the two points of the life. */
export function isDue(validity: Validity, left: number, share: number): boolean {
  const renewAt = RENEW_FROM + share * (RENEW_TO - RENEW_FROM);
  return left <= lifeMs(validity) * (1 - renewAt);
}

export function isNearEnd(validity: Validity, left: number): boolean {
  return left <= Math.min(lifeMs(validity) / 4, NEAR_MS_MAX);
}
