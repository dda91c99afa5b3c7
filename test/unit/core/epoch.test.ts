// Tests of epochs: they compare as pairs, their parts come back, and a claim without the API is
// above what was and below what the record says next.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  epochOf,
  formatEpoch,
  HOLDOVER_MAX,
  holdoverOf,
  leaseEpochOf,
  NO_EPOCH,
  nextHoldover,
} from "../../../src/core/epoch.ts";

const LEASE_MAX = 0xffff_ffff;

const TEXTS: readonly [string, number, number, string][] = [
  ["the largest", LEASE_MAX, HOLDOVER_MAX, "4294967295+65535"],
  ["more claims than are counted", 5, HOLDOVER_MAX + 1, "5+65535"],
  ["the first", 0, 0, "0"],
  ["one of the record", 5, 0, "5"],
  ["the second claim since", 5, 2, "5+2"],
];

for (const [name, lease, holdover, text] of TEXTS) {
  test(`formatEpoch() of ${name} is "${text}"`, () => {
    assert.equal(formatEpoch(epochOf(lease, holdover)), text);
  });
}

test("NO_EPOCH is below every epoch, and its next claim is an epoch", () => {
  assert.ok(NO_EPOCH < epochOf(0));
  assert.equal(holdoverOf(NO_EPOCH), 0);
  assert.equal(nextHoldover(NO_EPOCH), epochOf(0, 1));
});

test("nextHoldover() stays at the last claim that is counted", () => {
  const last = epochOf(7, HOLDOVER_MAX);
  assert.equal(nextHoldover(last), last);
  assert.ok(last < epochOf(8));
});

const anyPair = fc.tuple(
  fc.oneof(fc.constantFrom(0, LEASE_MAX), fc.nat(LEASE_MAX)),
  fc.oneof(fc.constantFrom(0, HOLDOVER_MAX), fc.nat(HOLDOVER_MAX)),
);

test("epochOf() is an exact number that gives both parts back, for any pair", () => {
  fc.assert(
    fc.property(anyPair, ([lease, holdover]) => {
      const epoch = epochOf(lease, holdover);
      assert.ok(Number.isSafeInteger(epoch));
      assert.deepEqual([leaseEpochOf(epoch), holdoverOf(epoch)], [lease, holdover]);
    }),
  );
});

test("epochs compare as their pairs do, for any two", () => {
  fc.assert(
    fc.property(anyPair, anyPair, (a, b) => {
      const byPair = Math.sign(a[0] - b[0]) || Math.sign(a[1] - b[1]);
      assert.equal(Math.sign(epochOf(...a) - epochOf(...b)), byPair);
    }),
  );
});

test("nextHoldover() is above what was and below the next epoch of the Lease", () => {
  fc.assert(
    fc.property(anyPair, ([lease, holdover]) => {
      fc.pre(holdover < HOLDOVER_MAX);
      const next = nextHoldover(epochOf(lease, holdover));
      assert.ok(next > epochOf(lease, holdover));
      assert.ok(next < epochOf(lease + 1));
    }),
  );
});
