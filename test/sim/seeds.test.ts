// Virtual cluster-hours with faults, judged from outside the nodes: the first third of the seeds,
// or the one that SIM_SEED names, with SIM_FAULT_S seconds of faults and clocks within
// SIM_RATE_ERROR of true time. A failure prints its seed, which repeats it exactly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_MS, RATE_ERROR, runSeed } from "./support/runner.ts";
import { keepPromises } from "./support/seed-range.ts";

const ONE = process.env.SIM_SEED;
const ONE_FAULT_MS = 1_000 * Number(process.env.SIM_FAULT_S ?? FAULT_MS / 1_000);
const ONE_RATE_ERROR = Number(process.env.SIM_RATE_ERROR ?? RATE_ERROR);

test("the first third of the seeds: no promise is broken", () => {
  if (ONE === undefined) keepPromises({ first: 1, runs: 80, faultMs: 1_200_000 }, 25_000);
  else {
    const how = { faultMs: ONE_FAULT_MS, rateError: ONE_RATE_ERROR };
    keepPromises({ first: Number(ONE), runs: 1, ...how }, 0);
  }
});

test("a seed that runs twice does the same twice", () => {
  for (const seed of [3, 17, 92]) {
    const [one, other] = [runSeed(seed), runSeed(seed)];
    assert.equal(one.fingerprint, other.fingerprint);
    assert.deepEqual(one.figures, other.figures);
  }
});
