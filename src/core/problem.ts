// One thing that is wrong with an input. Parsers return all of them at once, so that an
// administrator mends a file in one go.

export interface Problem {
  /** Where it stands: a key path (`pools[0].name`) or an object (`IPAddressPool "lan"`). */
  readonly where: string;
  /** What was found there, as short text. */
  readonly found: string;
  /** What would be accepted. */
  readonly expected: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function formatProblem(problem: Problem): string {
  return `${problem.where}: found ${problem.found}, expected ${problem.expected}`;
}

/** A value as one short line for a problem's `found`. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
