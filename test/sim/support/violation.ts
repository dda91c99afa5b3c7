// A broken promise, with its name.

export const INVARIANTS = [
  /** Nobody answers beyond what its last renewal or its running main loop allows. */
  "tenure",
  /** Who slept past its tenure answers nothing before it has read all records. */
  "wakes-up-silent",
  /** Who answers is named by the record, unless it is cut off from the API. */
  "named-by-record",
  /** Of two that answer and hear each other, the one that is cut off ends with the first frame. */
  "yields-when-heard",
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
