// Tests of waiting for what a command has set going, and of times as options give them.

import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { lookUntil, millisecondsOf } from "../../../src/cli/until.ts";

/** Looks at 0, 1, 2, ... until that is `enough`; how often it looked. */
async function looks(t: TestContext, enough: number, timeoutMs: number): Promise<number> {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.timers.reset();
    syncBuiltinESMExports();
  });
  let count = 0;
  let isOver = false;
  const found = lookUntil(
    async () => count++,
    (value) => value >= enough,
    timeoutMs,
  ).finally(() => {
    isOver = true;
  });
  for (await turn(); !isOver; await turn()) t.mock.timers.tick(100);
  assert.equal(await found, count - 1, "the last that it saw");
  return count;
}

const ROWS: readonly (readonly [name: string, enough: number, timeoutMs: number, number])[] = [
  ["without time looks once", 9, 0, 1],
  ["that times out looks a last time at the end", 9, 300, 4],
  ["between two looks waits for the next", 9, 250, 4],
  ["stops when it has seen enough", 2, 10_000, 3],
  ["does not wait for what is there already", 0, 10_000, 1],
];

for (const [name, enough, timeoutMs, count] of ROWS) {
  test(`lookUntil() ${name}`, async (t) => {
    assert.equal(await looks(t, enough, timeoutMs), count);
  });
}

test("lookUntil() passes on what looking throws", async () => {
  const look = () => Promise.reject(new Error("gone"));
  await assert.rejects(
    lookUntil(look, () => true, 0),
    /gone/,
  );
});

for (const text of ["", " ", "x", "-1", "-0.1", "1s", "1,5", "Infinity", "NaN", "1e999"]) {
  test(`millisecondsOf("${text}") is none`, () => {
    assert.equal(millisecondsOf(text), null);
  });
}

for (const [text, milliseconds] of [
  ["0", 0],
  ["0.25", 250],
  ["30", 30_000],
  [" 5 ", 5_000],
] as const) {
  test(`millisecondsOf("${text}") is ${milliseconds}`, () => {
    assert.equal(millisecondsOf(text), milliseconds);
  });
}
