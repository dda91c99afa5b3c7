// How long to wait before asking the API again: exponential, jittered, capped, and never shorter
// than what the server asked for. Pure; the caller counts the attempts and does the waiting.

import type { Random } from "../core/random.ts";
import { type DurationMs, durationMs } from "../core/time.ts";

export interface BackoffOptions {
  readonly baseMs?: number;
  /** The longest wait of our own choosing. */
  readonly capMs?: number;
  /** What the server asked for (Retry-After); honoured up to `retryAfterMsMax`. */
  readonly retryAfterMs?: number | undefined;
  readonly retryAfterMsMax?: number;
}

const BASE_MS = 200;
const CAP_MS = 10_000;
/** A server (or a proxy in front of it) must not be able to switch us off for hours. */
const RETRY_AFTER_MS_MAX = 60_000;

/** The wait after `attempt` failures before this one (0 = the first), in [half, whole] of 2^n. */
export function backoffMs(
  attempt: number,
  random: Random,
  options: BackoffOptions = {},
): DurationMs {
  const cap = options.capMs ?? CAP_MS;
  // 2^30 is beyond any cap; a larger exponent would only risk infinity.
  const whole = Math.min(cap, (options.baseMs ?? BASE_MS) * 2 ** Math.min(attempt, 30));
  const jittered = whole / 2 + (random() * whole) / 2;
  const asked = Math.min(options.retryAfterMs ?? 0, options.retryAfterMsMax ?? RETRY_AFTER_MS_MAX);
  // A tenth of jitter on top: the server told every node the same.
  return durationMs(asked > jittered ? asked * (1 + random() / 10) : jittered);
}
