// Waits until the daemon of this host works with its new credentials.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import type { Context } from "./context.ts";

const WAIT_MS_MAX = 15_000;
const LOOK_EVERY_MS = 200;

/** Null: no daemon runs. */
export async function untilReachable({ client }: Pick<Context, "client">): Promise<boolean | null> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    try {
      if ((await client.get("/v1/status")).item.api.reachable) return true;
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === "DAEMON_UNREACHABLE") return null;
      if (!(thrown instanceof AppError) || thrown.code !== "DAEMON_TIMEOUT") throw thrown;
    }
    if (waitedMs >= WAIT_MS_MAX) return false;
    await sleep(LOOK_EVERY_MS);
  }
}
