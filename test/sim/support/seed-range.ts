// A range of seeds, each with a promise to keep: run by two test files side by side.

import assert from "node:assert/strict";
import { FAULT_MS, RATE_ERROR, runSeed, type SeedReport } from "./runner.ts";
import {
  addTotals,
  allKinds,
  emptyTotals,
  summaryText,
  tableText,
  totalsOf,
  withoutEffect,
  withoutOccasion,
} from "./totals.ts";

/** Runs the seeds; `effectiveMin` faults, and one of every kind, must have changed something. */
export function keepPromises(
  range: {
    readonly first: number;
    readonly runs: number;
    readonly faultMs?: number;
    readonly rateError?: number;
  },
  effectiveMin: number,
): void {
  const totals = emptyTotals();
  const { faultMs = FAULT_MS, rateError = RATE_ERROR } = range;
  for (let seed = range.first; seed < range.first + range.runs; seed++) {
    const report = runSeed(seed, { faultMs, rateError });
    assert.equal(report.failure, null, failureText(report));
    addTotals(totals, totalsOf(report));
  }
  console.log(`sim: ${summaryText(totals)}\n${tableText(totals)}`);
  if (effectiveMin === 0) return;
  const { effective } = allKinds(totals);
  assert.ok(effective >= effectiveMin, `only ${effective} faults had an effect`);
  assert.deepEqual(withoutEffect(totals), []);
  assert.deepEqual(withoutOccasion(totals), [], "promises that nothing could have broken");
}

export function failureText({ seed, failure, story }: SeedReport): string {
  return `seed ${seed}: ${failure?.message}\n${story.join("\n")}`;
}
