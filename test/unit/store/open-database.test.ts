// Tests of opening the state file: migrations, files of a newer lbd, damage of every kind, folders
// that cannot be written, and a second daemon.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { wallMs } from "../../../src/core/time.ts";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { openDatabase } from "../../../src/store/open-database.ts";
import { Store } from "../../../src/store/store.ts";
import { childProcess, lineOf, stderrOf } from "../../support/child-process.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = wallMs(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
const ASIDE = "state.db.damaged-2026-01-02T03-04-05-006Z";
const PROCESS = "test/support/store-process.ts";

test("openDatabase() makes folder and file, and brings the schema up to date", (t) => {
  const folder = join(tempDir(t), "lbd");
  const { database, notice } = openDatabase(join(folder, "state.db"), NOW);
  t.after(() => database.close());
  assert.equal(notice, null);
  assert.equal(database.pragma("user_version", { simple: true }), MIGRATIONS.length);
  assert.equal(database.pragma("journal_mode", { simple: true }), "wal");
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test("openDatabase() does not migrate twice", (t) => {
  const path = join(tempDir(t), "state.db");
  for (let i = 0; i < 3; i++) {
    const { database, notice } = openDatabase(path, NOW);
    assert.equal(notice, null);
    database.close();
  }
});

test("openDatabase() brings the file of every older schema up to date, with what is in it", (t) => {
  for (let version = 1; version < MIGRATIONS.length; version++) {
    const path = join(tempDir(t), "state.db");
    const older = new Database(path);
    for (const step of MIGRATIONS.slice(0, version)) older.exec(step);
    older.pragma(`user_version = ${version}`);
    older.exec("INSERT INTO tenure VALUES ('10.0.0.1', 'n1', 7)");
    older.close();
    const store = Store.open(path, NOW);
    assert.equal(store.notice, null);
    assert.deepEqual(store.tenures(), [{ address: "10.0.0.1", owner: "n1", epoch: 7 }]);
    assert.equal(store.setting("a"), null);
    store.saveSetting("a", Uint8Array.of(1));
    assert.equal(store.failure(), null);
    assert.deepEqual(store.setting("a"), Uint8Array.of(1));
    store.close();
    const { database } = openDatabase(path, NOW);
    assert.equal(database.pragma("user_version", { simple: true }), MIGRATIONS.length);
    database.close();
  }
});

test("openDatabase() refuses the file of a newer lbd, and leaves it as it is", (t) => {
  const path = join(tempDir(t), "state.db");
  openDatabase(path, NOW).database.close();
  const newer = new Database(path);
  newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  newer.close();
  const before = readFileSync(path);
  assert.throws(() => openDatabase(path, NOW), {
    code: "STORE_UNAVAILABLE",
    message:
      `Cannot use "${path}": it was written by a newer lbd (schema ${MIGRATIONS.length + 1}, ` +
      `this one knows ${MIGRATIONS.length}); install that version again, or move the file away`,
  });
  assert.deepEqual(readFileSync(path), before);
});

type Damage = readonly [name: string, damage: (good: Buffer) => Buffer | string];

const DAMAGED: readonly Damage[] = [
  ["garbage", () => "this is no database ".repeat(1_000)],
  ["cut off in the middle", (good) => good.subarray(0, good.length / 2)],
  ["cut off in the first page", (good) => good.subarray(0, 1_000)],
  ["zeros in the middle", (good) => Buffer.from(good).fill(0, 4_096, good.length / 2)],
  ["noise in a page", (good) => Buffer.from(good).fill(0xa5, 8_192, 12_288)],
  ["another magic", (good) => Buffer.concat([Buffer.from("X"), good.subarray(1)])],
  ["a table with another name", (good) => replaced(good, "TABLE tenure", "TABLE tenurf")],
  ["a column with another name", (good) => replaced(good, "owner TEXT", "ownex TEXT")],
];

for (const [name, damage] of DAMAGED) {
  test(`openDatabase() moves a damaged file aside and says so: ${name}`, (t) => {
    const folder = tempDir(t);
    const path = join(folder, "state.db");
    const bytes = damage(goodFile(path));
    writeFileSync(path, bytes);
    const store = Store.open(path, NOW);
    t.after(() => store.close());
    assert.match(store.notice ?? "", /^The state file was damaged \(.+\)\. It was moved to ".+"/);
    assert.doesNotMatch(store.notice ?? "", /\n/);
    assert.deepEqual(readFileSync(join(folder, ASIDE)), Buffer.from(bytes));
    assert.deepEqual(
      [store.allocations(), store.tenures(), store.history({ limit: 9 })],
      [[], [], []],
    );
    store.saveSnapshot("pool", new Map([["a", 1]]));
    assert.equal(store.failure(), null);
    assert.ok(readdirSync(folder).includes("state.db"));
  });
}

test("Store.open() of a file with any one byte flipped throws nothing, then or on reading", (t) => {
  const path = join(tempDir(t), "state.db");
  const good = goodFile(path);
  const step = 97;
  for (let at = 0; at < good.length; at += step) {
    // The version of the schema: a flip there is "a newer lbd", which is refused on purpose.
    if (at >= 60 && at < 64) continue;
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, bytes);
    const store = Store.open(path, wallMs(NOW + at));
    try {
      store.snapshot("service");
      store.snapshot("pool");
      store.allocations();
      store.tenures();
      store.freed();
      store.history({ limit: 100 });
      store.setting("key");
    } catch (thrown) {
      assert.fail(`byte ${at}: ${String(thrown)}`);
    } finally {
      store.close();
    }
  }
});

const UNUSABLE: readonly (readonly [string, (folder: string) => string])[] = [
  [
    "a path below a file",
    (folder) => {
      writeFileSync(join(folder, "file"), "");
      return join(folder, "file", "state.db");
    },
  ],
  [
    "a folder in place of the file",
    (folder) => {
      mkdirSync(join(folder, "state.db"));
      return join(folder, "state.db");
    },
  ],
  ["a file system without files", () => "/proc/lbd/state.db"],
];

for (const [name, pathIn] of UNUSABLE) {
  test(`openDatabase() works in memory and says so: ${name}`, (t) => {
    const path = pathIn(tempDir(t));
    const store = Store.open(path, NOW);
    t.after(() => store.close());
    const notice = store.notice ?? "";
    assert.ok(notice.startsWith(`The state file "${path}" cannot be used (`), notice);
    assert.match(notice, /kept in memory only and is lost at a restart: mend the disk/);
    store.saveSnapshot("pool", new Map([["a", 1]]));
    assert.deepEqual(store.snapshot("pool"), new Map([["a", 1]]));
    assert.equal(store.failure(), null);
  });
}

test("openDatabase() of a file that another process has open: ALREADY_RUNNING", async (t) => {
  const path = join(tempDir(t), "state.db");
  const holder = childProcess(t, PROCESS, ["hold", path]);
  assert.equal(await lineOf(holder), "open");
  assert.throws(() => openDatabase(path, NOW), {
    code: "ALREADY_RUNNING",
    message: `Cannot open "${path}": another lbd is running on this host and holds it`,
  });
  const second = childProcess(t, PROCESS, ["hold", path]);
  const talk = stderrOf(second);
  const [status] = await once(second, "exit");
  assert.equal(status, 75);
  assert.match(await talk, /^ALREADY_RUNNING/);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const { database, notice } = openDatabase(path, NOW);
  database.close();
  assert.equal(notice, null);
});

test("openDatabase() of a file whose writer was killed: all or nothing, no damage", async (t) => {
  const path = join(tempDir(t), "state.db");
  for (const lines of [2, 3, 5]) {
    const writer = childProcess(t, PROCESS, ["write", path]);
    for (let i = 0; i < lines; i++) await lineOf(writer);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    const store = Store.open(path, NOW);
    assert.equal(store.notice, null);
    const newest = store.history({ limit: 1 })[0];
    const tenure = { address: "10.0.0.1", owner: "n1", epoch: newest?.epoch };
    assert.deepEqual(store.tenures(), [tenure], "the row and its tenure, or neither");
    assert.ok((newest?.epoch ?? 0) >= 50);
    store.close();
  }
});

const OLD = [{ address: "10.0.0.2", pool: "lan" }];

/** A closed file with a row of everything, as bytes. */
function goodFile(path: string): Buffer {
  const store = Store.open(path, NOW);
  store.saveServices(
    [{ key: "ns/web", object: { x: "y" }, allocations: [{ address: "10.0.0.1", pool: "lan" }] }],
    NOW,
  );
  store.saveServices([{ key: "ns/old", object: {}, allocations: OLD }], NOW);
  store.saveServices([{ key: "ns/old", object: null, allocations: [] }], NOW);
  store.saveSnapshot("pool", new Map([["lan", { spec: {} }]]));
  for (let epoch = 0; epoch < 20; epoch++) {
    const row = { at: NOW, address: "10.0.0.1", node: "n1", epoch, cause: "unheld", detail: "" };
    store.recordChange({ ...row, change: "gained" });
  }
  store.saveSetting("key", new Uint8Array(32));
  store.close();
  return readFileSync(path);
}

function replaced(good: Buffer, from: string, to: string): Buffer {
  const at = good.indexOf(from);
  assert.ok(at > 0, `"${from}" is in the file`);
  const bytes = Buffer.from(good);
  bytes.write(to, at, "latin1");
  return bytes;
}
