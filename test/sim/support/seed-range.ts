// A range of seeds, each with a promise to keep: run by two test files side by side.

import assert from "node:assert/strict";
import { FAULTS } from "./faults.ts";
import { runSeed, type SeedReport } from "./runner.ts";

/** Runs the seeds; at least `faultsMin` faults, and one of every kind, must have been injected. */
export function keepPromises(
  range: { readonly first: number; readonly runs: number },
  faultsMin: number,
): void {
  const injected = new Map<string, number>();
  let moves = 0;
  for (let seed = range.first; seed < range.first + range.runs; seed++) {
    const report = runSeed(seed);
    assert.equal(report.failure, null, failureText(report));
    moves += report.figures.moves;
    for (const [kind, count] of report.faults) {
      injected.set(kind, (injected.get(kind) ?? 0) + count);
    }
  }
  const total = [...injected.values()].reduce((sum, count) => sum + count, 0);
  console.log(`sim: ${range.runs} runs, ${total} faults, ${moves} moves`);
  if (faultsMin === 0) return;
  assert.ok(total >= faultsMin, `only ${total} faults were injected`);
  const never = FAULTS.filter((kind) => !injected.has(kind.name)).map((kind) => kind.name);
  assert.deepEqual(never, []);
}

export function failureText({ seed, failure, story }: SeedReport): string {
  return `seed ${seed}: ${failure?.message}\n${story.join("\n")}`;
}
