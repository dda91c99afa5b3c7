// Whether a daemon that gave no answer may be one that restarts.

import { AppError } from "../core/errors.ts";

export function isAway(thrown: unknown): thrown is AppError {
  if (!(thrown instanceof AppError)) return false;
  return thrown.code === "DAEMON_UNREACHABLE" || thrown.code === "DAEMON_TIMEOUT";
}
