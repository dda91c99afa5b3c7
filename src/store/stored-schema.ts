// Which schema a state file has, without opening it as a database: the daemon that runs holds it,
// and whoever replaces that daemon wants to know before it ends.

import { closeSync, openSync, readSync } from "node:fs";
import { AppError } from "../core/errors.ts";
import { MIGRATIONS } from "./migrations.ts";

/** SQLite file format, 1.3: the header, the magic it begins with, where `user_version` is. */
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
const USER_VERSION_OFFSET = 60;

/** `PRAGMA user_version` of the file at `path`; null: there is none that this user may see. */
export function storedSchema(path: string): number | null {
  const header = Buffer.alloc(HEADER_BYTES);
  try {
    const file = openSync(path, "r");
    try {
      readSync(file, header);
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
  const isDatabase = header.toString("latin1", 0, MAGIC.length) === MAGIC;
  return isDatabase ? header.readUInt32BE(USER_VERSION_OFFSET) : null;
}

/** Throws AppError STORE_UNAVAILABLE when this lbd is too old for a file with that schema. */
export function refuseNewer(path: string, schema: number): void {
  if (schema <= MIGRATIONS.length) return;
  const message =
    `Cannot use "${path}": it was written by a newer lbd (schema ${schema}, this one knows ` +
    `${MIGRATIONS.length}); install that version again, or move the file away`;
  throw new AppError("STORE_UNAVAILABLE", message);
}
