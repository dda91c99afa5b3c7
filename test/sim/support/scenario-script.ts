// The text of a scenario: comments and commands, `----`, then what happened, up to an empty line;
// then more of the same. What a command means is not known here.

export interface Command {
  /** In the file, from 1. */
  readonly line: number;
  readonly name: string;
  /** What follows the name, with single spaces. */
  readonly rest: string;
}

export interface Block {
  /** As written, with comments and empty lines. */
  readonly head: readonly string[];
  readonly commands: readonly Command[];
}

const RULE = "----";

/** The blocks without their traces; what comes last may have no `----` yet. */
export function parseScript(text: string): Block[] {
  const blocks: Block[] = [];
  let head: string[] = [];
  let isTrace = false;
  let firstLine = 1;
  const lines = text.trimEnd().split("\n");
  for (const [index, line] of [...lines, ""].entries()) {
    const isLast = index === lines.length;
    if (isTrace && line !== "" && !isLast) continue;
    if (line === RULE) isTrace = true;
    else if (isTrace || isLast) {
      if (head.length > 0) blocks.push({ head, commands: commandsOf(head, firstLine) });
      head = [];
      isTrace = false;
      firstLine = index + 2;
    } else head.push(line);
  }
  return blocks;
}

/** The text of the blocks with a trace each. */
export function formatScript(blocks: readonly Block[], traces: readonly (readonly string[])[]) {
  const texts = blocks.map(({ head }, index) => [...head, RULE, ...(traces[index] ?? [])]);
  return `${texts.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function commandsOf(head: readonly string[], firstLine: number): Command[] {
  return head.flatMap((text, index) => {
    const [name = "", ...rest] = text.trim().split(/\s+/);
    if (name === "" || name.startsWith("#")) return [];
    return [{ line: firstLine + index, name, rest: rest.join(" ") }];
  });
}
