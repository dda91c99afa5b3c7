// The bounds that keep two nodes from owning one VIP, and the inequalities between them. Beacons
// are the failure detector; node Leases are for nodes that beacons do not reach.

import { invariant } from "../core/invariant.ts";
import { beaconIntervalMs, TENURE_MARGIN_MS } from "../core/peer.ts";

export interface Timings {
  /** How long a node Lease stands after a peer *saw* it renewed. */
  readonly leaseDurationMs: number;
  /** The API counts as within reach this long after a successful renewal was *sent*. */
  readonly renewDeadlineMs: number;
  /** Time between two renewals of the node Lease. */
  readonly renewIntervalMs: number;
  /** Time until a failed write is tried again. */
  readonly retryMs: number;
  /** Deadline of one Lease write. */
  readonly writeTimeoutMs: number;
  /** How long peers wait for a beacon: beacon interval times multiplier. */
  readonly holdMs: number;
  /** Of the beacons: what makes the hold longer where there are many nodes. */
  readonly multiplier: number;
  /** An offer to take a VIP over stands for this long; then the next in rank is asked. */
  readonly offerMs: number;
  /** It is said again this often, as a datagram may be lost. */
  readonly offerRepeatMs: number;
  /** When nobody takes what need not go, all are asked again after this. */
  readonly offerAgainMs: number;
  /** Time between two moves that nobody waits for. */
  readonly moveGapMs: number;
  /** A node is there for this long before anything goes back to it. */
  readonly preemptDelayMs: number;
  /** So long the addresses of a Service are on two nodes before they are brought together. */
  readonly reunionDelayMs: number;
  /** A claim is announced this long after it was sent when its write has no answer. */
  readonly claimWaitMs: number;
  /** After the start only VIPs whose Lease names this node are taken for this long. */
  readonly startHoldMs: number;
  /** The k-th in rank claims (k - 1) times this after the first would have. */
  readonly claimStaggerMs: number;
  /** The same for a VIP that nobody had: none misses it yet, and two claims cost more than one. */
  readonly newVipStaggerMs: number;
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
  holdMs: 300,
  multiplier: 3,
  offerMs: 1_000,
  offerRepeatMs: 250,
  offerAgainMs: 5_000,
  moveGapMs: 100,
  preemptDelayMs: 10_000,
  // Longer than an offer stands: both may be on their way to the same node.
  reunionDelayMs: 2_000,
  claimWaitMs: 40,
  startHoldMs: 3_000,
  claimStaggerMs: 30,
  newVipStaggerMs: 200,
  defendIntervalMs: 10_000,
};

/** The hold where that many nodes send beacons, this one included (design, section 4.2). */
export function holdMsFor(timings: Pick<Timings, "holdMs" | "multiplier">, nodes: number): number {
  const { holdMs, multiplier } = timings;
  return multiplier * beaconIntervalMs(holdMs / multiplier, nodes);
}

/** Throws when the bounds do not protect each other: a programmer's error, not an input. */
export function checkTimings(timings: Timings): void {
  const { leaseDurationMs, renewDeadlineMs, renewIntervalMs, retryMs, writeTimeoutMs } = timings;
  invariant(leaseDurationMs > renewDeadlineMs, "leaseDurationMs > renewDeadlineMs");
  invariant(
    renewDeadlineMs > renewIntervalMs + retryMs + writeTimeoutMs,
    "renewDeadlineMs leaves room for one failed renewal",
  );
  invariant(leaseDurationMs > comebackMs(timings), "leaseDurationMs leaves time to come back");
  const longestHoldMs = holdMsFor(timings, Number.POSITIVE_INFINITY);
  invariant(longestHoldMs < renewIntervalMs, "holdMs < renewIntervalMs, with all nodes");
  invariant(timings.claimWaitMs < timings.holdMs, "claimWaitMs < holdMs");
}

/** The defaults, with the hold that the beacons have, and no claim that waits longer than that. */
export function timingsFor(beacons: {
  readonly intervalMs: number;
  readonly multiplier: number;
}): Timings {
  const holdMs = beacons.intervalMs * beacons.multiplier;
  const claimWaitMs = Math.min(DEFAULT_TIMINGS.claimWaitMs, holdMs - TENURE_MARGIN_MS);
  return { ...DEFAULT_TIMINGS, holdMs, multiplier: beacons.multiplier, claimWaitMs };
}
