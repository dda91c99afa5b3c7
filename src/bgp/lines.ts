// The text of a routing daemon's configuration as a set of lines, each with the blocks that it
// stands in: what is there, what is wanted, and what the one lacks of the other.

/** `in`: the lines that open its blocks, outermost first. */
export interface ConfigLine {
  readonly in: readonly string[];
  readonly line: string;
}

/** Sequence numbers are FRR's own: it counts on by five, and nothing depends on them. */
const SEQUENCE = /^((?:ip|ipv6) prefix-list \S+) seq \d+ /;
const ENDS = new Set(["exit", "exit-address-family", "exit-vrf", "end"]);

/** What `show running-config` prints. A block is what is indented below a line. */
export function parseConfig(text: string): ConfigLine[] {
  const lines: ConfigLine[] = [];
  const open: string[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("!")) continue;
    const depth = raw.length - raw.trimStart().length;
    open.length = Math.min(open.length, depth);
    if (ENDS.has(line)) continue;
    lines.push({ in: [...open], line: line.replace(SEQUENCE, "$1 ") });
    open.push(line);
  }
  return lines;
}

export function keyOf({ in: blocks, line }: ConfigLine): string {
  return [...blocks, line].join("\n");
}

export function setOf(lines: readonly ConfigLine[]): Map<string, ConfigLine> {
  return new Map(lines.map((line) => [keyOf(line), line]));
}

/** Those of `a` that are not in `b`. */
export function without(
  a: readonly ConfigLine[],
  b: ReadonlyMap<string, ConfigLine>,
): ConfigLine[] {
  return a.filter((line) => !b.has(keyOf(line)));
}
