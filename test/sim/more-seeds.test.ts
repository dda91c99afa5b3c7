// Virtual cluster-hours with faults, judged from outside the nodes: the second half of the seeds,
// and clocks that differ more than any do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "./support/runner.ts";
import { failureText, keepPromises } from "./support/seed-range.ts";

test("the second half of the seeds: no promise is broken", () => {
  keepPromises({ first: 366, runs: 365 }, 25_000);
});

test("clocks that run a fifth apart: the bounds hold all the same", () => {
  for (let seed = 500_001; seed <= 500_030; seed++) {
    const report = runSeed(seed, { rateError: 0.1 });
    assert.equal(report.failure, null, failureText(report));
  }
});
