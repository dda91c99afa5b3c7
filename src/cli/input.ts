// The files that commands are given.

import { readFileSync } from "node:fs";
import { AppError } from "../core/errors.ts";
import { whyUnreadable } from "../core/file-error.ts";

/** In place of a file's name. */
export const STDIN = "-";
const STDIN_FD = 0;

/** The text of the file. Throws AppError USAGE. */
export function readInput(file: string): string {
  try {
    return readFileSync(file === STDIN ? STDIN_FD : file, "utf8");
  } catch (cause) {
    throw new AppError("USAGE", `Cannot read "${file}": ${whyUnreadable(cause)}`, { cause });
  }
}
