// Lengths as a ratchet: what is too long today is listed in ratchet.json with its length, and may
// only get shorter; everything else keeps to the cap.

export interface Length {
  /** A file, or "file#function". */
  readonly name: string;
  readonly lines: number;
}

/** Lengths above the cap that are not listed so, and entries that are no longer true. */
export function ratchetProblems(
  lengths: readonly Length[],
  rule: { readonly linesMax: number; readonly listed: Readonly<Record<string, number>> },
): readonly string[] {
  const actual = new Map<string, number>();
  for (const { name, lines } of lengths) actual.set(name, Math.max(lines, actual.get(name) ?? 0));
  const grown = [...actual]
    .filter(([name, lines]) => lines > Math.max(rule.linesMax, rule.listed[name] ?? 0))
    .map(([name, lines]) => `${name}: ${lines} lines, at most ${limitOf(name, rule)}`);
  const shrunk = Object.entries(rule.listed)
    .filter(([name, lines]) => (actual.get(name) ?? 0) < lines)
    .map(([name]) => `${name}: listed too long, now ${actual.get(name) ?? 0} lines; ${advice}`);
  return [...grown, ...shrunk];
}

const advice = "lower the entry of test/repo/ratchet.json, or remove it";

function limitOf(
  name: string,
  rule: { readonly linesMax: number; readonly listed: Readonly<Record<string, number>> },
): number {
  return rule.listed[name] ?? rule.linesMax;
}
