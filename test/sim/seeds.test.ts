// Virtual cluster-hours with faults, judged from outside the nodes: the first half of the seeds, or
// the one that SIM_SEED names, with SIM_FAULT_S seconds of faults. A failure prints its seed, which
// repeats it exactly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_MS, runSeed } from "./support/runner.ts";
import { keepPromises } from "./support/seed-range.ts";

const ONE = process.env.SIM_SEED;
const ONE_FAULT_MS = 1_000 * Number(process.env.SIM_FAULT_S ?? FAULT_MS / 1_000);

test("the first half of the seeds: no promise is broken", () => {
  if (ONE === undefined) keepPromises({ first: 1, runs: 365 }, 25_000);
  else keepPromises({ first: Number(ONE), runs: 1, faultMs: ONE_FAULT_MS }, 0);
});

test("a seed that runs twice does the same twice", () => {
  for (const seed of [3, 17, 92]) {
    const [one, other] = [runSeed(seed), runSeed(seed)];
    assert.equal(one.fingerprint, other.fingerprint);
    assert.deepEqual(one.figures, other.figures);
  }
});
