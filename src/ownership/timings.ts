// The bounds that keep two nodes from owning one VIP, and the inequalities between them. Until
// beacons exist the failure detector is the node Lease (docs/adr/0004-tenure-before-beacons.md).

import { invariant } from "../core/invariant.ts";

export interface Timings {
  /** How long a node Lease stands after a peer *saw* it renewed. */
  readonly leaseDurationMs: number;
  /** An owner may answer this long after it *sent* its last successful renewal. */
  readonly renewDeadlineMs: number;
  /** Time between two renewals of the node Lease. */
  readonly renewIntervalMs: number;
  /** Time until a failed write is tried again. */
  readonly retryMs: number;
  /** Deadline of one Lease write. */
  readonly writeTimeoutMs: number;
  /** While the API cannot be reached: how far each step of the main loop pushes the tenure. */
  readonly holdOnMs: number;
  /** While the API cannot be reached: time between two such steps. */
  readonly holdOnStepMs: number;
  /** After the start only VIPs whose Lease names this node are taken for this long. */
  readonly startHoldMs: number;
  /** The k-th in rank claims (k - 1) times this after the first would have. */
  readonly claimStaggerMs: number;
  /** RFC 5227 section 2.4(c), DEFEND_INTERVAL: at most one defence in this time. */
  readonly defendIntervalMs: number;
}

/** A live node that can reach the API again has renewed its Lease within this. */
export function comebackMs(timings: Timings): number {
  return timings.retryMs + 2 * timings.writeTimeoutMs;
}

export const DEFAULT_TIMINGS: Timings = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  renewIntervalMs: 5_000,
  retryMs: 1_000,
  writeTimeoutMs: 2_000,
  holdOnMs: 3_000,
  holdOnStepMs: 1_000,
  startHoldMs: 3_000,
  claimStaggerMs: 250,
  defendIntervalMs: 10_000,
};

/** Throws when the bounds do not protect each other: a programmer's error, not an input. */
export function checkTimings(timings: Timings): void {
  const { leaseDurationMs, renewDeadlineMs, renewIntervalMs, retryMs, writeTimeoutMs } = timings;
  invariant(leaseDurationMs > renewDeadlineMs, "leaseDurationMs > renewDeadlineMs");
  invariant(
    renewDeadlineMs > renewIntervalMs + retryMs + writeTimeoutMs,
    "renewDeadlineMs leaves room for one failed renewal",
  );
  invariant(leaseDurationMs > comebackMs(timings), "leaseDurationMs leaves time to come back");
  invariant(timings.holdOnMs > 2 * timings.holdOnStepMs, "holdOnMs > two steps");
  invariant(timings.holdOnMs < leaseDurationMs - renewDeadlineMs, "holdOnMs < the Lease's slack");
}
