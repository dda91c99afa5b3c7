// Waiting for something that has no event to await: polls with a deadline, and on failure says what
// was seen last, so that a test that timed out explains itself.

import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

export interface EventuallyOptions<T> {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** When the observed value is good enough. Default: it is truthy. */
  readonly until?: (value: T) => boolean;
}

const TIMEOUT_MS_DEFAULT = 5_000;
const INTERVAL_MS_DEFAULT = 20;

/** The first observed value that satisfies `until`. A check that throws counts as not yet. */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  options: EventuallyOptions<T> = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
  const until = options.until ?? Boolean;
  const deadline = performance.now() + timeoutMs;
  let last = "nothing";
  for (;;) {
    try {
      const value = await check();
      if (until(value)) return value;
      last = inspect(value, { depth: 6 });
    } catch (error) {
      if (error instanceof GivenUp) throw error;
      last = error instanceof Error ? error.message : inspect(error);
    }
    if (performance.now() >= deadline) {
      throw new Error(`Timed out after ${timeoutMs} ms waiting for ${what}; last seen: ${last}`);
    }
    await sleep(options.intervalMs ?? INTERVAL_MS_DEFAULT);
  }
}

/** Thrown by a check to end the waiting at once: what is waited for can no longer happen. */
export class GivenUp extends Error {}
