// Tests that a node file which `lbd --check` calls valid has settings with which ownership works.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseNodeFile } from "../../../src/config/node-file.ts";
import { checkTimings, timingsFor } from "../../../src/ownership/timings.ts";

test("checkTimings() accepts the beacons of every node file that is valid", () => {
  const intervals = fc.constantFrom(20, 21, 24, 25, 400, 999, 1_000);
  const multipliers = fc.integer({ min: 2, max: 10 });
  let valid = 0;
  const property = fc.property(intervals, multipliers, (intervalMs, multiplier) => {
    const text = `beacons: {intervalMs: ${intervalMs}, multiplier: ${multiplier}}`;
    const parsed = parseNodeFile(text, "n1");
    if (!parsed.ok) return;
    valid += 1;
    checkTimings(timingsFor(parsed.value.beacons));
  });
  fc.assert(property, { numRuns: 300 });
  assert.ok(valid > 0);
});
