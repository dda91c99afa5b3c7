// Waiting as a port, so that tests need not wait. It resolves early, without an error, on abort.

import { setTimeout as delay } from "node:timers/promises";

/** Resolves after `ms`, or at once when the signal aborts; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export const timerSleep: Sleep = async (ms, signal) => {
  // The only rejection is the abort, which the caller sees on the signal.
  await delay(ms, undefined, { signal }).catch(() => undefined);
};
