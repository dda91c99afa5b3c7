// The node's memory: what was synced, who owned what, and every change of owner with its cause.
// The one module that knows SQL. A write that fails is reported, not thrown: a full disk must not
// stop an address from being answered.

import { statSync } from "node:fs";
import type Database from "better-sqlite3";
import { AppError, errorText } from "../core/errors.ts";
import type { WallMs } from "../core/time.ts";
import { openDatabase } from "./open-database.ts";

/** Rows of history that are kept; older ones go first. */
export const HISTORY_ROWS_MAX = 10_000;
/** Freed addresses that are remembered; those freed longest ago go first. */
export const FREED_ROWS_MAX = 10_000;
/** What can be read again from the API is written after this, with what else there is by then. */
const DEFER_MS = 100;
/** The bounds are enforced once in this many rows. */
const PRUNE_EVERY_ROWS = 200;

export type SnapshotKind =
  | "service"
  | "node"
  | "pool"
  | "advertisement"
  | "bgp-peer"
  | "bgp-advertisement"
  | "bfd-profile"
  | "community"
  | "config-map";

export interface HistoryRow {
  readonly at: WallMs;
  readonly address: string;
  /**
   * `gained` and `lost`: this node; `moved`: seen of others; `conflict`: another host answered;
   * `wire`: who answers for another node's VIP is not who should, or is again.
   */
  readonly change: "gained" | "lost" | "moved" | "conflict" | "wire";
  /** The node that the row is about, or null. */
  readonly node: string | null;
  readonly epoch: number;
  readonly cause: string;
  readonly detail: string;
}

/** Which rows of the history are wanted: those that fit all that is given. */
export interface HistoryFilter {
  readonly address?: string | undefined;
  /** The node that the row is about. */
  readonly node?: string | undefined;
  readonly since?: WallMs | undefined;
  /** The newest so many. */
  readonly limit: number;
}

export interface TenureRow {
  readonly address: string;
  readonly owner: string | null;
  readonly epoch: number;
}

export interface AllocationRow {
  readonly address: string;
  readonly service: string;
  readonly pool: string;
}

export interface FreedRow {
  readonly address: string;
  /** The last Service that had it. */
  readonly service: string;
  readonly at: WallMs;
}

export interface ServiceChange {
  readonly key: string;
  /** The Service, or null when it is gone. */
  readonly object: unknown;
  readonly allocations: readonly { readonly address: string; readonly pool: string }[];
}

export class Store {
  readonly #database: Database.Database;
  /** What was found at the start (a damaged file, no disk), or null. */
  readonly notice: string | null;
  #failure: AppError | null = null;
  /** The first row prunes: a daemon that restarts often would not get to it otherwise. */
  #rowsSincePrune = PRUNE_EVERY_ROWS - 1;
  #freedSincePrune = PRUNE_EVERY_ROWS - 1;

  /** What is to be written with the next thing that is. */
  #deferred: (() => void)[] = [];
  #deferredTimer: NodeJS.Timeout | undefined;

  /** By their SQL: preparing takes longer than running. */
  readonly #statements = new Map<string, Database.Statement>();

  private constructor(database: Database.Database, notice: string | null) {
    this.#database = database;
    this.notice = notice;
  }

  /** Throws AppError ALREADY_RUNNING or STORE_UNAVAILABLE. */
  static open(path: string, now: WallMs): Store {
    const { database, notice } = openDatabase(path, now);
    return new Store(database, notice);
  }

  /** Why the last write failed, or null when it succeeded. */
  failure(): AppError | null {
    return this.#failure;
  }

  /** Of its files, the write-ahead log included; 0 when it is in memory, for want of a disk. */
  bytes(): number {
    const { name, memory } = this.#database;
    const files = memory ? [] : [name, `${name}-wal`];
    const sizes = files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  close(): void {
    this.#writeDeferred();
    this.#database.close();
  }

  /** What `work` writes is written together: many changes cost little more than one. */
  atOnce(work: () => void): void {
    this.#write("the changes", work);
  }

  /** Replaces all objects of a kind; `objects` by key. */
  saveSnapshot(kind: SnapshotKind, objects: ReadonlyMap<string, unknown>): void {
    this.#write("the cluster's state", () => {
      this.#statement("DELETE FROM snapshot WHERE kind = ?").run(kind);
      const insert = this.#statement("INSERT INTO snapshot VALUES (?, ?, ?)");
      for (const [key, object] of objects) insert.run(kind, key, JSON.stringify(object));
    });
  }

  /** What cannot be read (SQLite does not notice a flipped bit in a text) is left out. */
  snapshot(kind: SnapshotKind): Map<string, unknown> {
    this.#writeDeferred();
    const rows = this.#statement(
      "SELECT key, object FROM snapshot WHERE kind = ? ORDER BY key",
    ).all(kind) as { key: string; object: string }[];
    return new Map(rows.flatMap(({ key, object }) => parsed(key, object)));
  }

  /**
   * Services that changed (null: removed), each with the addresses that it has. What none of them
   * has any more is remembered as freed `at` that time.
   */
  saveServices(changes: readonly ServiceChange[], at: WallMs): void {
    this.#defer(() => {
      const had = changes.flatMap(({ key }) => this.#allocationsOf(key));
      for (const change of changes) this.#saveService(change);
      for (const { address, service } of had) this.#saveFreed({ address, service, at });
    });
  }

  /** Addresses that no Service has, and which one had it last; the latest first. */
  freed(): FreedRow[] {
    this.#writeDeferred();
    const select = "SELECT address, service, at FROM freed ORDER BY at DESC";
    const rows = this.#statement(select).all() as FreedRow[];
    // SQLite does not notice a flipped bit in the type of a value.
    return rows.filter(
      ({ address, service, at }) =>
        typeof address === "string" && typeof service === "string" && Number.isFinite(at),
    );
  }

  allocations(): AllocationRow[] {
    this.#writeDeferred();
    const select = "SELECT address, service, pool FROM allocation ORDER BY address";
    return this.#statement(select).all() as AllocationRow[];
  }

  /** As recordChange(), of what others did: it is read again after a crash. */
  recordObserved(row: HistoryRow): void {
    this.#defer(() => this.#saveChange(row));
  }

  /** Writes a change of owner and the tenure that follows from it, or neither. */
  recordChange(row: HistoryRow): void {
    this.#write("the history", () => this.#saveChange(row));
  }

  #saveChange(row: HistoryRow): void {
    const { at, address, change, node, epoch, cause, detail } = row;
    this.#statement(
      "INSERT INTO history (at, address, change, node, epoch, cause, detail) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
    ).run(at, address, change, node, epoch, cause, detail);
    if (change !== "conflict" && change !== "wire") this.#saveTenure(row);
    this.#prune();
  }

  forgetTenure(address: string): void {
    this.#write("the tenures", () => {
      this.#statement("DELETE FROM tenure WHERE address = ?").run(address);
    });
  }

  tenures(): TenureRow[] {
    this.#writeDeferred();
    const select = "SELECT address, owner, epoch FROM tenure ORDER BY address";
    return this.#statement(select).all() as TenureRow[];
  }

  /** Newest first. */
  history({ address, node, since, limit }: HistoryFilter): HistoryRow[] {
    this.#writeDeferred();
    const wanted = [
      ...(address === undefined ? [] : [["address = ?", address] as const]),
      ...(node === undefined ? [] : [["node = ?", node] as const]),
      ...(since === undefined ? [] : [["at >= ?", since] as const]),
    ];
    const where = wanted.length === 0 ? "" : `WHERE ${wanted.map(([text]) => text).join(" AND ")}`;
    const columns = "SELECT at, address, change, node, epoch, cause, detail FROM history";
    const values = wanted.map(([, value]) => value);
    const statement = this.#statement(`${columns} ${where} ORDER BY id DESC LIMIT ?`);
    return statement.all(...values, limit) as HistoryRow[];
  }

  /** Replaces the value of that name. */
  saveSetting(name: string, bytes: Uint8Array): void {
    this.#write("a setting", () => {
      this.#statement("INSERT OR REPLACE INTO setting VALUES (?, ?)").run(name, bytes);
    });
  }

  /** Null: never saved, or not bytes any more (a flipped bit in the type of the value). */
  setting(name: string): Uint8Array | null {
    const select = "SELECT value FROM setting WHERE name = ?";
    const value: unknown = this.#statement(select).pluck().get(name);
    return value instanceof Uint8Array ? Uint8Array.from(value) : null;
  }

  #saveService({ key, object, allocations }: ServiceChange): void {
    this.#statement("DELETE FROM snapshot WHERE kind = 'service' AND key = ?").run(key);
    this.#statement("DELETE FROM allocation WHERE service = ?").run(key);
    if (object === null) return;
    const json = JSON.stringify(object);
    this.#statement("INSERT INTO snapshot VALUES ('service', ?, ?)").run(key, json);
    const insert = this.#statement("INSERT OR REPLACE INTO allocation VALUES (?, ?, ?)");
    const taken = this.#statement("DELETE FROM freed WHERE address = ?");
    for (const { address, pool } of allocations) {
      insert.run(address, key, pool);
      taken.run(address);
    }
  }

  #allocationsOf(service: string): AllocationRow[] {
    const select = "SELECT address, service, pool FROM allocation WHERE service = ?";
    return this.#statement(select).all(service) as AllocationRow[];
  }

  #saveFreed({ address, service, at }: FreedRow): void {
    const count = this.#statement("SELECT COUNT(*) FROM allocation WHERE address = ?").pluck();
    if (count.get(address) !== 0) return;
    this.#statement("INSERT OR REPLACE INTO freed VALUES (?, ?, ?)").run(address, service, at);
    this.#freedSincePrune += 1;
    if (this.#freedSincePrune < PRUNE_EVERY_ROWS) return;
    this.#freedSincePrune = 0;
    this.#statement(
      "DELETE FROM freed WHERE address IN " +
        "(SELECT address FROM freed ORDER BY at DESC LIMIT -1 OFFSET ?)",
    ).run(FREED_ROWS_MAX);
  }

  #saveTenure({ address, change, node, epoch }: HistoryRow): void {
    const owner = change === "lost" ? null : node;
    this.#statement("INSERT OR REPLACE INTO tenure (address, owner, epoch) VALUES (?, ?, ?)").run(
      address,
      owner,
      epoch,
    );
  }

  #prune(): void {
    this.#rowsSincePrune += 1;
    if (this.#rowsSincePrune < PRUNE_EVERY_ROWS) return;
    this.#rowsSincePrune = 0;
    this.#statement("DELETE FROM history WHERE id <= (SELECT MAX(id) FROM history) - ?").run(
      HISTORY_ROWS_MAX,
    );
  }

  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Soon, with others: a write by itself costs more than what is written. */
  #defer(change: () => void): void {
    this.#deferred.push(change);
    this.#deferredTimer ??= setTimeout(() => this.#writeDeferred(), DEFER_MS).unref();
  }

  #writeDeferred(): void {
    if (this.#deferred.length > 0) this.#write("what was seen", () => {});
  }

  #write(what: string, change: () => void): void {
    const earlier = this.#deferred;
    this.#deferred = [];
    clearTimeout(this.#deferredTimer);
    this.#deferredTimer = undefined;
    try {
      this.#database.transaction(() => {
        for (const one of earlier) one();
        change();
      })();
      this.#failure = null;
    } catch (cause) {
      const message = `Cannot save ${what}: ${errorText(cause)}`;
      this.#failure = new AppError("STORE_UNAVAILABLE", message, { cause });
    }
  }
}

function parsed(key: string, json: string): [string, unknown][] {
  try {
    return [[key, JSON.parse(json)]];
  } catch {
    return [];
  }
}
