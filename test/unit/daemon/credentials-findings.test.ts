// Tests of what is said of a node's credentials, and of how long they are good.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import {
  type CredentialsState,
  credentialsFindings,
  credentialsTrouble,
} from "../../../src/daemon/credentials-findings.ts";
import { isDue, isNearEnd, leftMs } from "../../../src/daemon/token-life.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const ISSUED = wallMs(Date.UTC(2026, 0, 1));

function validFor(ms: number) {
  return { issuedAt: ISSUED, expiresAt: wallMs(ISSUED + ms) };
}

const FINE: CredentialsState = {
  path: "/etc/lbd/kubeconfig",
  inUse: true,
  problem: null,
  foreignCluster: null,
  kind: "token",
  validity: validFor(HOUR_MS),
  leftMs: 50 * MINUTE_MS,
  isRenewed: true,
  renewalFailure: null,
};

interface Row {
  readonly name: string;
  readonly state: Partial<CredentialsState>;
  /** Health, and words of what, cause and next. */
  readonly expected: readonly [string, RegExp, RegExp, RegExp] | null;
  readonly trouble?: RegExp;
}

const ROWS: readonly Row[] = [
  {
    name: "nothing there",
    state: { inUse: false, problem: "there is no such file" },
    expected: ["failing", /no credentials/, /there is no such file/, /sudo lbctl bootstrap/],
    trouble: /^waiting for credentials: sudo lbctl bootstrap --kubeconfig admin\.conf$/,
  },
  {
    name: "another cluster's",
    state: { foreignCluster: 'is "a", not "b"' },
    expected: ["failing", /another cluster/, /is "a", not "b"/, /lbctl leave --force/],
    trouble: /another cluster/,
  },
  {
    name: "a kubeconfig that was spoilt",
    state: { problem: "valid YAML" },
    expected: ["degraded", /the one before it stays in use/, /valid YAML/, /lbctl join/],
  },
  {
    name: "a token that has expired",
    state: { leftMs: 0, renewalFailure: "cannot be reached" },
    expected: ["degraded", /has expired: holdover/, /T01:00:00.*cannot be reached/, /lbctl join/],
    trouble: /^the token has expired: sudo lbctl join/,
  },
  {
    name: "a token near its end",
    state: { leftMs: 14 * MINUTE_MS, renewalFailure: "cannot be reached" },
    expected: ["degraded", /ends in 14 min/, /cannot be reached/, /look at the API server/],
  },
  {
    name: "a token near its end that nobody renews",
    state: { leftMs: 13 * DAY_MS, validity: validFor(365 * DAY_MS), isRenewed: false },
    expected: ["degraded", /ends in 13 days/, /not one that lbd renews/, /^sudo lbctl join/],
  },
  {
    name: "a client certificate near its end",
    state: {
      ...{ kind: "client certificate", leftMs: 3 * HOUR_MS, validity: validFor(DAY_MS) },
      isRenewed: false,
    },
    expected: ["degraded", /client certificate of this node ends in 3 h/, /not one/, /lbctl join/],
  },
  { name: "a token in its first half", state: {}, expected: null },
  { name: "a token without an end", state: { validity: null, leftMs: null }, expected: null },
  {
    name: "a year's token with a month left",
    state: { leftMs: 30 * DAY_MS, validity: validFor(365 * DAY_MS) },
    expected: null,
  },
];

for (const { name, state, expected, trouble } of ROWS) {
  test(`credentialsFindings() of ${name}`, () => {
    const found = credentialsFindings({ ...FINE, ...state });
    assert.equal(found.length, expected === null ? 0 : 1);
    const [finding] = found;
    if (expected !== null && finding !== undefined) {
      const [health, what, cause, next] = expected;
      assert.equal(finding.health, health);
      assert.match(finding.what, what);
      assert.match(finding.cause, cause);
      assert.match(finding.next, next);
    }
    const short = credentialsTrouble({ ...FINE, ...state });
    if (trouble === undefined) assert.equal(short, null);
    else assert.match(short ?? "", trouble);
  });
}

const HOUR = validFor(HOUR_MS);
const DUE: readonly (readonly [leftMinutes: number, share: number, expected: boolean])[] = [
  [31, 0, false],
  [30, 0, true],
  [21, 0.999, false],
  [20, 0.999, true],
  [-5, 0.999, true],
];

for (const [minutes, share, expected] of DUE) {
  test(`isDue() with ${minutes} of 60 min left, share ${share}: ${expected}`, () => {
    assert.equal(isDue(HOUR, minutes * MINUTE_MS, share), expected);
  });
}

test("isNearEnd() from a quarter of the life on, or two weeks before the end", () => {
  assert.deepEqual(
    [16, 15].map((minutes) => isNearEnd(HOUR, minutes * MINUTE_MS)),
    [false, true],
  );
  const year = validFor(365 * DAY_MS);
  assert.deepEqual(
    [15, 14].map((days) => isNearEnd(year, days * DAY_MS)),
    [false, true],
  );
});

test("leftMs() goes by the boot clock once this process got the token", () => {
  const future = wallMs(ISSUED + 100 * DAY_MS);
  assert.equal(leftMs(HOUR, bootMs(0), { boot: bootMs(MINUTE_MS), wall: future }), 59 * MINUTE_MS);
  assert.equal(
    leftMs(HOUR, null, { boot: bootMs(5), wall: wallMs(ISSUED + MINUTE_MS) }),
    3_540_000,
  );
});
