// How an answer is shown: a table for people (wide: with more columns, where there are), JSON or
// YAML with a versioned schema for programs. Data goes to stdout, talk to stderr.

import { stringify } from "yaml";

export const FORMATS = ["table", "wide", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];

export interface TableOptions {
  readonly wide: boolean;
}

/** As text for people. */
export type Table<T> = (answer: T, options: TableOptions) => string;

/** The text of an answer in the format asked for. */
export function render<T>(answer: T, format: Format, table: Table<T>): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(answer, null, 2)}\n`;
    case "yaml":
      return stringify(answer);
    case "table":
    case "wide":
      return table(answer, { wide: format === "wide" });
  }
}

/** One of many: programs read them as they come. */
export function renderLine<T>(answer: T, format: Format, text: (answer: T) => string): string {
  if (format === "json") return `${JSON.stringify(answer)}\n`;
  return format === "yaml" ? `---\n${stringify(answer)}` : `${text(answer)}\n`;
}

/** "3 s", "5 min", "2 h", "4 d". */
export function shortDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_170) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
