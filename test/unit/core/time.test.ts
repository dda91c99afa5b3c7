// Points in time and the text of Lease fields.

import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  after,
  bootMs,
  durationMs,
  earliest,
  NEVER,
  toMicroTime,
  wallMs,
} from "../../../src/core/time.ts";

test("toMicroTime() throws for a point that no date can hold", () => {
  assert.throws(() => toMicroTime(wallMs(Number.NaN)), RangeError);
  assert.throws(() => toMicroTime(wallMs(8.64e15 + 1)), RangeError);
});

const TEXTS: readonly (readonly [number, string])[] = [
  [0, "1970-01-01T00:00:00.000000Z"],
  [1, "1970-01-01T00:00:00.001000Z"],
  [1_700_000_000_123, "2023-11-14T22:13:20.123000Z"],
  [1_709_164_800_000, "2024-02-29T00:00:00.000000Z"],
  [-1, "1969-12-31T23:59:59.999000Z"],
];

for (const [at, text] of TEXTS) {
  test(`toMicroTime() of ${at} is ${text}`, () => {
    assert.equal(toMicroTime(wallMs(at)), text);
  });
}

test("toMicroTime() is RFC 3339 with six digits, and the same point when read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (at) => {
      const text = toMicroTime(wallMs(at));
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(Date.parse(text), at);
    }),
  );
});

test("after() moves forward and back", () => {
  assert.equal(after(bootMs(100), 50), 150);
  assert.equal(after(bootMs(100), -50), 50);
  assert.equal(after(bootMs(100), durationMs(0.5)), 100.5);
});

test("after() never comes to the end of time, and never leaves it", () => {
  assert.equal(after(NEVER, -1), NEVER);
  assert.ok(after(bootMs(Number.MAX_SAFE_INTEGER), 1) < NEVER);
});

test("earliest() of nothing is never", () => {
  assert.equal(earliest(), NEVER);
});

test("earliest() is one of its points and none is before it", () => {
  const points = fc.array(fc.integer({ min: 0 }), { minLength: 1 });
  fc.assert(
    fc.property(points, (values) => {
      const first = earliest(...values.map(bootMs), NEVER);
      assert.ok(values.includes(first));
      assert.ok(values.every((value) => value >= first));
    }),
  );
});
