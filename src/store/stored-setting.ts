// One setting of a state file that no daemon has open, for lbctl. Changes nothing.

import { existsSync } from "node:fs";
import Database from "better-sqlite3";

/** Null: it is not there, or cannot be read now. */
export function storedSetting(path: string, name: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 500 });
    try {
      const select = database.prepare("SELECT value FROM setting WHERE name = ?").pluck();
      const value: unknown = select.get(name);
      return Buffer.isBuffer(value) ? value.toString("utf8") : null;
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}
