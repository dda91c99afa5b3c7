// How the nodes of a simulated cluster are set up, and the bounds that follow from it. All nodes
// have the same settings, as docs/ownership.md asks for.

import { HOST_MISSES } from "../../../src/beacon/host-watch.ts";
import { type Timings, timingsFor } from "../../../src/ownership/timings.ts";
import { ROUND_MS, SILENT_ROUNDS_MAX } from "../../../src/ownership/wire-truth.ts";
import type { Prng } from "./prng.ts";

export interface Settings {
  readonly intervalMs: number;
  readonly multiplier: number;
  /** 0: a restart is a stop. */
  readonly restartHoldMs: number;
  readonly preempt: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  intervalMs: 100,
  multiplier: 3,
  restartHoldMs: 10_000,
  preempt: false,
};

/** What src/config/node-file.ts takes. */
const LIMITS = {
  intervalMs: [20, 1_000],
  multiplier: [2, 10],
  holdMs: 4_000,
  restartHoldMs: 60_000,
} as const;

/** Any that are valid, short intervals as often as long ones. */
export function drawSettings(prng: Prng): Settings {
  const [shortestMs, longestMs] = LIMITS.intervalMs;
  const intervalMs = Math.round(shortestMs * (longestMs / shortestMs) ** prng.float());
  const [least, most] = LIMITS.multiplier;
  const multiplier = prng.int(least, Math.min(most, Math.floor(LIMITS.holdMs / intervalMs)));
  const leastMs = intervalMs * (multiplier + 2) + 500;
  const restartHoldMs = prng.pick([
    0,
    leastMs + prng.int(0, 5_000),
    DEFAULT_SETTINGS.restartHoldMs,
    prng.int(leastMs, LIMITS.restartHoldMs),
  ]);
  return { intervalMs, multiplier, restartHoldMs, preempt: prng.chance(0.5) };
}

export function timingsOf(settings: Settings): Timings {
  return timingsFor(settings);
}

export interface Bounds {
  /** So many true ms a node's ms takes at most. */
  readonly slow: number;
  /** So many of its ms pass in a true one at most. */
  readonly fast: number;
  /** Two that hear each other both answer for no longer than this. */
  readonly doubleMs: number;
  /** With nothing changed on the wire for this long, all that it led to has happened. */
  readonly quietMs: number;
  /** Between two defences against a foreign host. */
  readonly defendMs: number;
  /** An owner that does not answer on the wire loses what it has. */
  readonly muteMs: number;
  /** With the API in reach an owner's record names it after this. */
  readonly recordMs: number;
  /** A dead owner is replaced. */
  readonly replacedMs: number;
  /** One whose host dies while its daemon restarts is replaced. */
  readonly missedMs: number;
  /** One whose daemon does not come back from a restart is replaced. */
  readonly restartMs: number;
  /** So long a process may be away that is to find its VIPs again; below 0: none may. */
  readonly awayMs: number;
  /** A node that was started is heard, past its start hold, and has back what it gets back. */
  readonly settleMs: number;
  /** The Lease of a node that does not come back, its confirmation, claims that are repeated. */
  readonly healMs: number;
}

/** What it announces at 0, 1 and 2 s, and the second after that. */
const DEFERRED_MS = 3_200;

/** Threads, frames, staggered claims, and the write or its deadline. */
const CLAIM_MS = 235;
/** The tables are exchanged, and messages go between threads. */
const EXCHANGE_MS = 280;
/** Requests that are repeated, a complaint, a claim. */
const MUTE_MS = 2_000;
/** Retries, a list, a rewrite. */
const RECORD_MS = 19_000;
/** A start hold, and a list of everything. */
const SETTLE_MS = 7_000;
const HEAL_MS = 44_000;
/** The moves of all VIPs, one after the other, one of which is offered twice. */
const PREEMPT_MS = 6_000;

/** Clocks run within 1 +- `rateError` of true time. */
export function boundsOf(settings: Settings, nodes: number, rateError: number): Bounds {
  const { intervalMs, restartHoldMs, preempt } = settings;
  const timings = timingsOf(settings);
  const { holdMs, claimStaggerMs, claimWaitMs, preemptDelayMs } = timings;
  const slow = 1 / (1 - rateError);
  const fast = 1 / (1 + rateError);
  const replacedMs = holdMs * slow + CLAIM_MS;
  const returnMs = preempt ? preemptDelayMs * slow + PREEMPT_MS : 0;
  const isHeardAgainMs = (intervalMs + (nodes - 1) * claimStaggerMs + claimWaitMs) * slow + 10;
  return {
    slow,
    fast: 1 + rateError,
    doubleMs: 4 * intervalMs * slow + EXCHANGE_MS,
    quietMs: Math.max(0.9 * holdMs, isHeardAgainMs),
    // A peer that announces, too, puts it off until the caches take another's word again.
    defendMs: (timings.defendIntervalMs + DEFERRED_MS) * slow,
    muteMs: (SILENT_ROUNDS_MAX + 1) * ROUND_MS * slow + MUTE_MS,
    recordMs: RECORD_MS + 3 * holdMs * slow,
    replacedMs,
    missedMs: (HOST_MISSES + 2) * intervalMs * slow + CLAIM_MS,
    restartMs: holdMs + Math.max(restartHoldMs, holdMs) * slow + replacedMs - holdMs * fast,
    // It listens for a hold before its first beacon; the last one before was an interval ago.
    awayMs: restartHoldMs * fast - (holdMs + 2 * intervalMs) * slow - 100,
    settleMs: SETTLE_MS + 3 * holdMs * slow + returnMs,
    healMs: HEAL_MS + 4 * holdMs * slow + returnMs,
  };
}
