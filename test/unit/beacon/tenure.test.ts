// Tests of the right to answer on one segment: by which hold it is counted, from when, and that it
// ends once and by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Tenure } from "../../../src/beacon/tenure.ts";
import { TENURE_MARGIN_MS } from "../../../src/core/peer.ts";
import { bootMs } from "../../../src/core/time.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY;

/** With beacons of these holds, of which the last left at 1,000. */
function sentWith(holds: readonly number[], multiplier = 3): Tenure {
  const tenure = new Tenure(multiplier);
  for (const hold of holds) tenure.sending(hold);
  tenure.sent(bootMs(1_000), bootMs(1_000));
  return tenure;
}

test("Tenure has not begun before a beacon was sent, and does not end then", () => {
  const tenure = new Tenure(3);
  tenure.sending(300);
  assert.equal(tenure.hasBegun, false);
  assert.equal(tenure.until, LONG_AGO);
  assert.equal(tenure.takeLapse(bootMs(1e9)), false);
});

test("Tenure lasts for the hold less 10 ms", () => {
  assert.equal(TENURE_MARGIN_MS, 10);
  assert.equal(sentWith([300]).until, 1_290);
  assert.equal(sentWith([300]).hasBegun, true);
});

const HOLDS: readonly (readonly [string, readonly number[], number, number])[] = [
  ["the only beacon", [300], 3, 1_290],
  ["the smallest of those before", [300, 600, 600, 600], 3, 1_290],
  ["not one before the last four", [300, 600, 600, 600, 600], 3, 1_590],
  ["the smallest, also when it is the last", [600, 600, 600, 300], 3, 1_290],
  ["the smallest between", [600, 450, 300, 600, 900], 3, 1_290],
  ["two, with a multiplier of 1", [100, 300, 200], 1, 1_190],
  ["three, with a multiplier of 2", [100, 300, 200, 400], 2, 1_190],
];

for (const [name, holds, multiplier, until] of HOLDS) {
  test(`Tenure is counted with ${name}: ${holds.join()} give ${until}`, () => {
    assert.equal(sentWith(holds, multiplier).until, until);
  });
}

const REPORTS: readonly (readonly [string, number, number, number])[] = [
  ["at once", 1_100, 1_100, 1_390],
  ["late: counted from before the send", 1_100, 1_200, 1_390],
  ["after the tenure that it would renew", 1_100, 1_389, 1_390],
  ["when it would have ended", 1_100, 1_390, 1_290],
  ["of a beacon before the last", 900, 1_150, 1_290],
];

for (const [name, sentAt, now, until] of REPORTS) {
  test(`Tenure.sent() of a beacon at ${sentAt}, reported ${name}: until ${until}`, () => {
    const tenure = sentWith([300]);
    tenure.sending(300);
    tenure.sent(bootMs(sentAt), bootMs(now));
    assert.equal(tenure.until, until);
  });
}

test("Tenure lapses once, at its end and not before", () => {
  const tenure = sentWith([300]);
  const lapses = [1_289.9, 1_290, 1_290, 5_000].map((now) => tenure.takeLapse(bootMs(now)));
  assert.deepEqual(lapses, [false, true, false, false]);
  assert.deepEqual([tenure.hasBegun, tenure.until], [false, LONG_AGO]);
});

test("Tenure that was renewed does not end when it would have", () => {
  const tenure = sentWith([300]);
  tenure.sending(300);
  tenure.sent(bootMs(1_100), bootMs(1_100));
  assert.equal(tenure.takeLapse(bootMs(1_290)), false);
  assert.equal(tenure.takeLapse(bootMs(1_390)), true);
});

test("Tenure begins again with the next beacon, by the holds of those before too", () => {
  const tenure = sentWith([300]);
  tenure.takeLapse(bootMs(2_000));
  tenure.sending(600);
  tenure.sent(bootMs(2_000), bootMs(2_001));
  assert.equal(tenure.until, 2_290);
  assert.equal(tenure.takeLapse(bootMs(2_290)), true);
});

test("Tenure does not begin with a report that is older than it would last", () => {
  const tenure = sentWith([300]);
  tenure.takeLapse(bootMs(1_290));
  tenure.sent(bootMs(1_000), bootMs(1_290));
  assert.equal(tenure.hasBegun, false);
});

test("Tenure does not begin with the report of a beacon that is not its own", () => {
  const tenure = new Tenure(3);
  tenure.sent(bootMs(1_000), bootMs(1_001));
  assert.deepEqual([tenure.hasBegun, tenure.until], [false, LONG_AGO]);
});
