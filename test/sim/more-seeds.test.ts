// Virtual cluster-hours with faults, judged from outside the nodes: the other seeds, and clocks
// that differ more than any do.

import { test } from "node:test";
import { keepPromises } from "./support/seed-range.ts";

test("the other seeds: no promise is broken", () => {
  keepPromises({ first: 81, runs: 110, faultMs: 1_200_000 }, 27_500);
});

/** Of the clocks: how far from true time, and the seeds to look at. */
const RATES: readonly (readonly [number, number])[] = [
  [0, 500_001],
  [0.1, 500_011],
];

for (const [rateError, first] of RATES) {
  test(`clocks within ${rateError * 100} % of true time: the bounds hold all the same`, () => {
    keepPromises({ first, runs: 10, rateError }, 0);
  });
}
