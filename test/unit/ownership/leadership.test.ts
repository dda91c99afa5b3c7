// Tests of who is the leader: a Lease by what was seen, leadership by what was sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import type { LeaderRecord, LeaderWrite } from "../../../src/ownership/leadership.ts";
import { LEADER_TIMINGS, Leadership } from "../../../src/ownership/leadership.ts";

const ME = "node-a/1";
const OTHER = "node-b/7";

function record(changes: Partial<LeaderRecord> = {}): LeaderRecord {
  return { holder: OTHER, renewal: "r1", transitions: 3, resourceVersion: "10", ...changes };
}

const MINE = record({ holder: ME, transitions: 4, resourceVersion: "11", renewal: "m1" });
const ACQUISITION: LeaderWrite = {
  resourceVersion: "10",
  holder: ME,
  transitions: 4,
  isAcquisition: true,
};
const RENEWAL: LeaderWrite = { ...ACQUISITION, resourceVersion: "11", isAcquisition: false };

function seeing(first: LeaderRecord | null): Leadership {
  const leadership = new Leadership(ME);
  leadership.observe(first, bootMs(0));
  return leadership;
}

/** Acquired a free Lease by a write that was sent at 0 and answered at 500. */
function leader(): Leadership {
  const leadership = seeing(record({ holder: null }));
  assert.deepEqual(leadership.takeWrite(bootMs(0)), ACQUISITION);
  leadership.written(bootMs(0), { kind: "written", record: MINE }, bootMs(500));
  return leadership;
}

test("LEADER_TIMINGS protect each other", () => {
  const { leaseDurationMs, renewDeadlineMs, retryMs, writeTimeoutMs } = LEADER_TIMINGS;
  assert.ok(leaseDurationMs > renewDeadlineMs);
  assert.ok(renewDeadlineMs > 2 * retryMs + writeTimeoutMs);
});

test("Leadership.takeWrite() writes nothing before the Lease was looked for", () => {
  const leadership = new Leadership(ME);
  assert.equal(leadership.takeWrite(bootMs(1e9)), null);
  assert.equal(leadership.nextDeadline(bootMs(0)), NEVER);
  assert.equal(leadership.isLeader(bootMs(0)), false);
  assert.equal(leadership.holder, null);
});

const AT_ONCE: readonly { name: string; seen: LeaderRecord | null; write: LeaderWrite }[] = [
  {
    name: "creates a Lease where there is none",
    seen: null,
    write: { resourceVersion: null, holder: ME, transitions: 1, isAcquisition: true },
  },
  { name: "takes a Lease given up", seen: record({ holder: null }), write: ACQUISITION },
  {
    name: "renews its own of before a restart, which is no transition",
    seen: MINE,
    write: RENEWAL,
  },
];

for (const { name, seen, write } of AT_ONCE) {
  test(`Leadership.takeWrite() ${name}, once and at once`, () => {
    const leadership = seeing(seen);
    assert.equal(leadership.nextDeadline(bootMs(0)), 0);
    assert.deepEqual(leadership.takeWrite(bootMs(0)), write);
    assert.equal(leadership.takeWrite(bootMs(1_000_000)), null, "one in flight");
    assert.equal(leadership.isLeader(bootMs(0)), false, "not before the answer");
  });
}

test("Leadership.takeWrite() leaves another's Lease for what it was seen to stand", () => {
  const leadership = seeing(record());
  assert.equal(leadership.nextDeadline(bootMs(0)), 15_000);
  leadership.observe(record({ renewal: "r2", resourceVersion: "12" }), bootMs(5_000));
  leadership.observe(record({ renewal: "r2", resourceVersion: "13" }), bootMs(9_000));
  leadership.observe(record({ renewal: "r1", resourceVersion: "9" }), bootMs(9_500));
  assert.equal(leadership.takeWrite(bootMs(19_999)), null);
  assert.equal(leadership.nextDeadline(bootMs(19_999)), 20_000);
  const write = { ...ACQUISITION, resourceVersion: "13" };
  assert.deepEqual(leadership.takeWrite(bootMs(20_000)), write);
});

test("Leadership.isLeader() ends renewDeadline after the renewal was sent, not answered", () => {
  const leadership = leader();
  assert.equal(leadership.holder, ME);
  assert.equal(leadership.isLeader(bootMs(9_999)), true);
  assert.equal(leadership.isLeader(bootMs(10_000)), false);
});

test("Leadership.takeWrite() renews every retryMs from when the last was sent", () => {
  const leadership = leader();
  assert.equal(leadership.nextDeadline(bootMs(500)), 2_000);
  assert.equal(leadership.takeWrite(bootMs(1_999)), null);
  assert.deepEqual(leadership.takeWrite(bootMs(2_000)), RENEWAL);
  assert.equal(leadership.nextDeadline(bootMs(2_000)), 10_000, "the lapse");
  const renewed = record({ ...MINE, renewal: "m2", resourceVersion: "12" });
  leadership.written(bootMs(2_000), { kind: "written", record: renewed }, bootMs(2_100));
  assert.equal(leadership.isLeader(bootMs(11_999)), true);
  assert.equal(leadership.isLeader(bootMs(12_000)), false);
});

for (const kind of ["failed", "conflict"] as const) {
  test(`Leadership.written() "${kind}" prolongs nothing and tries again after retryMs`, () => {
    const leadership = leader();
    leadership.takeWrite(bootMs(2_000));
    leadership.written(bootMs(2_000), { kind }, bootMs(3_000));
    assert.equal(leadership.takeWrite(bootMs(4_999)), null);
    assert.deepEqual(leadership.takeWrite(bootMs(5_000)), RENEWAL);
    assert.equal(leadership.isLeader(bootMs(9_999)), true);
    assert.equal(leadership.isLeader(bootMs(10_000)), false);
  });
}

test("Leadership.observe() of another holder ends the leadership at once", () => {
  const leadership = leader();
  leadership.observe(record({ resourceVersion: "12", renewal: "r2" }), bootMs(1_000));
  assert.equal(leadership.isLeader(bootMs(1_000)), false);
  assert.equal(leadership.holder, OTHER);
  assert.equal(leadership.takeWrite(bootMs(2_000)), null);
  assert.equal(leadership.nextDeadline(bootMs(2_000)), 16_000);
});

test("Leadership.observe() of its own renewal, or of an older record, ends nothing", () => {
  const leadership = leader();
  leadership.observe(MINE, bootMs(600));
  leadership.observe(record({ holder: null }), bootMs(700));
  assert.equal(leadership.isLeader(bootMs(700)), true);
  assert.equal(leadership.nextDeadline(bootMs(700)), 2_000);
});

test("Leadership whose answers are lost writes every retryMs, though it sees what it wrote", () => {
  const leadership = leader();
  const sent: number[] = [];
  for (let now = 1_000; now <= 16_000; now += 10) {
    if (leadership.takeWrite(bootMs(now)) === null) continue;
    sent.push(now);
    leadership.written(bootMs(now), { kind: "failed" }, bootMs(now));
    // The watch shows that it came through.
    const seen = { ...MINE, renewal: `m${now}`, resourceVersion: String(now) };
    leadership.observe(seen, bootMs(now));
  }
  const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  assert.ok(gaps.length >= 6, `${sent}`);
  assert.ok(
    gaps.every((gap) => gap >= LEADER_TIMINGS.retryMs),
    `${sent}`,
  );
});

test("Leadership.observe() that the Lease is gone ends the leadership, and makes it anew", () => {
  const leadership = leader();
  leadership.observe(null, bootMs(1_000));
  assert.equal(leadership.isLeader(bootMs(1_000)), false);
  const write = { resourceVersion: null, holder: ME, transitions: 1, isAcquisition: true };
  assert.deepEqual(leadership.takeWrite(bootMs(1_000)), write);
});

test("Leadership.stop() gives a Lease up that it holds, and writes no more", () => {
  const leadership = leader();
  const write = { resourceVersion: "11", holder: null, transitions: 4, isAcquisition: false };
  assert.deepEqual(leadership.stop(), write);
  assert.equal(leadership.isLeader(bootMs(600)), false);
  assert.equal(leadership.nextDeadline(bootMs(600)), NEVER);
  assert.equal(leadership.takeWrite(bootMs(1e9)), null);
});

test("Leadership.stop() leaves another's Lease alone", () => {
  assert.equal(seeing(record()).stop(), null);
  assert.equal(seeing(null).stop(), null);
});

test("Leadership.written() after stop() makes nobody leader", () => {
  const leadership = seeing(record({ holder: null }));
  leadership.takeWrite(bootMs(0));
  assert.equal(leadership.stop(), null);
  leadership.written(bootMs(0), { kind: "written", record: MINE }, bootMs(100));
  assert.equal(leadership.isLeader(bootMs(100)), false);
});

const BEFORE: readonly { name: string; seen: LeaderRecord | null; at: number; lapse: boolean }[] = [
  { name: "a leader that was silent", seen: record(), at: 15_000, lapse: true },
  { name: "another process of its own node", seen: MINE, at: 0, lapse: true },
  { name: "a leader that gave it up", seen: record({ holder: null }), at: 0, lapse: false },
  { name: "no leader", seen: null, at: 0, lapse: false },
];

for (const { name, seen, at, lapse } of BEFORE) {
  test(`Leadership after ${name} ${lapse ? "may" : "cannot"} meet what that has sent`, () => {
    const leadership = seeing(seen);
    assert.notEqual(leadership.takeWrite(bootMs(at)), null);
    assert.equal(leadership.isAfterLapse, lapse);
  });
}

test("Leadership that lapsed and was renewed may meet what it has sent itself", () => {
  const leadership = leader();
  assert.equal(leadership.isAfterLapse, false);
  assert.notEqual(leadership.takeWrite(bootMs(2_000)), null);
  assert.equal(leadership.isAfterLapse, false, "a renewal in time");
  leadership.written(bootMs(2_000), { kind: "failed" }, bootMs(5_000));
  assert.notEqual(leadership.takeWrite(bootMs(12_000)), null);
  assert.equal(leadership.isAfterLapse, true);
});
