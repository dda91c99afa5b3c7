// What a daemon does that was told to end: it hands over what it has, or leaves it to the daemon
// that follows, and tells those that would wait for it.

import { setTimeout as sleep } from "node:timers/promises";
import type { NodeFile } from "../config/node-file.ts";
import type { Bgp } from "./bgp.ts";
import type { Drain } from "./drain.ts";
import type { Leading } from "./leading.ts";
import type { Logger } from "./logger.ts";
import type { OwnershipDriver } from "./ownership-driver.ts";

export interface Held {
  readonly log: Logger;
  readonly drain: Pick<Drain, "stop">;
  readonly leading: Pick<Leading, "shadow" | "leader">;
  readonly ownership: Pick<OwnershipDriver, "leaveForRestart" | "stop">;
  readonly bgp: Pick<Bgp, "stop">;
}

/** What SIGTERM may take: releasing the VIPs, the routes, and the leadership. */
const STOP_TIMEOUT_MS = 5_000;

export async function release(
  isRestart: boolean,
  file: Pick<NodeFile, "beacons">,
  { log, drain, leading, ownership, bgp }: Held,
): Promise<void> {
  if (leading.shadow !== null) return;
  const keeps = isRestart && file.beacons.restartHoldMs > 0;
  const how = keeps ? "restarting: peers leave the VIPs here" : "stopping: releasing the VIPs";
  log.info({ event: "stopping", keeps }, how);
  drain.stop();
  const leaderStop = leading.leader.stop();
  // FRR keeps the routes of a daemon that restarts.
  const routes = isRestart ? Promise.resolve() : bgp.stop(STOP_TIMEOUT_MS);
  await (keeps ? ownership.leaveForRestart() : ownership.stop(STOP_TIMEOUT_MS));
  const rest = Promise.all([leaderStop, routes]);
  await Promise.race([rest, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
}
