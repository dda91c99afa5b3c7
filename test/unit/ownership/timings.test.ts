// Tests of the inequalities between the bounds: each one broken alone, at its very edge.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Timings } from "../../../src/ownership/timings.ts";
import { checkTimings, comebackMs, DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";

interface Bad {
  readonly name: string;
  readonly changes: Partial<Timings>;
  readonly message: RegExp;
}

const BAD: readonly Bad[] = [
  {
    name: "a Lease that ends with the tenure",
    changes: { leaseDurationMs: 10_000 },
    message: /leaseDurationMs > renewDeadlineMs/,
  },
  {
    name: "a deadline without room for a failed renewal",
    changes: { renewDeadlineMs: 8_000 },
    message: /renewDeadlineMs leaves room for one failed renewal/,
  },
  {
    name: "a Lease that ends before a live node can be back",
    changes: { leaseDurationMs: 11_000, writeTimeoutMs: 5_000, renewIntervalMs: 1_000 },
    message: /leaseDurationMs leaves time to come back/,
  },
  {
    name: "a hold-on of two steps",
    changes: { holdOnStepMs: 1_500 },
    message: /holdOnMs > two steps/,
  },
  {
    name: "a hold-on as long as the slack of the Lease",
    changes: { holdOnMs: 5_000 },
    message: /holdOnMs < the Lease's slack/,
  },
];

for (const { name, changes, message } of BAD) {
  test(`checkTimings() throws for ${name}`, () => {
    assert.throws(() => checkTimings({ ...DEFAULT_TIMINGS, ...changes }), message);
  });
}

const GOOD: readonly { readonly name: string; readonly changes: Partial<Timings> }[] = [
  { name: "the defaults", changes: {} },
  { name: "a deadline with just room for a failure", changes: { renewDeadlineMs: 8_001 } },
  { name: "a hold-on just above two steps", changes: { holdOnStepMs: 1_499 } },
  { name: "a hold-on just below the slack", changes: { holdOnMs: 4_999 } },
];

for (const { name, changes } of GOOD) {
  test(`checkTimings() accepts ${name}`, () => {
    checkTimings({ ...DEFAULT_TIMINGS, ...changes });
  });
}

test("comebackMs() is a retry after a write that ran out, and one more write", () => {
  assert.equal(comebackMs(DEFAULT_TIMINGS), 5_000);
  assert.equal(comebackMs({ ...DEFAULT_TIMINGS, retryMs: 500, writeTimeoutMs: 3_000 }), 6_500);
});
