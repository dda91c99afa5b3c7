// Tables for people: columns padded to their widest cell, two spaces between.

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string | number;
}

/** The lines of a table with its header; "none" and nothing else when there are no rows. */
export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  if (rows.length === 0) return "none\n";
  const lines = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => String(column.value(row)) || "-")),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((line) => (line[index] ?? "").length)),
  );
  const format = (line: readonly string[]): string =>
    line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ");
  return `${lines.map((line) => format(line).trimEnd()).join("\n")}\n`;
}
