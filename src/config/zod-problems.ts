// Turns what zod found into problems with path, found and expected.

import type { z } from "zod";
import type { Problem } from "../core/problem.ts";
import { showValue } from "../core/problem.ts";

/** All issues of a failed parse; `prefix` says which document the paths belong to. */
export function problemsOf(error: z.ZodError, input: unknown, prefix = ""): Problem[] {
  return error.issues.flatMap((issue) => fromIssue(issue, input, prefix));
}

function fromIssue(issue: z.core.$ZodIssue, input: unknown, prefix: string): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      where: joinPath(prefix, [...issue.path, key]),
      found: "an unknown key",
      expected: "a key that lbd knows (check the spelling)",
    }));
  }
  const found = showValue(valueAt(input, issue.path));
  return [{ where: joinPath(prefix, issue.path), found, expected: expectedBy(issue) }];
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `a value of type ${issue.expected}`;
  if (issue.code === "invalid_value") return issue.values.map((v) => showValue(v)).join(" or ");
  if (issue.code === "too_small") return `at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  return issue.message;
}

function unitOf(origin: string): string {
  return origin === "string" ? " character" : origin === "array" ? " entry" : "";
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function joinPath(prefix: string, path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  if (prefix === "") return text === "" ? "the document" : text;
  return text === "" ? prefix : `${prefix} ${text}`;
}
