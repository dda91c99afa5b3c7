// The wait between attempts: growth, cap, jitter and what the server asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BackoffOptions, backoffMs } from "../../../src/k8s-sync/backoff.ts";

const TABLE: readonly {
  name: string;
  attempt: number;
  random: number;
  options?: BackoffOptions;
  expected: number;
}[] = [
  { name: "absurd attempt stays at the cap", attempt: 1e9, random: 1, expected: 10_000 },
  {
    name: "hostile Retry-After is bounded",
    attempt: 0,
    random: 0,
    options: { retryAfterMs: 1e9 },
    expected: 60_000,
  },
  {
    name: "negative Retry-After is ignored",
    attempt: 0,
    random: 0,
    options: { retryAfterMs: -5 },
    expected: 100,
  },
  { name: "first, shortest", attempt: 0, random: 0, expected: 100 },
  { name: "first, longest", attempt: 0, random: 1, expected: 200 },
  { name: "doubles", attempt: 3, random: 1, expected: 1_600 },
  { name: "cap", attempt: 6, random: 1, expected: 10_000 },
  { name: "cap, half of it", attempt: 6, random: 0, expected: 5_000 },
  { name: "own cap", attempt: 6, random: 1, options: { capMs: 700 }, expected: 700 },
  {
    name: "Retry-After wins when longer",
    attempt: 0,
    random: 0,
    options: { retryAfterMs: 3_000 },
    expected: 3_000,
  },
  {
    name: "Retry-After is jittered upwards",
    attempt: 0,
    random: 1,
    options: { retryAfterMs: 3_000 },
    expected: 3_300,
  },
  {
    name: "Retry-After loses when shorter",
    attempt: 6,
    random: 0,
    options: { retryAfterMs: 1_000 },
    expected: 5_000,
  },
];

for (const row of TABLE) {
  test(`backoffMs() ${row.name}`, () => {
    const ms = backoffMs(row.attempt, () => row.random, row.options);
    assert.ok(Math.abs(ms - row.expected) < 1e-6, `${ms}`);
  });
}

test("backoffMs() is always positive and bounded", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const asked = fc.option(fc.double({ noNaN: true }), { nil: undefined });
  fc.assert(
    fc.property(fc.nat(), random, asked, (attempt, r, retryAfterMs) => {
      const ms = backoffMs(attempt, () => r, { retryAfterMs });
      assert.ok(ms >= 100 && ms <= 66_000, `${ms}`);
    }),
  );
});
