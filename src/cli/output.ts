// How an answer is shown: a table for people, JSON or YAML with a versioned schema for programs.
// Data goes to stdout, talk to stderr.

import { stringify } from "yaml";

export const FORMATS = ["table", "json", "yaml"] as const;
export type Format = (typeof FORMATS)[number];

/** The text of an answer in the format asked for. */
export function render<T>(answer: T, format: Format, table: (answer: T) => string): string {
  switch (format) {
    case "json":
      return `${JSON.stringify(answer, null, 2)}\n`;
    case "yaml":
      return stringify(answer);
    case "table":
      return table(answer);
  }
}

/** "3 s", "5 min", "2 h", "4 d". */
export function shortDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_170) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
