// A token file is read seldom, and at once after the server refused its token.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { TokenReader } from "../../../src/k8s-sync/token.ts";

function tokenFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "lbd-token-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "token");
  writeFileSync(path, text);
  return path;
}

test("TokenReader without a token", () => {
  const reader = new TokenReader(null, () => 0);
  assert.equal(reader.current(), null);
  assert.equal(reader.renew(null), false);
});

test("TokenReader a file that vanished or was emptied keeps the last token", (t) => {
  const path = tokenFile(t, "one\n");
  let now = 0;
  const reader = new TokenReader({ kind: "file", path }, () => now);
  assert.equal(reader.current(), "one");
  writeFileSync(path, "");
  now += 61_000;
  assert.equal(reader.current(), "one");
  rmSync(path);
  now += 61_000;
  assert.equal(reader.current(), "one");
});

test("TokenReader reads the file again after a minute, not before", (t) => {
  const path = tokenFile(t, "one");
  let now = 5;
  const reader = new TokenReader({ kind: "file", path }, () => now);
  assert.equal(reader.current(), "one");
  writeFileSync(path, "two");
  now += 59_000;
  assert.equal(reader.current(), "one");
  now += 1_000;
  assert.equal(reader.current(), "two");
});

test("TokenReader renew() says whether there is another token", (t) => {
  const path = tokenFile(t, "one");
  const reader = new TokenReader({ kind: "file", path }, () => 0);
  assert.equal(reader.current(), "one");
  assert.equal(reader.renew("one"), false);
  writeFileSync(path, "two");
  assert.equal(reader.renew("one"), true);
  // Read by the other request already.
  assert.equal(reader.renew("one"), true);
  assert.equal(reader.current(), "two");
});

test("TokenReader a fixed token has no other", () => {
  const reader = new TokenReader({ kind: "fixed", token: "one" }, () => 0);
  assert.equal(reader.current(), "one");
  assert.equal(reader.renew("one"), false);
});
