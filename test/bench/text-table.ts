// Text in columns, for people.

/** Columns from `numbers.from` to `numbers.to`, both included, are aligned at the right. */
export function formatColumns(
  lines: readonly (readonly string[])[],
  numbers: { readonly from: number; readonly to: number },
): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const aligned = (cell: string, column: number): string => {
    const isNumber = column >= numbers.from && column <= numbers.to;
    const width = widths[column] ?? 0;
    return isNumber ? cell.padStart(width) : cell.padEnd(width);
  };
  return lines.map((line) => line.map(aligned).join("  ").trimEnd()).join("\n");
}

/** With as many digits as say something. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 1_000) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(4);
}
