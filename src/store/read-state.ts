// What the state file holds, for those who only look while no daemon runs. A copy is opened: SQLite
// would leave files of another user beside the original, which the daemon could not use.

import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Database from "better-sqlite3";
import { AppError, errorText } from "../core/errors.ts";

export interface StateOnDisk {
  /** `PRAGMA user_version`. */
  readonly schema: number;
  /** Newest first; each row by its columns, as its version of lbd wrote it. */
  readonly history: readonly unknown[];
  readonly tenures: readonly unknown[];
  readonly allocations: readonly unknown[];
  /** Values that outlive a restart; there are secrets among them. */
  readonly settings: readonly { readonly name: string; readonly value: Uint8Array }[];
}

const HISTORY_ROWS_MAX = 10_000;

/** Throws AppError STORE_UNAVAILABLE. */
export async function readState(path: string): Promise<StateOnDisk> {
  const folder = mkdtempSync(join(tmpdir(), "lbd-state-"));
  try {
    const copy = join(folder, "state.db");
    // What was written last may stand in the write-ahead log alone.
    for (const suffix of ["", "-wal"]) {
      if (suffix === "" || existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    }
    // Only here: in one bundle with it, every command of lbctl would load SQLite.
    const { default: Sqlite } = await import("better-sqlite3");
    const database = new Sqlite(copy);
    try {
      return stateIn(database);
    } finally {
      database.close();
    }
  } catch (cause) {
    const message = `Cannot read the state file "${path}": ${errorText(cause)}`;
    throw new AppError("STORE_UNAVAILABLE", message, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stateIn(database: Database.Database): StateOnDisk {
  const tables = new Set(
    database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all(),
  );
  // A file of an older lbd may lack some.
  const all = (table: string, rest: string): readonly unknown[] =>
    tables.has(table) ? database.prepare(`SELECT * FROM ${table} ${rest}`).all() : [];
  const settings = all("setting", "") as readonly { name: string; value: unknown }[];
  return {
    schema: Number(database.pragma("user_version", { simple: true })),
    history: all("history", `ORDER BY id DESC LIMIT ${HISTORY_ROWS_MAX}`),
    tenures: all("tenure", "ORDER BY address"),
    allocations: all("allocation", "ORDER BY address"),
    settings: settings.flatMap(({ name, value }) =>
      value instanceof Uint8Array ? [{ name, value }] : [],
    ),
  };
}
