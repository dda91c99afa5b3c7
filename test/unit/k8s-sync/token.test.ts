// A token file is read again when it has changed, and at once after the server refused its token.

import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
  const reader = new TokenReader(null);
  assert.equal(reader.current(), null);
  assert.equal(reader.renew(null), false);
});

test("TokenReader a file that was emptied, is a folder or vanished keeps the last token", (t) => {
  const path = tokenFile(t, "one\n");
  const reader = new TokenReader({ kind: "file", path });
  assert.equal(reader.current(), "one");
  writeFileSync(path, "");
  assert.equal(reader.current(), "one");
  rmSync(path);
  assert.equal(reader.current(), "one");
  assert.equal(reader.renew("one"), false);
  // Below a file there is nothing: an error other than "no such file".
  const odd = new TokenReader({ kind: "file", path: join(tokenFile(t, "x"), "token") });
  assert.equal(odd.current(), null);
});

test("TokenReader a token that was renewed, in place or by another file", (t) => {
  const path = tokenFile(t, "one");
  const reader = new TokenReader({ kind: "file", path });
  assert.equal(reader.current(), "one");
  writeFileSync(path, "three");
  assert.equal(reader.current(), "three");
  writeFileSync(`${path}.new`, "other");
  renameSync(`${path}.new`, path);
  assert.equal(reader.current(), "other");
});

test("TokenReader renew() says whether there is another token", (t) => {
  const path = tokenFile(t, "one");
  const reader = new TokenReader({ kind: "file", path });
  assert.equal(reader.current(), "one");
  assert.equal(reader.renew("one"), false);
  writeFileSync(path, "two");
  assert.equal(reader.renew("one"), true);
  // Read by the other request already.
  assert.equal(reader.renew("one"), true);
  assert.equal(reader.current(), "two");
});

test("TokenReader a fixed token has no other", () => {
  const reader = new TokenReader({ kind: "fixed", token: "one" });
  assert.equal(reader.current(), "one");
  assert.equal(reader.renew("one"), false);
});
