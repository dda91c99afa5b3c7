// Tests of the straight line through samples, and of how sure it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Point, slopeOf } from "../../bench/slope.ts";
import { Prng } from "../../sim/support/prng.ts";

function points(...values: readonly (readonly [x: number, y: number])[]): Point[] {
  return values.map(([x, y]) => ({ x, y }));
}

/** 0, 1, 2, ... */
function at(...values: readonly number[]): Point[] {
  return values.map((y, x) => ({ x, y }));
}

const NOTHING_TO_TELL: readonly (readonly [what: string, points: readonly Point[]])[] = [
  ["no points", []],
  ["two points", at(1, 2)],
  ["points at one x", points([4, 1], [4, 2], [4, 3])],
];

for (const [what, given] of NOTHING_TO_TELL) {
  test(`slopeOf() is null for ${what}`, () => {
    assert.equal(slopeOf(given), null);
  });
}

const LINES: readonly (readonly [points: readonly Point[], perX: number, error: number])[] = [
  [at(5, 5, 5), 0, 0],
  [at(1, 3, 5, 7), 2, 0],
  [points([1_000, 9], [1_002, 8], [1_006, 6]), -0.5, 0],
  // By hand: spread 5, residuals -1, 1, 1, -1 times 0.5 and 1.5; none is like the one before.
  [at(0, 2, 0, 2), 0.4, Math.sqrt(3.2 / 2 / 5)],
];

for (const [given, perX, error] of LINES) {
  test(`slopeOf() of ${given.map(({ y }) => y)} is ${perX}`, () => {
    const slope = slopeOf(given);
    assert.ok(Math.abs((slope?.perX ?? Number.NaN) - perX) < 1e-9, `${slope?.perX}`);
    assert.ok(Math.abs((slope?.error ?? Number.NaN) - error) < 1e-9, `${slope?.error}`);
  });
}

test("slopeOf() does not change when both axes are moved", () => {
  const moved = at(0, 2, 0, 2, 5).map(({ x, y }) => ({ x: x + 500_000, y: y - 300 }));
  const [here, there] = [slopeOf(at(0, 2, 0, 2, 5)), slopeOf(moved)];
  assert.ok(Math.abs((here?.perX ?? 0) - (there?.perX ?? 1)) < 1e-9);
});

test("slopeOf() is less sure of samples that are like the ones before", () => {
  const [apart, alike] = [slopeOf(at(0, 1, 0, 1, 0, 1, 0, 1)), slopeOf(at(0, 0, 1, 1, 1, 1, 0, 0))];
  assert.ok((alike?.error ?? 0) > 1.5 * (apart?.error ?? 1));
});

/** 300 samples of 10 seconds each; x in hours. */
function noisy(seed: number, perHour: number): Point[] {
  const prng = new Prng(seed);
  return Array.from({ length: 300 }, (_, i) => {
    const x = i / 360;
    return { x, y: 40 + perHour * x + prng.int(-2, 2) };
  });
}

test("slopeOf() calls no noise a slope beyond three errors, and finds a real one", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const [flat, leak] = [slopeOf(noisy(seed, 0)), slopeOf(noisy(seed, 4))];
    // One of some 740 is beyond on that side; 200 seeds have none, or the formula is wrong.
    assert.ok((flat?.perX ?? 9) <= 3.5 * (flat?.error ?? 0), `seed ${seed}`);
    assert.ok((leak?.perX ?? 0) > 3 * (leak?.error ?? 9), `seed ${seed}`);
  }
});
