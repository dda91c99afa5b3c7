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

/** JSON leaves these as they are, and some terminals obey them. */
const CONTROLS = /[\u007f-\u009f]/g;

/** A value as one short line for a problem's `found`. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value) ?? String(value);
  const text = json.replaceAll(CONTROLS, escaped);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
