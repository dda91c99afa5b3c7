// Takes lbd's part out of FRR while the daemon does not run: by hand, or by lbd-withdraw.service
// once the daemon is gone for as long as the node file says.

import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../api/client.ts";
import { Frr } from "../bgp/frr.ts";
import { Vtysh } from "../bgp/vtysh.ts";
import { AppError } from "../core/errors.ts";
import { nodeSettings } from "./node-settings.ts";

export interface WithdrawOptions {
  readonly config: string;
  /** Wait first for as long as the node file says; the daemon may come back meanwhile. */
  readonly whenGone?: true;
}

export interface WithdrawView {
  /** Lines that FRR was told; 0: there was nothing of lbd. */
  readonly commands: number;
  readonly why: "withdrawn" | "nothing-there" | "kept";
}

/** Nobody asks again for a daemon that is gone. */
const RETRIES_MAX = 60;
const RETRY_MS = 10_000;

export async function withdraw(
  options: WithdrawOptions,
  client: Pick<ApiClient, "get">,
): Promise<WithdrawView> {
  const { bgp, stateFile } = nodeSettings(options.config);
  if (options.whenGone === true) {
    const seconds = bgp.routesWithoutDaemonSeconds;
    if (seconds === 0) return { commands: 0, why: "kept" };
    await sleep(seconds * 1_000);
  }
  if (await isRunning(client)) {
    if (options.whenGone === true) return { commands: 0, why: "kept" };
    const message =
      "Cannot withdraw routes: the daemon runs, and would announce them again; " +
      '"lbctl drain --force" takes them back';
    throw new AppError("REFUSED", message);
  }
  const folder = dirname(stateFile);
  const frr = new Frr(new Vtysh({ program: bgp.vtysh, sockets: bgp.vtySockets, folder }));
  let applied = await frr.withdraw();
  for (let count = 0; count < RETRIES_MAX && options.whenGone === true; count++) {
    if (applied.ok || !["hung", "unwritten"].includes(applied.failure.kind)) break;
    await sleep(RETRY_MS);
    applied = await frr.withdraw();
  }
  // Without FRR nothing is announced.
  if (!applied.ok && ["missing", "down"].includes(applied.failure.kind)) {
    return { commands: 0, why: "nothing-there" };
  }
  if (!applied.ok) throw new AppError("REFUSED", applied.failure.message);
  const { commands, refused } = applied.value;
  if (refused !== null) throw new AppError("REFUSED", refused);
  return { commands, why: commands === 0 ? "nothing-there" : "withdrawn" };
}

async function isRunning(client: Pick<ApiClient, "get">): Promise<boolean> {
  try {
    await client.get("/v1/drain");
    return true;
  } catch (thrown) {
    // One that is slow to answer is there all the same.
    return !(thrown instanceof AppError && thrown.code === "DAEMON_UNREACHABLE");
  }
}
