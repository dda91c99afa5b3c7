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
  /** The change is written down before the grant; the grant is gone before the release. */
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
  /** After healing exactly one node answers, and goes on doing so. */
  "one-after-healing",
  /** Two leaders never lead at one moment. */
  "one-leader",
] as const;

export type Invariant = (typeof INVARIANTS)[number];

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant}: ${detail}`);
    this.invariant = invariant;
  }
}
