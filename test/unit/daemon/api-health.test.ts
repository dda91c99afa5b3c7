// Tests of how well the API can be reached: by each resource, by the Leases, and at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { apiHealth } from "../../../src/daemon/api-health.ts";
import type { CredentialsState } from "../../../src/daemon/credentials-findings.ts";
import type { ApiFailure } from "../../../src/k8s-sync/outcome.ts";

const LATE: ApiFailure = { kind: "timeout", message: "late" };

const CREDENTIALS: CredentialsState = {
  path: "/etc/lbd/kubeconfig",
  inUse: true,
  problem: null,
  foreignCluster: null,
  kind: "token",
  validity: null,
  leftMs: null,
  isRenewed: false,
  renewalFailure: null,
};

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
    const health = apiHealth(reflectors, { failure: () => null }, CREDENTIALS);
    const fine = { trouble: null, credentials: [] };
    assert.deepEqual(health, { failures, leaseFailure: null, isReachable, lastContactAt, ...fine });
  });
}

test("apiHealth() has why Leases cannot be written though all can be read", () => {
  const reflectors = { failures: () => new Map(), count: 3, lastContactAt: () => null };
  const health = apiHealth(reflectors, { failure: () => LATE }, CREDENTIALS);
  assert.deepEqual([health.leaseFailure, health.isReachable], [LATE, true]);
  assert.equal(health.lastContactAt, null);
});

for (const [name, state, trouble] of [
  ["there are no credentials", { inUse: false }, /^waiting for credentials: sudo lbctl bootstrap/],
  ["they are of another cluster", { foreignCluster: "other" }, /leads to another cluster/],
] as const) {
  test(`apiHealth() tells but one thing when ${name}`, () => {
    const failures = new Map([["services", LATE]]);
    const reflectors = { failures: () => failures, count: 3, lastContactAt: () => null };
    const health = apiHealth(reflectors, { failure: () => LATE }, { ...CREDENTIALS, ...state });
    assert.deepEqual(
      [health.failures.size, health.leaseFailure, health.isReachable],
      [...[0, null, false]],
    );
    assert.match(health.trouble ?? "", trouble);
    assert.deepEqual(
      health.credentials.map((finding) => finding.health),
      ["failing"],
    );
  });
}
