// Waits for what a command has set going, by looking again and again.

import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 100;

/** The first value that is `enough`, or the last one after so many milliseconds of waiting. */
export async function lookUntil<T>(
  look: () => Promise<T>,
  enough: (value: T) => boolean,
  timeoutMs: number,
): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const value = await look();
    if (enough(value) || waitedMs >= timeoutMs) return value;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Seconds as given to an option, in milliseconds; null: no number of them. */
export function millisecondsOf(seconds: string): number | null {
  const number = Number(seconds);
  return seconds.trim() !== "" && Number.isFinite(number) && number >= 0 ? number * 1_000 : null;
}
