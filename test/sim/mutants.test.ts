// The simulator must see every bug that is put into the code, by the promise that it breaks; the
// code as it is shipped passes the same seeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MUTANTS } from "./support/mutants.ts";
import { loadMutant } from "./support/patched-code.ts";
import { runSeed } from "./support/runner.ts";

/** A bug that needs more seeds than this is not caught. */
const SEEDS_MAX = 400;

for (const mutant of MUTANTS) {
  test(`the simulator catches: ${mutant.name}`, async () => {
    const code = await loadMutant(mutant);
    const kinds = mutant.kinds === undefined ? {} : { kinds: mutant.kinds };
    const others = new Set<string>();
    const first = mutant.firstSeed ?? 1;
    for (let seed = first; seed < first + SEEDS_MAX; seed++) {
      const { failure } = runSeed(seed, { code, ...kinds });
      if (failure === null) continue;
      others.add(failure.invariant);
      if (!mutant.caughtBy.includes(failure.invariant)) continue;
      const shipped = runSeed(seed, kinds);
      assert.equal(shipped.failure, null, `the shipped code fails seed ${seed}, too`);
      return;
    }
    assert.fail(`in ${SEEDS_MAX} seeds nothing but [${[...others].join(", ")}] was broken`);
  });
}
