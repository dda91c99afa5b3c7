// A broken promise, with its name.

export const INVARIANTS = [
  /** Nobody answers beyond what its last beacon allows. */
  "tenure",
  /** Who starts, or slept past its tenure, listens before it answers. */
  "wakes-up-silent",
  /** Who answers and can write is named by the record. */
  "named-by-record",
  /** Two that hear each other do not both answer for longer than the stated bound. */
  "one-answers",
  /** The record's epochs only grow, and no epoch has two owners. */
  "epochs-grow",
  /** Each grant has one cause, written down before; it is gone before the release. */
  "effects-in-order",
  /** A step at a deadline moves the deadline. */
  "no-busy-loop",
  /** Nothing throws. */
  "no-throw",
  /** While an owner stops in an orderly way, somebody answers at every moment. */
  "handed-over",
  /** Nobody becomes owner that was drained before. */
  "drained-takes-nothing",
  /** A restart of the owner's daemon moves nothing, and somebody tells where the owner is. */
  "restart-keeps",
  /** An owner that dies while all is well is replaced within the detection time and a little. */
  "replaced-in-time",
  /** No VIP is taken from an owner that answers and is heard, or by a node that is cut off. */
  "no-needless-move",
  /** Where one node alone answers, a client that it reaches sends there soon. */
  "cache-follows",
  /** After the last frame of a foreign host that uses a VIP, its owner announces it. */
  "conflict-answered",
  /** An owner that does not answer on the wire loses the VIP to one that does. */
  "mute-replaced",
  /** With nothing going on each node renews its own Lease, and nobody writes anything else. */
  "api-budget",
  /** After healing both addresses of a Service are with one node. */
  "together",
  /** After healing exactly one node answers, and goes on doing so. */
  "one-after-healing",
] as const;

export type Invariant = (typeof INVARIANTS)[number];

/** Those that hold at every step, whatever happens; for the others there must be an occasion. */
const ALWAYS: readonly Invariant[] = ["effects-in-order", "no-busy-loop", "no-throw"];

/** How often each promise could have been broken: one that never could proves nothing. */
export type Occasions = Record<string, number>;

export function noOccasions(): Occasions {
  const asked = INVARIANTS.filter((invariant) => !ALWAYS.includes(invariant));
  return Object.fromEntries(asked.map((invariant) => [invariant, 0]));
}

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}
