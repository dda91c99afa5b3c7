// What time it is, for certificates that are looked at.

import { type WallMs, wallMs } from "../core/time.ts";

export function wallClock(): WallMs {
  return wallMs(Date.now());
}
