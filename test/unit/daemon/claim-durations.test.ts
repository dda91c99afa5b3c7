// Tests of how long claims take.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { bootMs } from "../../../src/core/time.ts";
import { ClaimDurations } from "../../../src/daemon/claim-durations.ts";
import type { OwnerChange } from "../../../src/ownership/types.ts";

const VIP = "10.0.0.1" as Ip;
const epoch = epochOf(1);
const GAINED: OwnerChange = {
  ...{ type: "gained", address: VIP, epoch, cause: "unheld", previousOwner: null },
};
const LOST: OwnerChange = { type: "lost", address: VIP, epoch, cause: "yielded", detail: "" };

const count = (claims: ClaimDurations) => claims.get().counts.reduce((sum, n) => sum + n, 0);

test("ClaimDurations measures from the claim to the first answer", () => {
  const claims = new ClaimDurations();
  claims.claimed(VIP, bootMs(1_000));
  claims.changed(GAINED, bootMs(1_038));
  assert.deepEqual([count(claims), claims.get().sum], [1, 0.038]);
});

test("ClaimDurations takes no claim that is told again by its owner for a new one", () => {
  const claims = new ClaimDurations();
  claims.claimed(VIP, bootMs(0));
  claims.changed(GAINED, bootMs(10));
  claims.claimed(VIP, bootMs(10));
  claims.changed(LOST, bootMs(5_000));
  claims.claimed(VIP, bootMs(9_000));
  claims.changed(GAINED, bootMs(9_010));
  assert.deepEqual([count(claims), claims.get().sum], [2, 0.02]);
});

test("ClaimDurations forgets what was withdrawn, and measures nothing of what was resumed", () => {
  const claims = new ClaimDurations();
  claims.claimed(VIP, bootMs(0));
  claims.withdrawn(VIP);
  claims.changed(GAINED, bootMs(60_000));
  assert.deepEqual([count(claims), claims.begun], [0, 1]);
});
