// The node file as lbctl's own commands need it: who this node is, and where its files are.

import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type NodeFile, parseNodeFile } from "../config/node-file.ts";
import { AppError } from "../core/errors.ts";
import { whyUnreadable } from "../core/file-error.ts";
import { formatProblem } from "../core/problem.ts";

export const NODE_FILE = "/etc/lbd/config.yaml";

/** Without the file all settings have their defaults. Throws AppError USAGE. */
export function nodeSettings(path: string): NodeFile {
  const parsed = parseNodeFile(textOf(path), hostname());
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.map((problem) => `  ${formatProblem(problem)}`);
  throw new AppError("USAGE", `Cannot use "${path}":\n${lines.join("\n")}`);
}

function textOf(path: string): string {
  if (path === NODE_FILE && !existsSync(path)) return "";
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `Cannot read the node file "${path}": ${whyUnreadable(cause)}`;
    throw new AppError("USAGE", message, { cause });
  }
}
