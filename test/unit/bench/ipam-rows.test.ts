// Tests of the settings and the rows of `make bench-ipam`.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  coldStartRow,
  firstAllocationRows,
  IPAM_ROWS,
  idleRows,
  readIpamSettings,
} from "../../bench/ipam-rows.ts";
import { SettingError } from "../../bench/settings.ts";

const REFUSED: readonly (readonly [Record<string, string>, string])[] = [
  [{ SERVICES: "9" }, 'SERVICES must be a whole number from 10, found "9"'],
  [{ SERVICES: "1e4" }, 'SERVICES must be a whole number from 10, found "1e4"'],
  [{ SERVICES: "30001" }, 'SERVICES must be at most 30000, found "30001"'],
  [{ RUNS: "0" }, 'RUNS must be a whole number from 1, found "0"'],
  [{ RUNS: "2000" }, 'RUNS must be at most 1000, found "2000"'],
  [
    { ROWS: "idle,coldstart" },
    'There is no row "coldstart"; there are: first allocation, idle, service to answer, cold start',
  ],
];

for (const [environment, message] of REFUSED) {
  test(`readIpamSettings() refuses ${JSON.stringify(environment)}, in words`, () => {
    assert.throws(() => readIpamSettings(environment), new SettingError(message));
  });
}

test("readIpamSettings() of nothing, and of everything", () => {
  assert.deepEqual(readIpamSettings({}), { services: 10_000, runs: 100, rows: IPAM_ROWS });
  const set = { SERVICES: "300", RUNS: "5", ROWS: "cold start,idle" };
  const rows = ["idle", "cold start"];
  assert.deepEqual(readIpamSettings(set), { services: 300, runs: 5, rows });
});

/** One a millisecond, from 2,000 ms on; the last ten of a hundred 10 ms after each other. */
const ASSIGNED = Array.from({ length: 101 }, (_, i) => 2_000 + (i < 91 ? i : 90 + (i - 90) * 10));
const FIRST = {
  startedAt: 1_000,
  assignedAt: ASSIGNED.toReversed(),
  answeredAt: ASSIGNED.map((at) => at + 5),
  rawRate: 1_000,
  requests: 404,
  cpuMs: [202, 303, 101],
};

test("firstAllocationRows() compares the rate with the API's, and tells the slowest part", () => {
  const [rate, address, answer, requests, cpu] = firstAllocationRows(FIRST);
  assert.ok(rate && address && answer && requests && cpu);
  assert.equal(Math.round(rate.p50), Math.round((100 / 190) * 1_000));
  assert.equal(rate.worst, 100);
  assert.equal(rate.ok, true);
  assert.deepEqual([address.p50, address.worst], [1_050, 1_190]);
  assert.deepEqual([answer.p50, answer.worst, requests.p50], [1_055, 1_195, 4]);
  assert.deepEqual([cpu.p50, cpu.worst], [2, 3]);
});

test("firstAllocationRows() misses its target below half of the API's rate", () => {
  const [rate] = firstAllocationRows({ ...FIRST, rawRate: 1_100 });
  assert.deepEqual([rate?.ok, rate?.baseline], [false, 1_100]);
});

test("idleRows() judges the busiest daemon and the largest, and tells the peak", () => {
  const samples = {
    cpuPercent: [1, 2.5, 0.5],
    rssMb: [
      [100, 100],
      [150, 199],
      [90, 260],
    ],
    peakMb: [300, 200, 100],
    requestsPerSecond: 1.5,
  };
  const [cpu, rss, peak, requests] = idleRows(samples);
  assert.deepEqual([cpu?.worst, cpu?.ok], [2.5, true]);
  assert.deepEqual([rss?.p50, rss?.worst, rss?.ok], [150, 260, true]);
  assert.deepEqual([peak?.worst, requests?.p50], [300, 1.5]);
  assert.equal(idleRows({ ...samples, cpuPercent: [1, 3] })[0]?.ok, false);
  assert.equal(idleRows({ ...samples, rssMb: [[200, 200]] })[1]?.ok, false);
});

test("coldStartRow() is as good as the last address of the slowest start", () => {
  const row = coldStartRow([100, 4_000, 5_000], 3);
  assert.deepEqual([row.p50, row.worst, row.runs, row.ok], [4_000, 5_000, 3, true]);
  assert.equal(coldStartRow([5_001], 1).ok, false);
});
