// What time it is: for certificates and Leases that are looked at, and for how long is waited.

import { type BootMs, bootMs, type WallMs, wallMs } from "../core/time.ts";

export function wallClock(): WallMs {
  return wallMs(Date.now());
}

/** For waiting: it does not step. */
export function bootClock(): BootMs {
  return bootMs(performance.now());
}
