// Opens the state file and brings its schema up to date. A damaged file is moved aside, never
// deleted; one that cannot be written at all is replaced by memory, so that a full disk stops no
// traffic. What was done is returned as a notice for the operator.

import { existsSync, mkdirSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import { AppError, errorText } from "../core/errors.ts";
import type { WallMs } from "../core/time.ts";
import { MIGRATIONS } from "./migrations.ts";
import { refuseNewer } from "./stored-schema.ts";

export interface OpenedDatabase {
  readonly database: Database.Database;
  /** What went wrong on the way and what it means, or null. */
  readonly notice: string | null;
}

/** Throws AppError ALREADY_RUNNING or STORE_UNAVAILABLE (the file is of a newer lbd). */
export function openDatabase(path: string, now: WallMs): OpenedDatabase {
  try {
    // Not recursive: Node 26 never returns from that on a file system that knows no folders.
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 });
    return { database: openFile(path), notice: null };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    if (isDamaged(thrown)) return openAfterDamage(path, now, thrown);
    return openInMemory(path, thrown);
  }
}

function openAfterDamage(path: string, now: WallMs, damage: unknown): OpenedDatabase {
  const aside = `${path}.damaged-${new Date(now).toISOString().replace(/[:.]/g, "-")}`;
  try {
    for (const suffix of ["", "-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    }
    const what = errorText(damage).replaceAll(/\s+/g, " ");
    const notice =
      `The state file was damaged (${what}). It was moved to "${aside}" and is ` +
      "being rebuilt from the API; only the history is lost";
    return { database: openFile(path), notice };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    return openInMemory(path, thrown);
  }
}

function openInMemory(path: string, cause: unknown): OpenedDatabase {
  const database = new Database(":memory:");
  migrate(database, ":memory:");
  const notice =
    `The state file "${path}" cannot be used (${errorText(cause)}). State is kept in memory ` +
    "only and is lost at a restart: mend the disk, then restart lbd";
  return { database, notice };
}

function openFile(path: string): Database.Database {
  const database = new Database(path, { timeout: 500 });
  try {
    // One daemon a host: the lock is held until the process ends, however it ends.
    database.pragma("locking_mode = EXCLUSIVE");
    database.pragma("journal_mode = WAL");
    // A row of history lost in a power failure is no harm; a slow disk in the way of a claim is.
    database.pragma("synchronous = NORMAL");
    database.exec("BEGIN IMMEDIATE; COMMIT");
    const check: unknown = database.pragma("quick_check(1)", { simple: true });
    if (check !== "ok") throw new DamagedError(String(check));
    migrate(database, path);
    checkSchema(database);
    return database;
  } catch (thrown) {
    database.close();
    if (sqliteCode(thrown).startsWith("SQLITE_BUSY")) {
      const message = `Cannot open "${path}": another lbd is running on this host and holds it`;
      throw new AppError("ALREADY_RUNNING", message, { cause: thrown });
    }
    throw thrown;
  }
}

function migrate(database: Database.Database, path: string): void {
  const done = Number(database.pragma("user_version", { simple: true }));
  refuseNewer(path, done);
  if (done === MIGRATIONS.length) return;
  const run = database.transaction(() => {
    for (const step of MIGRATIONS.slice(done)) database.exec(step);
    database.pragma(`user_version = ${MIGRATIONS.length}`);
  });
  run();
  // Into the file itself, where storedSchema() looks.
  database.pragma("wal_checkpoint(PASSIVE)");
}

/** A flipped bit in the name of a column passes SQLite's own check, and fails every query. */
function checkSchema(database: Database.Database): void {
  const fresh = new Database(":memory:");
  migrate(fresh, ":memory:");
  const isSame = schemaOf(database) === schemaOf(fresh);
  fresh.close();
  if (!isSame) throw new DamagedError("its tables are not those of lbd");
}

function schemaOf(database: Database.Database): string {
  const select = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name";
  return JSON.stringify(database.prepare(select).all());
}

class DamagedError extends Error {}

function isDamaged(thrown: unknown): boolean {
  const code = sqliteCode(thrown);
  return thrown instanceof DamagedError || /^SQLITE_(NOTADB|CORRUPT)/.test(code);
}

function sqliteCode(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
