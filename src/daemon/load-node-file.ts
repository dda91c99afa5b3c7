// Reads the node file; every problem in it is told in one go. A file that was cut off within a line
// is refused; one that was cut between two lines cannot be told from a whole one.

import { readFileSync } from "node:fs";
import type { NodeFile } from "../config/node-file.ts";
import { parseNodeFile } from "../config/node-file.ts";
import { AppError } from "../core/errors.ts";
import { errnoOf, whyUnreadable } from "../core/file-error.ts";
import { formatProblem } from "../core/problem.ts";

/** What to do about a node file that cannot be read. */
const NEXT: Readonly<Record<string, string>> = {
  ENOENT: "write it (a comment is enough, all settings have defaults), or name it with --config",
  ENOTDIR: "name the file with --config",
  EISDIR: "name the file in it with --config",
  EACCES: "run lbd as root, or let this user read it",
  EPERM: "run lbd as root, or let this user read it",
};

/** Throws AppError CONFIG_UNREADABLE or CONFIG_INVALID. */
export function loadNodeFile(path: string, hostName: string): NodeFile {
  const text = readText(path);
  if (text.trim() === "") {
    const message =
      `Cannot use "${path}": the file is empty (half-written?); ` +
      "write at least a comment, all settings have defaults";
    throw new AppError("CONFIG_INVALID", message);
  }
  // "socketGroup: lb" is as valid as "socketGroup: lbd": only the end of the line tells them apart.
  if (!text.endsWith("\n")) {
    const message =
      `Cannot use "${path}": its last line has no line end, so the file may be cut off ` +
      "(half-written?); see whether all of it is there, and end the last line with a newline";
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
    const next = NEXT[errnoOf(cause)];
    const detail = whyUnreadable(cause) + (next === undefined ? "" : `; ${next}`);
    const message = `Cannot read the node file "${path}": ${detail}`;
    throw new AppError("CONFIG_UNREADABLE", message, { cause });
  }
}
