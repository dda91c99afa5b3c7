// Turns what zod found into problems with path, found and expected. Passwords are never shown.

import type { z } from "zod";
import type { Problem } from "../core/problem.ts";
import { showValue } from "../core/problem.ts";

type Path = readonly PropertyKey[];

const SECRET_KEY = "password";
const HIDDEN = "(not shown)";

/** All issues of a failed parse; `prefix` says which document the paths belong to. */
export function problemsOf(error: z.ZodError, input: unknown, prefix = ""): Problem[] {
  return error.issues.flatMap((issue) =>
    fromIssue(issue, input).map((problem) => ({
      ...problem,
      where: prefix === "" ? problem.where : joined(prefix, problem.where),
    })),
  );
}

/** A problem that a rule beside the schema has found. */
export function problemAt(input: unknown, path: Path, expected: string): Problem {
  return { where: pathText(path), found: foundAt(input, path), expected };
}

function fromIssue(issue: z.core.$ZodIssue, input: unknown): Problem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      where: pathText([...issue.path, key]),
      found: "an unknown key",
      expected: "a key that lbd knows (check the spelling)",
    }));
  }
  return [problemAt(input, issue.path, expectedBy(issue))];
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

function foundAt(input: unknown, path: Path): string {
  const value = valueAt(input, path);
  if (value !== undefined && path.includes(SECRET_KEY)) return HIDDEN;
  return showValue(withoutSecrets(value));
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const hide = (key: string, inner: unknown) => (key === SECRET_KEY ? HIDDEN : inner);
  return JSON.parse(JSON.stringify(value, hide));
}

function valueAt(input: unknown, path: Path): unknown {
  let value: unknown = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function joined(prefix: string, path: string): string {
  return path === "" || path.startsWith("[") ? prefix + path : `${prefix}.${path}`;
}

/** `addresses[0]`; "" for the whole. */
function pathText(path: Path): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}
