// Tests of the archive: tar(1) reads what is written, and the file is for its owner alone.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Parts } from "../../../src/bugreport/parts.ts";
import { tarOf } from "../../../src/bugreport/tar.ts";
import { reportName, writeReport } from "../../../src/bugreport/write.ts";
import { wallMs } from "../../../src/core/time.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = wallMs(Date.parse("2026-11-27T12:00:00Z"));

test("tarOf() is read by tar(1), files of every length around a block", (t) => {
  const folder = tempDir(t);
  const lengths = [0, 1, 511, 512, 513, 10_000];
  const files = lengths.map((length) => ({
    name: `sub/${length}`,
    bytes: new Uint8Array(length).fill(0x61),
  }));
  const path = join(folder, "a.tar");
  writeFileSync(path, tarOf(files, { folder: "report", modifiedAt: 1_700_000_000 }));
  execFileSync("tar", ["-xf", path, "-C", folder]);
  for (const length of lengths) {
    const file = join(folder, "report/sub", String(length));
    assert.equal(readFileSync(file, "latin1"), "a".repeat(length));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(file).mtimeMs, 1_700_000_000_000);
  }
});

test("tarOf() refuses a name that the format has no room for", () => {
  const files = [{ name: "x".repeat(200), bytes: new Uint8Array(0) }];
  assert.throws(() => tarOf(files, { folder: "report", modifiedAt: 0 }), RangeError);
});

test("writeReport() writes for its owner alone, with a MANIFEST that says what is in it", (t) => {
  const path = join(tempDir(t), "r.tar.gz");
  const parts = new Parts([{ name: "token", forms: ["tell-nobody"] }]);
  parts.add("a.txt", "it is tell-nobody");
  parts.miss("b.txt", "no tell-nobody there");
  writeReport(path, parts, NOW);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const manifest = `${reportName(NOW)}/MANIFEST`;
  const text = execFileSync("tar", ["-xzOf", path, manifest], { encoding: "utf8" });
  assert.match(text, /^ {2}a\.txt \(\d+ bytes\)$/m);
  assert.match(text, /^ {2}b\.txt: no \[redacted token\] there$/m);
  assert.match(text, /^ {2}token: 2$/m);
});

test("writeReport() writes over nothing, a link included", (t) => {
  const folder = tempDir(t);
  const precious = join(folder, "precious");
  writeFileSync(precious, "keep");
  symlinkSync(precious, join(folder, "link"));
  for (const name of ["precious", "link"]) {
    const path = join(folder, name);
    assert.throws(() => writeReport(path, new Parts([]), NOW), {
      code: "USAGE",
      message: `Cannot write "${path}": there is such a file already; name another one with --file`,
    });
  }
  assert.equal(readFileSync(precious, "utf8"), "keep");
});

test("writeReport() says of a folder that there is not what to do", (t) => {
  const path = join(tempDir(t), "none", "r.tar.gz");
  const message = `Cannot write "${path}": there is no such folder; name another file with --file`;
  assert.throws(() => writeReport(path, new Parts([]), NOW), { message });
});

test("Parts keep the end of what is too long, and say so", () => {
  const parts = new Parts([]);
  parts.add("a.txt", `${"x".repeat(8_000_000)}the end`);
  assert.equal(parts.files[0]?.bytes.length, 8_000_000);
  assert.ok(
    Buffer.from(parts.files[0]?.bytes ?? [])
      .toString()
      .endsWith("the end"),
  );
  assert.match(parts.missing[0]?.why ?? "", /only its last 8000000 characters/);
});
