// Tests of the store on real files: round trips, the bound of the history, and its order.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import Database from "better-sqlite3";
import { wallMs } from "../../../src/core/time.ts";
import type { HistoryRow } from "../../../src/store/store.ts";
import {
  FREED_ROWS_MAX,
  HISTORY_ROWS_MAX,
  type HistoryFilter,
  Store,
} from "../../../src/store/store.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = wallMs(1_700_000_000_000);

function row(n: number, more: Partial<HistoryRow> = {}): HistoryRow {
  return {
    at: wallMs(NOW + n),
    address: "10.0.0.1",
    change: "gained",
    node: "n1",
    epoch: n,
    cause: "unheld",
    detail: "",
    ...more,
  };
}

test("Store keeps what was written over a restart", (t) => {
  const path = join(tempDir(t), "deep", "state.db");
  const first = Store.open(path, NOW);
  first.saveSnapshot("pool", new Map([["lan", { spec: { addresses: ["10.0.0.0/24"] } }]]));
  first.saveServices(
    [
      {
        key: "ns/web",
        object: { spec: { type: "LoadBalancer" }, emoji: "\u{1f980}" },
        allocations: [
          { address: "10.0.0.1", pool: "lan" },
          { address: "2001:db8::1", pool: "lan" },
        ],
      },
    ],
    NOW,
  );
  first.recordChange(row(7));
  first.recordChange(row(8, { address: "10.0.0.2", change: "moved", node: "n2" }));
  first.close();

  const second = Store.open(path, NOW);
  t.after(() => second.close());
  assert.equal(second.notice, null);
  assert.equal(second.failure(), null);
  assert.deepEqual(second.snapshot("pool").get("lan"), { spec: { addresses: ["10.0.0.0/24"] } });
  assert.deepEqual([...second.snapshot("service").keys()], ["ns/web"]);
  assert.deepEqual(second.snapshot("node"), new Map());
  assert.deepEqual(second.allocations(), [
    { address: "10.0.0.1", service: "ns/web", pool: "lan" },
    { address: "2001:db8::1", service: "ns/web", pool: "lan" },
  ]);
  assert.deepEqual(second.tenures(), [
    { address: "10.0.0.1", owner: "n1", epoch: 7 },
    { address: "10.0.0.2", owner: "n2", epoch: 8 },
  ]);
  assert.equal(second.history({ limit: 10 }).length, 2);
});

test("saveServices() replaces what a Service had, and removes what is gone", (t) => {
  const store = openIn(t);
  const web = {
    key: "ns/web",
    object: { n: 1 },
    allocations: [{ address: "10.0.0.1", pool: "a" }],
  };
  const api = {
    key: "ns/api",
    object: { n: 2 },
    allocations: [{ address: "10.0.0.1", pool: "a" }],
  };
  store.saveServices([web, api], NOW);
  assert.equal(store.allocations().length, 2, "two Services may share an address");
  store.saveServices([{ ...web, allocations: [{ address: "10.0.0.9", pool: "b" }] }], NOW);
  store.saveServices([{ key: "ns/api", object: null, allocations: [] }], NOW);
  store.saveServices([{ key: "ns/never", object: null, allocations: [] }], NOW);
  assert.deepEqual(store.allocations(), [{ address: "10.0.0.9", service: "ns/web", pool: "b" }]);
  assert.deepEqual(store.snapshot("service"), new Map([["ns/web", { n: 1 }]]));
});

test("freed() names what no Service has any more, with the last that had it", (t) => {
  const store = openIn(t);
  const at = (seconds: number) => wallMs(NOW + seconds * 1_000);
  const having = (key: string, ...addresses: readonly string[]) => ({
    key,
    object: {},
    allocations: addresses.map((address) => ({ address, pool: "lan" })),
  });
  const gone = (key: string) => ({ key, object: null, allocations: [] });
  store.saveServices([having("ns/a", "10.0.0.1", "10.0.0.2"), having("ns/b", "10.0.0.2")], NOW);
  assert.deepEqual(store.freed(), []);
  store.saveServices([gone("ns/a")], at(1));
  assert.deepEqual(store.freed(), [{ address: "10.0.0.1", service: "ns/a", at: at(1) }]);
  store.saveServices([having("ns/b", "10.0.0.3")], at(2));
  assert.deepEqual(
    store.freed().map(({ address, service }) => [address, service]),
    [
      ["10.0.0.2", "ns/b"],
      ["10.0.0.1", "ns/a"],
    ],
  );
  store.saveServices([having("ns/c", "10.0.0.1"), having("ns/d", "10.0.0.2")], at(3));
  assert.deepEqual(store.freed(), []);
  store.saveServices([having("ns/c"), having("ns/e", "10.0.0.1")], at(4));
  assert.deepEqual(store.freed(), [], "it went from one to the other");
});

test("freed() is bounded, and what was freed longest ago goes first", (t) => {
  const store = openIn(t);
  const keys = Array.from({ length: FREED_ROWS_MAX + 400 }, (_, i) => `ns/${i}`);
  const allocations = (key: string) => [{ address: `address of ${key}`, pool: "lan" }];
  store.saveServices(
    keys.map((key) => ({ key, object: {}, allocations: allocations(key) })),
    NOW,
  );
  for (const [i, key] of keys.entries()) {
    store.saveServices([{ key, object: null, allocations: [] }], wallMs(NOW + i));
  }
  const freed = store.freed();
  assert.ok(freed.length <= FREED_ROWS_MAX + 200, String(freed.length));
  assert.equal(freed[0]?.service, keys.at(-1));
});

test("saveSnapshot() replaces one kind and leaves the others", (t) => {
  const store = openIn(t);
  store.saveSnapshot(
    "pool",
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
  );
  store.saveSnapshot("node", new Map([["n1", 3]]));
  store.saveSnapshot("pool", new Map([["b", 4]]));
  assert.deepEqual(store.snapshot("pool"), new Map([["b", 4]]));
  assert.deepEqual(store.snapshot("node"), new Map([["n1", 3]]));
});

test("recordChange() follows the owner, and a conflict changes no tenure", (t) => {
  const store = openIn(t);
  store.recordChange(row(3));
  store.recordChange(row(0, { change: "conflict", cause: "defended" }));
  assert.deepEqual(store.tenures(), [{ address: "10.0.0.1", owner: "n1", epoch: 3 }]);
  store.recordChange(row(3, { change: "lost", cause: "stopping" }));
  assert.deepEqual(store.tenures(), [{ address: "10.0.0.1", owner: null, epoch: 3 }]);
  store.forgetTenure("10.0.0.1");
  store.forgetTenure("10.0.0.9");
  assert.deepEqual(store.tenures(), []);
  assert.equal(store.history({ limit: 10 }).length, 3);
});

test("saveSetting() keeps bytes under a name over a restart, and replaces what was there", (t) => {
  const path = join(tempDir(t), "state.db");
  const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
  const first = Store.open(path, NOW);
  assert.equal(first.setting("key"), null);
  first.saveSetting("key", Uint8Array.of(1, 2));
  first.saveSetting("key", bytes.subarray(100));
  first.saveSetting("empty", new Uint8Array(0));
  first.close();
  const second = Store.open(path, NOW);
  t.after(() => second.close());
  assert.deepEqual(second.setting("key"), bytes.slice(100));
  assert.deepEqual(second.setting("empty"), new Uint8Array(0));
  assert.equal(second.setting("other"), null);
});

test("setting() of a value that is no bytes any more: null", (t) => {
  const path = join(tempDir(t), "state.db");
  Store.open(path, NOW).close();
  const database = new Database(path);
  database.exec("INSERT INTO setting VALUES ('a', 'text'), ('b', 5)");
  database.close();
  const store = Store.open(path, NOW);
  t.after(() => store.close());
  assert.deepEqual([store.setting("a"), store.setting("b")], [null, null]);
});

test("history() is newest first, for one address or all, and no more than asked for", (t) => {
  const store = openIn(t);
  for (let n = 1; n <= 6; n++) {
    store.recordChange(row(n, { address: n % 2 === 0 ? "10.0.0.2" : "10.0.0.1" }));
  }
  const epochs = (filter: { address?: string; limit: number }): number[] =>
    store.history(filter).map((one) => one.epoch);
  assert.deepEqual(epochs({ limit: 4 }), [6, 5, 4, 3]);
  assert.deepEqual(epochs({ address: "10.0.0.1", limit: 2 }), [5, 3]);
  assert.deepEqual(epochs({ address: "10.9.9.9", limit: 2 }), []);
  assert.deepEqual(store.history({ limit: 1 }), [row(6, { address: "10.0.0.2" })]);
});

test("history() of a node, since a time, or all of these together", (t) => {
  const store = openIn(t);
  for (let n = 1; n <= 6; n++) {
    store.recordChange(row(n, { at: wallMs(n * 1_000), node: n % 2 === 0 ? "n2" : "n1" }));
  }
  const epochs = (filter: Partial<HistoryFilter>): number[] =>
    store.history({ limit: 10, ...filter }).map((one) => one.epoch);
  assert.deepEqual(epochs({ node: "n2" }), [6, 4, 2]);
  assert.deepEqual(epochs({ since: wallMs(4_000) }), [6, 5, 4]);
  assert.deepEqual(epochs({ since: wallMs(3_000), node: "n1", limit: 1 }), [5]);
  assert.deepEqual(epochs({ address: "10.9.9.9", node: "n1" }), []);
});

test("history() is bounded, and the oldest rows go first", (t) => {
  const path = join(tempDir(t), "state.db");
  Store.open(path, NOW).close();
  fillHistory(path, HISTORY_ROWS_MAX + 5_000);
  const store = Store.open(path, NOW);
  t.after(() => store.close());
  store.recordChange(row(1));
  const rows = store.history({ limit: 100_000 });
  assert.equal(rows.length, HISTORY_ROWS_MAX);
  assert.deepEqual([rows[0]?.epoch, rows.at(-1)?.epoch], [1, 5_002]);
});

test("history() stays bounded while rows come in", (t) => {
  const path = join(tempDir(t), "state.db");
  Store.open(path, NOW).close();
  fillHistory(path, HISTORY_ROWS_MAX);
  const store = Store.open(path, NOW);
  t.after(() => store.close());
  for (let n = 0; n < 450; n++) store.recordChange(row(n));
  const { length } = store.history({ limit: 100_000 });
  assert.ok(length >= HISTORY_ROWS_MAX && length <= HISTORY_ROWS_MAX + 200, `${length} rows`);
});

/** Rows with epochs from 1, faster than one by one. */
function fillHistory(path: string, count: number): void {
  const database = new Database(path);
  database.exec(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     INSERT INTO history (at, address, change, node, epoch, cause, detail)
     SELECT i, '10.0.0.1', 'gained', 'n1', i, 'unheld', '' FROM n`,
  );
  database.close();
}

function openIn(t: Parameters<typeof tempDir>[0]): Store {
  const store = Store.open(join(tempDir(t), "state.db"), NOW);
  t.after(() => store.close());
  return store;
}
