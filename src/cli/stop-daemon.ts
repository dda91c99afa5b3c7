// Ends the daemon of this host through systemd, which would otherwise start it again.

import { execFileSync } from "node:child_process";
import { AppError, errorText } from "../core/errors.ts";

const UNIT = "lbd.service";
/** Longer than TimeoutStopSec of the unit. */
const STOP_MS_MAX = 30_000;

/** False: systemd does not run it. Throws AppError REFUSED when it cannot be stopped. */
export function stopUnit(): boolean {
  if (!isActive()) return false;
  try {
    execFileSync("systemctl", ["stop", UNIT], { stdio: "pipe", timeout: STOP_MS_MAX });
    return true;
  } catch (cause) {
    const message = `Cannot stop ${UNIT}: ${errorText(cause).trim()}; see "systemctl status lbd"`;
    throw new AppError("REFUSED", message, { cause });
  }
}

function isActive(): boolean {
  try {
    execFileSync("systemctl", ["is-active", "--quiet", UNIT], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
