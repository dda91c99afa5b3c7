// The one place that reads the host's clocks.

import { bootTimeMs } from "../../native/index.ts";
import type { Clock } from "../core/time.ts";
import { bootMs, wallMs } from "../core/time.ts";

export const systemClock: Clock = {
  boot: () => bootMs(bootTimeMs()),
  wall: () => wallMs(Date.now()),
};
