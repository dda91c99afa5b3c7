// Whether the end of this daemon is a stop or a restart, in which the peers leave its addresses
// here. That would be in vain for one that cannot start again: then it is a stop.

import { loadNodeFile } from "./load-node-file.ts";
import type { StopReason } from "./service-manager.ts";

/** `asked`: what whoever ends it says. Reads the node file that the next daemon will read. */
export function endReason(asked: StopReason, config: string, hostName: string): StopReason {
  return asked === "restart" && isUsable(config, hostName) ? "restart" : "stop";
}

function isUsable(config: string, hostName: string): boolean {
  try {
    loadNodeFile(config, hostName);
    return true;
  } catch {
    return false;
  }
}
