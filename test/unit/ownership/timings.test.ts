// Tests of the inequalities between the bounds: each one broken alone, at its very edge.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Timings } from "../../../src/ownership/timings.ts";
import {
  checkTimings,
  comebackMs,
  DEFAULT_TIMINGS,
  holdMsFor,
  timingsFor,
} from "../../../src/ownership/timings.ts";

interface Bad {
  readonly name: string;
  readonly changes: Partial<Timings>;
  readonly message: RegExp;
}

const BAD: readonly Bad[] = [
  {
    name: "a Lease that ends with the renew deadline",
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
    name: "a hold as long as the time between two renewals",
    changes: { holdMs: 5_000 },
    message: /holdMs < renewIntervalMs/,
  },
  {
    name: "a hold that is as long where there are many nodes",
    changes: { multiplier: 20 },
    message: /holdMs < renewIntervalMs, with all nodes/,
  },
  {
    name: "a claim that waits for as long as peers wait for a beacon",
    changes: { claimWaitMs: 300 },
    message: /claimWaitMs < holdMs/,
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
  { name: "a hold just below the time between renewals", changes: { holdMs: 4_999 } },
  { name: "a claim that waits for just less than the hold", changes: { claimWaitMs: 299 } },
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

test("timingsFor() holds for the beacons' interval times their multiplier", () => {
  assert.deepEqual(timingsFor({ intervalMs: 100, multiplier: 3 }), DEFAULT_TIMINGS);
  const slow = timingsFor({ intervalMs: 500, multiplier: 5 });
  assert.deepEqual(slow, { ...DEFAULT_TIMINGS, holdMs: 2_500, multiplier: 5 });
});

test("holdMsFor() grows by a multiplier of 1 ms for each node beyond the interval", () => {
  const holds = [1, 100, 101, 200, 257, 258, 5_000].map((nodes) =>
    holdMsFor(DEFAULT_TIMINGS, nodes),
  );
  assert.deepEqual(holds, [300, 300, 303, 600, 771, 771, 771]);
});

test("timingsFor() gives a claim no more time than a tenure lasts, however short", () => {
  const waits = [30, 32, 36, 40, 40].values();
  for (const intervalMs of [20, 21, 23, 25, 1_000]) {
    const timings = timingsFor({ intervalMs, multiplier: 2 });
    checkTimings(timings);
    assert.equal(timings.claimWaitMs, waits.next().value, `${intervalMs} ms`);
  }
});
