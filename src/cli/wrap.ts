// Sentences in lines that fit the terminal.

import { columns } from "./terminal.ts";

/**
 * The lines of a text, the first after `indent`, the others after `more`; a word is never cut, and
 * spaces in a row stay as they are where no line ends.
 */
export function wrapped(text: string, indent: string, more = indent, width = columns()): string[] {
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    if (longer.length > width && !isEmpty) {
      lines.push(line);
      line = more + word;
    } else line = longer;
    isEmpty = false;
  }
  return [...lines, line];
}
