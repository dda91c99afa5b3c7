// Tests of the plan of a soak: reproducible, one fault at a time, and everything mended at the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS, planSoak, type SoakStep } from "../../bench/soak-plan.ts";

const HOUR_MS = 3_600_000;
const SEEDS = Array.from({ length: 50 }, (_, i) => i);

function faultsOf(steps: readonly SoakStep[]): SoakStep[] {
  return steps.filter((step) => !("service" in step));
}

test("planSoak() is the same for the same seed, and another one for another", () => {
  assert.deepEqual(planSoak(7, HOUR_MS), planSoak(7, HOUR_MS));
  assert.notDeepEqual(planSoak(7, HOUR_MS), planSoak(8, HOUR_MS));
});

test("planSoak() is in order, and ends in time to be well at the end", () => {
  for (const seed of SEEDS) {
    const times = planSoak(seed, HOUR_MS).steps.map(({ atMs }) => atMs);
    assert.deepEqual(
      [...times].sort((a, b) => a - b),
      times,
    );
    assert.ok((times.at(-1) ?? 0) <= HOUR_MS - 30_000);
  }
});

test("planSoak() mends each fault before the next one, on the same node", () => {
  const ends: Readonly<Record<string, string>> = {
    "daemon stopped": "daemon started",
    "cables pulled": "cables plugged",
    "data cable pulled": "data cable plugged",
    "api stopped": "api started",
  };
  for (const seed of SEEDS) {
    const faults = faultsOf(planSoak(seed, HOUR_MS).steps);
    assert.equal(faults.length % 2, 0);
    assert.ok(faults.length > 60, "something happens");
    for (let i = 0; i < faults.length; i += 2) {
      const [begin, end] = [faults[i], faults[i + 1]];
      assert.equal(end?.kind, ends[begin?.kind ?? ""]);
      assert.equal(nodeOf(end), nodeOf(begin));
      assert.equal(nodeOf(begin) === null, begin?.kind === "api stopped");
    }
  }
});

test("planSoak() has every kind of fault in an hour, and never stops the steady daemon", () => {
  for (const seed of SEEDS) {
    const { steps, steady } = planSoak(seed, HOUR_MS);
    const kinds = new Set(steps.map(({ kind }) => kind));
    for (const kind of FAULT_KINDS) assert.ok(kinds.has(kind), `seed ${seed}: ${kind}`);
    const stopped = steps.filter(({ kind }) => kind === "daemon stopped").map(nodeOf);
    assert.ok(!stopped.includes(steady), `seed ${seed}`);
  }
});

test("planSoak() keeps about fifty Services, no two with one address or name", () => {
  for (const seed of SEEDS) {
    const { services, steps } = planSoak(seed, HOUR_MS);
    const living = new Map(services.map(({ name, address }) => [name, address]));
    const names = new Set(living.keys());
    for (const step of steps) {
      if (step.kind === "service created") {
        const { name, address } = step.service;
        assert.ok(!names.has(name) && ![...living.values()].includes(address) && address !== "");
        names.add(name);
        living.set(name, address);
      }
      if (step.kind === "service deleted") assert.ok(living.delete(step.service.name));
      assert.ok(living.size >= 45 && living.size <= 55);
    }
  }
});

test("planSoak() changes no Service while the API is stopped", () => {
  for (const seed of SEEDS) {
    let isStopped = false;
    for (const step of planSoak(seed, HOUR_MS).steps) {
      if (step.kind === "api stopped") isStopped = true;
      if (step.kind === "api started") isStopped = false;
      assert.ok(!(isStopped && "service" in step), `seed ${seed}`);
    }
  }
});

function nodeOf(step: SoakStep | undefined): number | null {
  return step !== undefined && "node" in step ? step.node : null;
}
