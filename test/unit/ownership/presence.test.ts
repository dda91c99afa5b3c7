// Tests of this node's own Lease: when a renewal is due, and what says that the API is in reach.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { Presence } from "../../../src/ownership/presence.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import { member } from "../../support/ownership-words.ts";

function written(presence: Presence, sentAt: number, now: number, version = "10"): void {
  const record = member("node-a", { resourceVersion: version });
  presence.written(bootMs(sentAt), { kind: "written", record }, bootMs(now));
}

/** The first renewal was sent at 0, and answered at 400. */
function renewed(): Presence {
  const presence = new Presence(DEFAULT_TIMINGS);
  presence.renewNow(bootMs(0));
  assert.equal(presence.shouldWrite(bootMs(0)), true);
  written(presence, 0, 400);
  return presence;
}

test("Presence is not confirmed and writes nothing before it is told to", () => {
  const presence = new Presence(DEFAULT_TIMINGS);
  assert.equal(presence.resourceVersion, null);
  assert.equal(presence.isConfirmed(bootMs(0)), false);
  assert.equal(presence.hasFailed, false);
  assert.equal(presence.shouldWrite(bootMs(1e9)), false);
  assert.equal(presence.nextDeadline(), NEVER);
});

test("Presence.written() confirms from when the renewal was sent, for the renew deadline", () => {
  const presence = renewed();
  assert.equal(presence.resourceVersion, "10");
  assert.equal(presence.isConfirmed(bootMs(9_999)), true);
  assert.equal(presence.isConfirmed(bootMs(10_000)), false);
  assert.equal(presence.nextDeadline(), 5_000);
});

for (const kind of ["failed", "conflict"] as const) {
  test(`Presence.written() confirms nothing after "${kind}", and tries again after retryMs`, () => {
    const presence = renewed();
    assert.equal(presence.shouldWrite(bootMs(5_000)), true);
    presence.written(bootMs(5_000), { kind }, bootMs(5_800));
    assert.equal(presence.isConfirmed(bootMs(9_999)), true);
    assert.equal(presence.isConfirmed(bootMs(10_000)), false);
    assert.equal(presence.hasFailed, kind === "failed");
    assert.equal(presence.nextDeadline(), 6_800);
    assert.equal(presence.shouldWrite(bootMs(6_799)), false);
    assert.equal(presence.shouldWrite(bootMs(6_800)), true);
    written(presence, 6_800, 6_900);
    assert.equal(presence.hasFailed, false);
    assert.equal(presence.isConfirmed(bootMs(16_799)), true);
  });
}

test("Presence.written() with a conflict ends no outage: the answer may have been lost", () => {
  const presence = renewed();
  presence.shouldWrite(bootMs(5_000));
  presence.written(bootMs(5_000), { kind: "failed" }, bootMs(7_000));
  presence.shouldWrite(bootMs(8_000));
  presence.written(bootMs(8_000), { kind: "conflict" }, bootMs(8_010));
  assert.equal(presence.hasFailed, true);
});

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
  assert.equal(presence.nextDeadline(), NEVER);
  written(presence, 5_000, 5_100);
  assert.equal(presence.nextDeadline(), 5_050);
  assert.equal(presence.shouldWrite(bootMs(5_100)), true);
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
