// Sentences in lines that fit a terminal.

/** What every terminal has. */
const COLUMNS = 80;

/** The lines of a text, each after the indentation; a word is never cut. */
export function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    const longer = line === indent ? line + word : `${line} ${word}`;
    if (longer.length > COLUMNS && line !== indent) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line];
}
