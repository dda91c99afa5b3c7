// Tests of what a bench says: the keys of its rows, percentiles of the nearest rank, and when a
// target is met.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BenchRow,
  compared,
  figuresOf,
  figuresOfRates,
  figuresOfRounds,
  formatTable,
  information,
  LEGEND,
  percentile,
} from "../../bench/rows.ts";

const KEYS = ["name", "unit", "p50", "p99", "worst", "runs", "baseline", "ratio", "target", "ok"];

const SHOWN = information("arp rate", "1/s", { figures: figuresOfRates([5, 4, 3]), runs: 3 });
const TARGET = { target: "<= 2x the kernel", isMet: (ratio: number) => ratio <= 2 };
const FIGURES = { p50: 10, p99: 20, worst: 30 };

function latency(baseline: number): BenchRow {
  const row = information("arp latency", "ms", { figures: FIGURES, runs: 7 });
  return compared(row, { ...TARGET, baseline });
}

test("rows have these keys and no others, in the JSON too", () => {
  for (const row of [SHOWN, latency(5)]) {
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(row))), KEYS);
  }
});

/** 1 to 200, in no order. */
const SHUFFLED = Array.from({ length: 200 }, (_, index) => ((index * 77) % 200) + 1);

const RANKS: readonly (readonly [values: readonly number[], percent: number, expected: number])[] =
  [
    [[], 50, Number.NaN],
    [[7], 1, 7],
    [[7], 99, 7],
    [[2, 1], 50, 1],
    [[3, 1, 2], 50, 2],
    [[4, 10, 9, 1], 50, 4],
    [[4, 10, 9, 1], 99, 10],
    [SHUFFLED, 50, 100],
    [SHUFFLED, 99, 198],
    [SHUFFLED, 100, 200],
    [SHUFFLED, 0, 1],
  ];

for (const [values, percent, expected] of RANKS) {
  test(`percentile() ${percent} of ${values.length} values is a value: ${expected}`, () => {
    const given = [...values];
    assert.equal(percentile(given, percent), expected);
    assert.deepEqual(given, values, "the values stay as they are");
  });
}

test("figuresOf() takes the largest for the worst, and for the p99 of less than 100", () => {
  assert.deepEqual(figuresOf([3, 9, 1, 5]), { p50: 3, p99: 9, worst: 9 });
  assert.deepEqual(figuresOf(SHUFFLED), { p50: 100, p99: 198, worst: 200 });
});

test("figuresOfRates() takes the smallest for the worst", () => {
  assert.deepEqual(figuresOfRates([3, 9, 1, 5]), { p50: 3, p99: 1, worst: 1 });
  assert.deepEqual(figuresOfRates(SHUFFLED), { p50: 100, p99: 2, worst: 1 });
});

test("figuresOfRounds() takes medians of the rounds, and the worst of all", () => {
  const rounds = [
    { p50: 2, p99: 90, worst: 900 },
    { p50: 1, p99: 3, worst: 4 },
    { p50: 3, p99: 5, worst: 6 },
  ];
  assert.deepEqual(figuresOfRounds(rounds), { p50: 2, p99: 5, worst: 900 });
});

test("information() has no baseline, no target, and is ok", () => {
  const { baseline, ratio, target, ok, runs } = SHOWN;
  assert.deepEqual({ baseline, ratio, target, ok, runs }, { ...NOTHING, ok: true, runs: 3 });
});

const NOTHING = { baseline: null, ratio: null, target: null };

const COMPARED: readonly (readonly [baseline: number, ratio: number, ok: boolean])[] = [
  [4, 2.5, false],
  [Number.NaN, Number.NaN, false],
  [0, Number.POSITIVE_INFINITY, false],
  [5, 2, true],
  [20, 0.5, true],
];

for (const [baseline, ratio, ok] of COMPARED) {
  test(`compared() with ${baseline} is ${ok ? "ok" : "not ok"} at the ratio ${ratio}`, () => {
    const row = latency(baseline);
    assert.deepEqual([row.ratio, row.ok, row.baseline], [ratio, ok, baseline]);
    assert.deepEqual([row.p50, row.p99, row.worst, row.runs], [10, 20, 30, 7]);
  });
}

test("formatTable() marks a target that is missed, and says nothing where there is none", () => {
  assert.equal(
    formatTable([latency(4), latency(5), SHOWN]),
    `
             unit     p50     p99   worst  runs  baseline  ratio  target
arp latency  ms      10.0    20.0    30.0     7    4.0000   2.50  <= 2x the kernel  MISSED
arp latency  ms      10.0    20.0    30.0     7    5.0000   2.00  <= 2x the kernel  ok
arp rate     1/s   4.0000  3.0000  3.0000     3`.slice(1),
  );
});

test("LEGEND explains the columns that may be taken for something else", () => {
  const heads = LEGEND.match(/^\S+/gm);
  assert.deepEqual(heads, ["runs", "p99", "worst", "ratio"]);
  assert.match(LEGEND, /latency: the median of the rounds' p99/);
});
