// Doubt of what is known of a record: it may be acted on only after a read that was *sent* after
// the doubt arose. An answer that was on its way then may be older than what raised it.

/** How many reads must end first: 0: none; 2: the one in flight, and one after it. */
export type Doubt = 0 | 1 | 2;

export function newDoubt(isReading: boolean): Doubt {
  return isReading ? 2 : 1;
}

/** What is left after a read has ended, with an answer or without. */
export function doubtAfterRead(doubt: Doubt, hasAnswer: boolean): Doubt {
  if (doubt === 2) return 1;
  return hasAnswer ? 0 : doubt;
}
