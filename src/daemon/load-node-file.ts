// Reads the node file; every problem in it is told in one go.

import { readFileSync } from "node:fs";
import type { NodeFile } from "../config/node-file.ts";
import { parseNodeFile } from "../config/node-file.ts";
import { AppError, errorText } from "../core/errors.ts";
import { formatProblem } from "../core/problem.ts";

/** Throws AppError CONFIG_UNREADABLE or CONFIG_INVALID. */
export function loadNodeFile(path: string, hostName: string): NodeFile {
  const text = readText(path);
  if (text.trim() === "") {
    const message =
      `Cannot use "${path}": the file is empty (half-written?); ` +
      "write at least a comment, all settings have defaults";
    throw new AppError("CONFIG_INVALID", message);
  }
  const parsed = parseNodeFile(text, hostName);
  if (parsed.ok) return parsed.value;
  const lines = parsed.problems.map((problem) => `  ${formatProblem(problem)}`);
  const message = `Cannot use "${path}": ${lines.length} to mend:\n${lines.join("\n")}`;
  throw new AppError("CONFIG_INVALID", message);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const message = `Cannot read the node file: ${errorText(cause)}`;
    throw new AppError("CONFIG_UNREADABLE", message, { cause });
  }
}
