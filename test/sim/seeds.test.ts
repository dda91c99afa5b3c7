// Thousands of virtual cluster-minutes with faults, judged from outside the nodes. A failure prints
// its seed, which repeats it exactly; SIM_SEED=n runs that one alone, SIM_RUNS=n that many.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULTS } from "./support/faults.ts";
import { runSeed, type SeedReport } from "./support/runner.ts";

const FIRST_SEED = Number(process.env.SIM_SEED ?? 1);
const RUNS = Number(process.env.SIM_RUNS ?? (process.env.SIM_SEED === undefined ? 2_000 : 1));
/** Of every kind at least, in a run of the usual length. */
const FAULTS_MIN = 50_000;

test(`seeds ${FIRST_SEED} to ${FIRST_SEED + RUNS - 1}: no promise is broken`, () => {
  const injected = new Map<string, number>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const report = runSeed(seed);
    assert.equal(report.failure, null, failureText(report));
    for (const [kind, count] of report.faults) {
      injected.set(kind, (injected.get(kind) ?? 0) + count);
    }
  }
  const total = [...injected.values()].reduce((sum, count) => sum + count, 0);
  console.log(`sim: ${RUNS} runs, ${total} faults`, Object.fromEntries(injected));
  if (RUNS < 2_000) return;
  assert.ok(total >= FAULTS_MIN, `only ${total} faults were injected`);
  const never = FAULTS.filter((kind) => !injected.has(kind.name)).map((kind) => kind.name);
  assert.deepEqual(never, []);
});

test("a seed that runs twice does the same twice", () => {
  for (const seed of [3, 17, 92]) {
    const [one, other] = [runSeed(seed), runSeed(seed)];
    assert.equal(one.fingerprint, other.fingerprint);
    assert.deepEqual(one.figures, other.figures);
  }
});

test("clocks that run 17 % apart break no promise, the bound being 10 s in 15 s", () => {
  for (let seed = 500_001; seed <= 500_100; seed++) {
    const report = runSeed(seed, { rateError: 0.085 });
    assert.equal(report.failure, null, failureText(report));
  }
});

function failureText({ seed, failure, story }: SeedReport): string {
  return `seed ${seed}: ${failure?.message}\n${story.join("\n")}`;
}
