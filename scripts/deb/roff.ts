// A manual page from a small part of Markdown: headings of two and three signs, paragraphs, terms
// with meanings (": " before the lines of the meaning), lists with "-", lines indented by four
// spaces as they are, and `bold` and *italic* words.

export interface PageHead {
  readonly name: string;
  readonly section: number;
  readonly date: string;
  readonly version: string;
}

export function manPage(head: PageHead, markdown: string): string {
  const { name, section, date, version } = head;
  const title = `.TH "${name.toUpperCase()}" "${section}" "${date}" "lbd ${version}" "lbd"`;
  // Not hyphenated, and not stretched to the right edge: names and commands stay whole.
  return `${[title, ".nh", ".ad l", ...blocksOf(markdown).map(blockToRoff)].join("\n")}\n`;
}

function blocksOf(markdown: string): readonly string[] {
  const blocks = markdown.split(/\n\s*\n/).map((block) => block.replace(/\s+$/, ""));
  return blocks.map((block) => block.replace(/^\n+/, "")).filter((block) => block.trim() !== "");
}

function blockToRoff(block: string): string {
  const lines = block.split("\n");
  const first = lines[0] ?? "";
  if (first.startsWith("### ")) return `.SS "${heading(first.slice(4))}"`;
  if (first.startsWith("## ")) return `.SH "${heading(first.slice(3))}"`;
  if (lines.every((line) => line.startsWith("    "))) return literal(lines);
  if (first.startsWith("- ")) return items(lines).map(bullet).join("\n");
  const start = lines.findIndex((line) => line.startsWith(": "));
  if (start < 0) return `.PP\n${prose(lines)}`;
  const meaning = lines.slice(start).map((line) => line.replace(/^: /, ""));
  return `.TP\n${prose(lines.slice(0, start))}\n${prose(meaning)}`;
}

function literal(lines: readonly string[]): string {
  return [".PP", ".RS 4", ".nf", ...lines.map((line) => plain(line.slice(4))), ".fi", ".RE"].join(
    "\n",
  );
}

/** Each with the lines that it goes on in. */
function items(lines: readonly string[]): readonly string[] {
  return lines.join("\n").split(/^- /m).filter(Boolean);
}

function bullet(item: string): string {
  return `.IP \\(bu 2\n${prose(item.split("\n").map((line) => line.trim()))}`;
}

/** A command or a name in bold, what stands for something else in italics. */
function prose(lines: readonly string[]): string {
  const text = lines.map((line) => line.trim()).join("\n");
  const parts = text.split(/(`[^`]+`|(?<![\w*])\*[^*\n]+\*(?!\w))/);
  const styled = parts.map((part) => {
    if (part.startsWith("`")) return `\\fB${escaped(part.slice(1, -1), "\\-")}\\fP`;
    if (/^\*.+\*$/.test(part)) return `\\fI${escaped(part.slice(1, -1), "\\-")}\\fP`;
    return escaped(part, "-");
  });
  return guarded(styled.join(""));
}

function plain(line: string): string {
  return guarded(escaped(line, "\\-"));
}

function escaped(text: string, hyphen: string): string {
  const ascii = text.replaceAll("\\", "\\e").replaceAll("-", hyphen).replaceAll("~", "\\(ti");
  return ascii.replaceAll("^", "\\(ha").replaceAll("'", "\\(aq").replaceAll('"', "\\(dq");
}

/** A line that begins with a point would be a request. */
function guarded(text: string): string {
  return text.replaceAll(/^\./gm, "\\&.");
}

function heading(text: string): string {
  return escaped(text.replaceAll("`", ""), "\\-");
}
