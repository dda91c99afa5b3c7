// Tests of durations as Go writes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDuration } from "../../../src/config/duration.ts";

const ROWS: readonly (readonly [string, number | null])[] = [
  ["", null],
  ["90", null],
  ["s", null],
  [".s", null],
  ["-3s", null],
  ["3 s", null],
  ["3d", null],
  ["1h30", null],
  ["0", 0],
  ["0s", 0],
  ["90s", 90_000],
  ["1m30s", 90_000],
  ["1h0m0s", 3_600_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["1.s", 1_000],
  ["250ms", 250],
  ["1ms500us", 1.5],
  ["500\u00b5s", 0.5],
  ["500\u03bcs", 0.5],
  ["1000000ns", 1],
];

for (const [text, expected] of ROWS) {
  test(`parseDuration() of "${text}" is ${expected}`, () => {
    assert.equal(parseDuration(text), expected);
  });
}

test("parseDuration() of whole milliseconds is whole, however they are written", () => {
  fc.assert(
    fc.property(fc.nat(86_400_000), (milliseconds) => {
      const texts = [`${milliseconds / 1_000}s`, `${Math.floor(milliseconds / 60_000)}m`];
      const rest = `${(milliseconds % 60_000) / 1_000}s`;
      assert.equal(parseDuration(texts[0] ?? ""), milliseconds);
      assert.equal(parseDuration(`${texts[1]}${rest}`), milliseconds);
    }),
  );
});
