// Flags of other programs' command lines, as Go's flag package takes them: one or two hyphens, the
// value behind "=" or as the next word.

/** The value of the flag, "" where it has none; null: it is not given. */
export function flagValue(argumentList: readonly string[], name: string): string | null {
  for (const [index, argument] of argumentList.entries()) {
    const [, key, value] = /^--?([a-z0-9-]+)(?:=(.*))?$/s.exec(argument) ?? [];
    if (key !== name) continue;
    if (value !== undefined) return value;
    const next = argumentList[index + 1] ?? "-";
    return next.startsWith("-") ? "" : next;
  }
  return null;
}
