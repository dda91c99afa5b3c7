// Tests of the words for a file that cannot be read.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errnoOf, whyUnreadable } from "../../../src/core/file-error.ts";
import { tempDir } from "../../support/temp-dir.ts";

const ROWS: readonly (readonly [name: string, thrown: unknown, errno: string, why: string])[] = [
  ["an unusual failure", Object.assign(new Error("EIO: i/o"), { code: "EIO" }), "EIO", "EIO: i/o"],
  ["an error of another kind", new Error("no"), "", "no"],
  ["a code that is no text", Object.assign(new Error("no"), { code: 5 }), "", "no"],
  ["no error at all", "no", "", "no"],
  ["a name of every object", Object.assign(new Error("x"), { code: "valueOf" }), "valueOf", "x"],
];

for (const [name, thrown, errno, why] of ROWS) {
  test(`whyUnreadable() of ${name}`, () => {
    assert.deepEqual([errnoOf(thrown), whyUnreadable(thrown)], [errno, why]);
  });
}

test("whyUnreadable() of what a real read throws", (t) => {
  const folder = tempDir(t);
  const whyNot = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (thrown) {
      return whyUnreadable(thrown);
    }
  };
  assert.equal(whyNot(folder), "it is a folder, not a file");
  assert.equal(whyNot(`${folder}/none`), "there is no such file");
});
