// Tests of counting by size.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "../../../src/core/histogram.ts";

test("Histogram counts each value once, at the first bound that it does not pass", () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 2.1, 5, 5.1, 100]) histogram.observe(value);
  assert.deepEqual(histogram.get(), { bounds: [1, 2, 5], counts: [2, 2, 2, 2], sum: 116.7 });
});

test("Histogram.get() is not changed by what comes after", () => {
  const histogram = new Histogram([1]);
  const before = histogram.get();
  histogram.observe(0.5);
  assert.deepEqual(before.counts, [0, 0]);
});
