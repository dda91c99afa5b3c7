// Deadlines against a naive model: a map that is looked through.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deadlines } from "../../../src/core/deadlines.ts";
import { type BootMs, bootMs, NEVER } from "../../../src/core/time.ts";

test("Deadlines takes what is due, the earliest first, and once", () => {
  const deadlines = new Deadlines<string>();
  deadlines.set("c", bootMs(30));
  deadlines.set("a", bootMs(10));
  deadlines.set("b", bootMs(20));
  assert.equal(deadlines.next, 10);
  assert.deepEqual(deadlines.take(bootMs(20)), ["a", "b"]);
  assert.deepEqual(deadlines.take(bootMs(20)), []);
  assert.equal(deadlines.next, 30);
});

test("Deadlines takes those of one time in the order in which they were set", () => {
  const deadlines = new Deadlines<number>();
  const keys = Array.from({ length: 100 }, (_, i) => i);
  for (const key of keys) deadlines.set(key, bootMs(5));
  assert.deepEqual(deadlines.take(bootMs(5)), keys);
});

test("Deadlines goes by the last that was said of a key", () => {
  const deadlines = new Deadlines<string>();
  deadlines.set("a", bootMs(10));
  deadlines.set("a", bootMs(30));
  deadlines.set("b", bootMs(20));
  deadlines.set("b", NEVER);
  assert.equal(deadlines.next, 30);
  assert.deepEqual(deadlines.take(bootMs(29)), []);
});

const KEY = fc.integer({ min: 0, max: 40 });
const STEP = fc.oneof(
  fc.record({ key: KEY, due: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ key: KEY, due: fc.constant(NEVER as number) }),
  fc.record({ takeAt: fc.integer({ min: 0, max: 50 }) }),
);

test("Deadlines does as a map that is looked through, for any order of calls", () => {
  const property = fc.property(fc.array(STEP, { maxLength: 400 }), (steps) => {
    const deadlines = new Deadlines<number>();
    const model = new Map<number, { due: number; sequence: number }>();
    for (const [sequence, step] of steps.entries()) {
      if ("takeAt" in step) {
        const due = [...model].filter(([, one]) => one.due <= step.takeAt);
        due.sort(([, a], [, b]) => a.due - b.due || a.sequence - b.sequence);
        for (const [key] of due) model.delete(key);
        assert.deepEqual(
          deadlines.take(bootMs(step.takeAt)),
          due.map(([key]) => key),
        );
      } else {
        deadlines.set(step.key, step.due as BootMs);
        if (step.due === NEVER) model.delete(step.key);
        else if (model.get(step.key)?.due !== step.due) {
          model.set(step.key, { due: step.due, sequence });
        }
      }
      assert.equal(deadlines.next, Math.min(NEVER, ...[...model.values()].map(({ due }) => due)));
    }
  });
  fc.assert(property, { numRuns: 300 });
});
