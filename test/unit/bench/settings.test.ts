// Tests of the settings of the benches: what is refused, in words, before anything is started.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { readChoice, readCount, SettingError } from "../../bench/settings.ts";

const BENCH = join(import.meta.dirname, "../../bench");
const OPTIONS = { unset: 10, min: 2 };

for (const text of ["0", "1", "-3", "x", "3x", "2.5", "1e3", "0x10", " ", "99999999999999999999"]) {
  test(`readCount() refuses "${text}", and quotes it`, () => {
    const message = `RUNS must be a whole number from 2, found "${text}"`;
    assert.throws(() => readCount({ RUNS: text }, "RUNS", OPTIONS), new SettingError(message));
  });
}

test("readCount() of what is not set, empty, the least, and more", () => {
  const read = (environment: NodeJS.ProcessEnv) => readCount(environment, "RUNS", OPTIONS);
  assert.deepEqual([{}, { RUNS: "" }, { RUNS: "2" }, { RUNS: "050" }].map(read), [10, 10, 2, 50]);
});

test("readChoice() takes the first of what is not set, and refuses a word that is none", () => {
  const read = (text: string) => readChoice({ CLIENT: text }, "CLIENT", ["cold", "warm"]);
  assert.deepEqual(["", "cold", "warm"].map(read), ["cold", "cold", "warm"]);
  const message = 'CLIENT must be one of cold, warm, found "Warm"';
  assert.throws(() => read("Warm"), new SettingError(message));
});

/** Program, its setting, and what it says. */
const WRONG: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["main.ts", { RUNS: "x" }, 'RUNS must be a whole number from 1, found "x"'],
  ["main.ts", { ONLY: "apr" }, 'ONLY must be one of all, arp, ndp, daemon, links, found "apr"'],
  ["failover.ts", { RUNS: "0" }, 'RUNS must be a whole number from 1, found "0"'],
  ["failover.ts", { ROWS: "kil" }, 'There is no row "kil"; there are: cable pulled, '],
  ["failover.ts", { CLIENT: "hot" }, 'CLIENT must be one of cold, warm, found "hot"'],
  ["bulk.ts", { RUNS: "0" }, 'RUNS must be a whole number from 1, found "0"'],
  ["bulk.ts", { RUNS: "x" }, 'RUNS must be a whole number from 1, found "x"'],
  ["soak.ts", { MINUTES: "1" }, 'MINUTES must be a whole number from 2, found "1"'],
  ["soak.ts", { SEED: "x" }, 'SEED must be a whole number from 0, found "x"'],
];

for (const [program, environment, words] of WRONG) {
  const [[name, value] = []] = Object.entries(environment);
  test(`${program} with ${name}=${value} starts nothing, says why, and ends with 2`, () => {
    const env = { ...process.env, ...environment };
    const done = spawnSync(process.execPath, [join(BENCH, program)], { encoding: "utf8", env });
    assert.deepEqual([done.status, done.stdout], [2, ""], done.stderr);
    assert.ok(done.stderr.startsWith(`Cannot start: ${words}`), done.stderr);
  });
}
