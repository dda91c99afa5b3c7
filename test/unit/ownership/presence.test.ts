// Tests of this node's Lease and its tenure: when a renewal is due, what its end hangs on, and how
// it is held on to while the API is away.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { Presence } from "../../../src/ownership/presence.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import { member } from "../../support/ownership-words.ts";

function written(presence: Presence, sentAt: number, now: number, version = "10"): boolean {
  const record = member("node-a", { resourceVersion: version });
  return presence.written(bootMs(sentAt), { kind: "written", record }, bootMs(now));
}

/** The first renewal was sent at 0, and answered at 400. */
function renewed(): Presence {
  const presence = new Presence(DEFAULT_TIMINGS);
  presence.renewNow(bootMs(0));
  assert.equal(presence.shouldWrite(bootMs(0)), true);
  assert.equal(written(presence, 0, 400), true);
  return presence;
}

test("Presence has no tenure, is not confirmed and writes nothing before it is told to", () => {
  const presence = new Presence(DEFAULT_TIMINGS);
  assert.equal(presence.tenureUntil, Number.NEGATIVE_INFINITY);
  assert.equal(presence.isConfirmed(bootMs(0)), false);
  assert.equal(presence.shouldWrite(bootMs(1e9)), false);
  assert.equal(presence.holdOn(bootMs(0)), false);
  assert.equal(presence.nextDeadline(bootMs(0)), NEVER);
});

test("Presence.written() counts the tenure from when the renewal was sent", () => {
  const presence = renewed();
  assert.equal(presence.tenureUntil, 10_000);
  assert.equal(presence.resourceVersion, "10");
  assert.equal(presence.isConfirmed(bootMs(9_999)), true);
  assert.equal(presence.isConfirmed(bootMs(10_000)), false);
  assert.equal(presence.nextDeadline(bootMs(400)), 5_000);
});

for (const kind of ["failed", "conflict"] as const) {
  test(`Presence.written() moves nothing after "${kind}", and tries again after retryMs`, () => {
    const presence = renewed();
    assert.equal(presence.shouldWrite(bootMs(5_000)), true);
    assert.equal(presence.written(bootMs(5_000), { kind }, bootMs(5_800)), false);
    assert.equal(presence.tenureUntil, 10_000);
    assert.equal(presence.isConfirmed(bootMs(10_000)), false);
    assert.equal(presence.hasFailed, kind === "failed");
    assert.equal(presence.shouldWrite(bootMs(6_799)), false);
    assert.equal(presence.shouldWrite(bootMs(6_800)), true);
    written(presence, 6_800, 6_900);
    assert.equal(presence.hasFailed, false);
  });
}

test("Presence.shouldWrite() allows one write at a time, every renewIntervalMs", () => {
  const presence = renewed();
  const due = [4_999, 5_000, 5_001, 30_000].map((now) => presence.shouldWrite(bootMs(now)));
  assert.deepEqual(due, [false, true, false, false]);
  assert.equal(presence.isWriting, true);
  written(presence, 5_000, 5_100);
  assert.equal(presence.isWriting, false);
  assert.equal(presence.shouldWrite(bootMs(9_999)), false);
  assert.equal(presence.shouldWrite(bootMs(10_000)), true);
});

test("Presence.renewNow() during a write makes another due as soon as that has ended", () => {
  const presence = renewed();
  presence.shouldWrite(bootMs(5_000));
  presence.renewNow(bootMs(5_050));
  assert.equal(presence.shouldWrite(bootMs(5_060)), false);
  written(presence, 5_000, 5_100);
  assert.equal(presence.shouldWrite(bootMs(5_100)), true);
});

test("Presence.holdOn() pushes an unconfirmed tenure on, a step at a time", () => {
  const presence = renewed();
  presence.shouldWrite(bootMs(5_000));
  const steps = [6_999, 7_000, 7_999, 8_000, 8_999, 9_000].map((now) => {
    const hasMoved = presence.holdOn(bootMs(now));
    return [hasMoved, presence.tenureUntil];
  });
  assert.deepEqual(steps, [
    [false, 10_000],
    // The step is due, and does not reach beyond what is had.
    [false, 10_000],
    [false, 10_000],
    [true, 11_000],
    [false, 11_000],
    [true, 12_000],
  ]);
  assert.equal(presence.isConfirmed(bootMs(10_000)), false);
});

test("Presence.holdOn() never wakes a tenure that has lapsed", () => {
  const presence = renewed();
  assert.equal(presence.holdOn(bootMs(10_000)), false);
  assert.equal(presence.tenureUntil, 10_000);
});

test("Presence.holdOn() does nothing while renewals succeed in time", () => {
  const presence = renewed();
  for (let now = 5_000; now <= 60_000; now += 5_000) {
    assert.equal(presence.shouldWrite(bootMs(now)), true);
    assert.equal(written(presence, now, now + 1_000), true);
    assert.equal(presence.tenureUntil, now + 10_000);
    assert.equal(presence.holdOn(bootMs(now + 4_999)), false);
  }
});

test("Presence.written() shortens no tenure that was held on to", () => {
  const presence = renewed();
  presence.shouldWrite(bootMs(5_000));
  for (const now of [8_000, 9_000, 10_000, 11_000, 12_000, 13_000]) presence.holdOn(bootMs(now));
  assert.equal(presence.tenureUntil, 16_000);
  assert.equal(written(presence, 5_000, 13_100), false);
  assert.equal(presence.tenureUntil, 16_000);
  assert.equal(presence.isConfirmed(bootMs(13_100)), true);
});

test("Presence.observe() takes the newer version, or that there is no Lease", () => {
  const presence = renewed();
  presence.observe(member("node-a", { resourceVersion: "9" }));
  assert.equal(presence.resourceVersion, "10");
  presence.observe(member("node-a", { resourceVersion: "11" }));
  assert.equal(presence.resourceVersion, "11");
  presence.observe(null);
  assert.equal(presence.resourceVersion, null);
  presence.observe(member("node-a", { resourceVersion: "9" }));
  assert.equal(presence.resourceVersion, "9");
});

test("Presence.nextDeadline() is the renewal, the hold-on, then the end of the tenure", () => {
  const presence = renewed();
  assert.equal(presence.nextDeadline(bootMs(4_000)), 5_000);
  presence.shouldWrite(bootMs(5_000));
  assert.equal(presence.nextDeadline(bootMs(5_000)), 7_000);
  presence.holdOn(bootMs(9_500));
  assert.equal(presence.tenureUntil, 12_500);
  assert.equal(presence.nextDeadline(bootMs(9_500)), 10_500);
  assert.equal(presence.nextDeadline(bootMs(12_500)), NEVER);
});
