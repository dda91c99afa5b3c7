// Tests of the announcer's timetable: the series, the refresh, the limit of a batch, stop, restart.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ANNOUNCE_AT_MS,
  Announcer,
  BATCH_ADDRESSES_MAX,
  BATCH_PAUSE_MS,
  REFRESH_MS,
  REFRESH_STEP_MS,
} from "../../../src/answering/announcer.ts";
import type { Ip } from "../../../src/core/address.ts";
import { ipv4FromNumber } from "../../../src/core/address.ts";
import { after, bootMs, NEVER } from "../../../src/core/time.ts";

const VIP = "192.168.100.200" as Ip;
const OTHER = "192.168.100.201" as Ip;
const START = bootMs(10_000);

function addresses(count: number): Ip[] {
  return Array.from({ length: count }, (_, i) => ipv4FromNumber(0x0a000000 + i));
}

/** Steps from deadline to deadline; returns when which address was taken, from START. */
function run(announcer: Announcer, untilMs: number): [number, Ip][] {
  const taken: [number, Ip][] = [];
  for (let at = announcer.nextDeadline(); at <= START + untilMs; at = announcer.nextDeadline()) {
    for (const address of announcer.take(at)) taken.push([at - START, address]);
  }
  return taken;
}

test("Announcer without addresses has nothing due, ever", () => {
  const announcer = new Announcer();
  assert.deepEqual(announcer.take(START), []);
  assert.equal(announcer.nextDeadline(), NEVER);
});

test("Announcer announces at 0, 50, 200, 1000, 2000, 4000 ms and then every 60 s", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  assert.deepEqual(
    run(announcer, 4_000 + 2 * REFRESH_MS).map(([at]) => at),
    [0, 50, 200, 1_000, 2_000, 4_000, 64_000, 124_000],
  );
});

test("Announcer gives each announcement once and nothing before it is due", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  assert.deepEqual(announcer.take(START), [VIP]);
  assert.deepEqual(announcer.take(START), []);
  assert.deepEqual(announcer.take(after(START, 49.9)), []);
  assert.deepEqual(announcer.take(after(START, 50)), [VIP]);
});

test("Announcer catches up after a stall one by one, and does not shift the rest", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  announcer.take(START);
  const late = after(START, 1_500);
  const taken = [1, 2, 3, 4].map(() => announcer.take(late).length);
  assert.deepEqual(taken, [1, 1, 1, 0]);
  assert.equal(announcer.nextDeadline(), after(START, 2_000));
});

test("Announcer.stop() ends a series, also one that has not begun", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  announcer.start(OTHER, START);
  announcer.stop(VIP);
  assert.deepEqual(announcer.take(START), [OTHER]);
  announcer.stop(OTHER);
  announcer.stop(OTHER);
  assert.deepEqual(run(announcer, 2 * REFRESH_MS), []);
  assert.equal(announcer.nextDeadline(), NEVER);
});

test("Announcer.start() again begins the series anew", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  run(announcer, 300);
  announcer.start(VIP, after(START, 300));
  assert.deepEqual(
    run(announcer, 4_300).map(([at]) => at - 300),
    ANNOUNCE_AT_MS,
  );
});

test("Announcer refreshes together what began at different times", () => {
  const announcer = new Announcer();
  for (const [i, address] of addresses(100).entries())
    announcer.start(address, after(START, 7 * i));
  const refreshes = run(announcer, REFRESH_MS + 10_000).filter(([at]) => at > REFRESH_MS);
  assert.equal(refreshes.length, 100);
  assert.ok(refreshes.every(([at]) => (START + at) % REFRESH_STEP_MS === 0));
  assert.equal(new Set(refreshes.map(([at]) => at)).size, 3, "they began within 700 ms");
});

test("Announcer takes first announcements before repetitions", () => {
  const announcer = new Announcer();
  announcer.start(VIP, START);
  announcer.take(START);
  announcer.start(OTHER, after(START, 50));
  assert.deepEqual(announcer.take(after(START, 50)), [OTHER, VIP]);
});

test("Announcer limits a batch and goes on after a pause", () => {
  const announcer = new Announcer();
  const all = addresses(2 * BATCH_ADDRESSES_MAX + 1);
  for (const address of all) announcer.start(address, START);
  const firsts = run(announcer, 49);
  assert.deepEqual(
    firsts.map(([, address]) => address),
    all,
  );
  const times = firsts.map(([at]) => at);
  assert.deepEqual([...new Set(times)], [0, BATCH_PAUSE_MS, 2 * BATCH_PAUSE_MS]);
  assert.equal(times.filter((at) => at === 0).length, BATCH_ADDRESSES_MAX);
});

test("Announcer limits a batch that is taken address by address too", () => {
  const announcer = new Announcer();
  const taken = addresses(3 * BATCH_ADDRESSES_MAX).map((address) => {
    announcer.start(address, START);
    return announcer.take(START).length;
  });
  assert.equal(
    taken.reduce((sum, count) => sum + count, 0),
    BATCH_ADDRESSES_MAX,
  );
  assert.equal(announcer.nextDeadline(), after(START, BATCH_PAUSE_MS));
  assert.equal(announcer.take(after(START, BATCH_PAUSE_MS)).length, BATCH_ADDRESSES_MAX);
});

test("Announcer announces 1,000 addresses for the first time within 50 ms", () => {
  const announcer = new Announcer();
  for (const address of addresses(1_000)) announcer.start(address, START);
  assert.equal(new Set(run(announcer, 49).map(([, address]) => address)).size, 1_000);
});

test("Announcer keeps to the limit and loses no announcement, for any starts", () => {
  const starts = fc.array(fc.tuple(fc.nat(300), fc.nat(400)), { minLength: 1, maxLength: 900 });
  const property = fc.property(starts, (list) => {
    const announcer = new Announcer();
    const startedAt = new Map<Ip, number>();
    const taken: [number, Ip][] = [];
    for (const [at, number] of [...list].sort(([a], [b]) => a - b)) {
      const address = ipv4FromNumber(number);
      taken.push(...run(announcer, at));
      announcer.start(address, after(START, at));
      startedAt.set(address, at);
    }
    taken.push(...run(announcer, 10_000));
    const times = taken.map(([at]) => at);
    for (const [index, at] of times.entries()) {
      const inside = times.slice(index, index + BATCH_ADDRESSES_MAX + 1);
      const spread = (inside.at(-1) ?? at) - at;
      if (inside.length > BATCH_ADDRESSES_MAX) assert.ok(spread > 0, `a full batch at ${at}`);
    }
    for (const [address, start] of startedAt) {
      const own = taken.filter(([at, other]) => other === address && at >= start);
      assert.ok(own.length >= ANNOUNCE_AT_MS.length, `${address}: ${own.length}`);
    }
  });
  fc.assert(property, { numRuns: 30 });
});

test("Announcer takes of thousands that are due without looking at the rest", () => {
  const announcer = new Announcer();
  const all = addresses(20_000);
  for (const address of all) announcer.start(address, START);
  const late = after(START, 10 * REFRESH_MS);
  const since = performance.now();
  let taken = 0;
  for (let at = late; taken < 6 * all.length; at = after(at, BATCH_PAUSE_MS)) {
    taken += announcer.take(at).length;
  }
  // A search of all for each batch took ten seconds; this is some milliseconds.
  assert.ok(performance.now() - since < 5_000);
  assert.equal(taken, 6 * all.length);
});
