// The one place that reads the host's clocks, and where chance enters.

import { bootTimeMs } from "../../native/index.ts";
import type { Random } from "../core/random.ts";
import type { Clock } from "../core/time.ts";
import { bootMs, wallMs } from "../core/time.ts";

export const systemClock: Clock = {
  boot: () => bootMs(bootTimeMs()),
  wall: () => wallMs(Date.now()),
};

/** Good enough for jitter and names; nothing secret hangs on it. */
export const systemRandom: Random = Math.random;
