// Tests of how a value is shown in a problem: on one short line that no terminal obeys.

import assert from "node:assert/strict";
import { test } from "node:test";
import { showValue } from "../../../src/core/problem.ts";

const ROWS: readonly (readonly [value: unknown, shown: string])[] = [
  [undefined, "nothing"],
  [null, "null"],
  [7, "7"],
  ["a b", '"a b"'],
  ['say "x"', '"say \\"x\\""'],
  ["two\nlines\x1b[2J", '"two\\nlines\\u001b[2J"'],
  ["\x7f\x9b2J", '"\\u007f\\u009b2J"'],
  [{ a: [1] }, '{"a":[1]}'],
  ["x".repeat(100), `"${"x".repeat(76)}...`],
];

for (const [value, shown] of ROWS) {
  test(`showValue() of ${JSON.stringify(value)}`, () => {
    assert.equal(showValue(value), shown);
  });
}
