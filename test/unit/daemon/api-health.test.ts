// Tests of how well the API can be reached: by each resource, by the Leases, and at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { apiHealth } from "../../../src/daemon/api-health.ts";
import type { ApiFailure } from "../../../src/k8s-sync/outcome.ts";

const LATE: ApiFailure = { kind: "timeout", message: "late" };

const ROWS: readonly (readonly [failing: readonly string[], isReachable: boolean])[] = [
  [["services", "nodes", "leases"], false],
  [["services", "nodes"], true],
  [[], true],
];

for (const [failing, isReachable] of ROWS) {
  test(`apiHealth() with ${failing.length} of 3 resources failing: ${isReachable}`, () => {
    const failures = new Map(failing.map((resource) => [resource, LATE]));
    const lastContactAt = bootMs(7);
    const reflectors = { failures: () => failures, count: 3, lastContactAt: () => lastContactAt };
    const health = apiHealth(reflectors, { failure: () => null });
    assert.deepEqual(health, { failures, leaseFailure: null, isReachable, lastContactAt });
  });
}

test("apiHealth() has why Leases cannot be written though all can be read", () => {
  const reflectors = { failures: () => new Map(), count: 3, lastContactAt: () => null };
  const health = apiHealth(reflectors, { failure: () => LATE });
  assert.deepEqual([health.leaseFailure, health.isReachable], [LATE, true]);
  assert.equal(health.lastContactAt, null);
});
