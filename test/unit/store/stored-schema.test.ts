// Tests of reading the schema of a state file that another process holds, or that is none.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { openDatabase } from "../../../src/store/open-database.ts";
import { refuseNewer, storedSchema } from "../../../src/store/stored-schema.ts";
import { tempDir } from "../../support/temp-dir.ts";

test("storedSchema() of a file that a daemon holds is what it was brought up to", (t) => {
  const path = join(tempDir(t), "state.db");
  const { database } = openDatabase(path, wallMs(0));
  t.after(() => database.close());
  assert.equal(storedSchema(path), MIGRATIONS.length);
});

const NO_STATE: readonly (readonly [name: string, make: (path: string) => void])[] = [
  ["that is not there", () => {}],
  ["that is empty", (path) => writeFileSync(path, "")],
  ["that is cut off", (path) => writeFileSync(path, "SQLite format")],
  ["that is something else", (path) => writeFileSync(path, "x".repeat(200))],
  ["that is a folder", (path) => mkdirSync(path)],
];

for (const [name, make] of NO_STATE) {
  test(`storedSchema() of a file ${name} is null`, (t) => {
    const path = join(tempDir(t), "state.db");
    make(path);
    assert.equal(storedSchema(path), null);
  });
}

test("refuseNewer() lets every schema pass up to the one that this lbd knows", () => {
  for (let schema = 0; schema <= MIGRATIONS.length; schema++) refuseNewer("state.db", schema);
  assert.throws(() => refuseNewer("state.db", MIGRATIONS.length + 1), {
    code: "STORE_UNAVAILABLE",
  });
});
