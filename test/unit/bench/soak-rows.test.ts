// Tests of what a soak says: which growth fails it, and which cause an episode is told under.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnswersReport } from "../../bench/soak-answers.ts";
import {
  answerRows,
  formatResources,
  longestWithoutAnswer,
  resourceRows,
  type SoakRow,
} from "../../bench/soak-rows.ts";
import type { Life, Sample } from "../../bench/soak-samples.ts";

const HOUR_MS = 3_600_000;
const EVERY_MS = 10_000;

interface Shape {
  readonly hours?: number;
  readonly pid?: number;
  rss?(hours: number): number;
  descriptors?(hours: number): number;
}

function life(node: string, shape: Shape = {}): Life {
  const { hours = 1, pid = 1, rss = () => 80, descriptors = () => 40 } = shape;
  const samples: Sample[] = [];
  for (let at = 0; at <= hours * HOUR_MS; at += EVERY_MS) {
    const x = at / HOUR_MS;
    samples.push({ at, rss: rss(x), descriptors: descriptors(x), cpuMs: at / 50 });
  }
  return { node, pid, samples };
}

function rowOf(name: string, lives: readonly Life[], steady = "node1"): SoakRow {
  const row = resourceRows(lives, steady).find((candidate) => candidate.name === name);
  assert.ok(row !== undefined);
  return row;
}

/** Up and down by turns of three samples. */
function wobble(hours: number): number {
  return Math.floor((hours * HOUR_MS) / EVERY_MS / 3) % 2;
}

const VERDICTS: readonly (readonly [what: string, row: string, shape: Shape, ok: boolean])[] = [
  ["memory that grows", "rss node1", { rss: (x) => 80 + 15 * x }, false],
  ["memory that grows a little", "rss node1", { rss: (x) => 80 + 5 * x }, true],
  ["memory that is given back", "rss node1", { rss: (x) => 80 - 15 * x }, true],
  ["memory that fills at first", "rss node1", { rss: (x) => 80 + (x < 0.1 ? -50 : 0) }, true],
  ["descriptors that leak", "descriptors node1", { descriptors: (x) => 40 + 6 * x }, false],
  [
    "descriptors that leak and come and go",
    "descriptors node1",
    { descriptors: (x) => 40 + Math.floor(12 * x) + wobble(x) },
    false,
  ],
  ["descriptors that come and go", "descriptors node1", { descriptors: wobble }, true],
  ["one more descriptor, late", "descriptors node1", { descriptors: (x) => +(x > 0.95) }, true],
  ["a life that is too short", "rss node1", { hours: 0.005 }, false],
];

for (const [what, name, shape, ok] of VERDICTS) {
  test(`resourceRows() ${ok ? "accepts" : "refuses"} ${what}`, () => {
    assert.equal(rowOf(name, [life("node1", shape)]).ok, ok);
  });
}

test("resourceRows() judges the steady daemon alone", () => {
  const row = rowOf("rss node2", [life("node1"), life("node2", { rss: (x) => 80 + 50 * x })]);
  assert.deepEqual([row.target, row.ok], [null, true]);
});

test("resourceRows() follows the longest life, and takes the worst of all", () => {
  const lives = [
    life("node1", { hours: 0.2, pid: 1, rss: () => 99 }),
    life("node1", { hours: 0.6, pid: 2, rss: (x) => 80 + x }),
  ];
  const { first, last, worst, slopePerHour } = rowOf("rss node1", lives);
  // A quarter of 0.6 hours is for warming up.
  const rounded = [first, last, worst, slopePerHour ?? 0].map((value) => value.toFixed(2));
  assert.deepEqual(rounded, ["80.15", "80.60", "99.00", "1.00"]);
});

test("resourceRows() tells the load between two samples", () => {
  const { first, last, worst } = rowOf("cpu node1", [life("node1")]);
  assert.deepEqual(
    [first, last, worst].map((value) => value.toFixed(3)),
    ["2.000", "2.000", "2.000"],
  );
});

test("formatResources() marks what is missed", () => {
  const table = formatResources(resourceRows([life("node1", { rss: (x) => 15 * x })], "node1"));
  assert.match(table, /^rss node1 .* grows <= 10 MB +MISSED$/m);
  assert.match(table, /^descriptors node1 .* ok$/m);
});

const REPORT: AnswersReport = {
  episodes: [
    { kind: "none", address: "192.0.2.1", from: 1_000, to: 1_300 },
    { kind: "none", address: "192.0.2.2", from: 1_000, to: 1_400 },
    { kind: "none", address: "192.0.2.1", from: 90_000, to: 90_100 },
    { kind: "two", address: "192.0.2.1", from: 500, to: 600 },
  ],
  firsts: [{ address: "192.0.2.1", since: 0, ms: 40 }],
  never: [],
};

test("answerRows() counts episodes by what struck before them", () => {
  const done = [
    { at: 700, kind: "cables pulled" },
    { at: 2_000, kind: "cables plugged" },
  ];
  const told = answerRows(REPORT, done).map(({ name, runs, p50, worst }) => [
    name,
    runs,
    p50,
    worst,
  ]);
  assert.deepEqual(told, [
    ["no answer", 3, 300, 400],
    ["  after cables pulled", 2, 300, 400],
    ["  after nothing", 1, 100, 100],
    ["two answers", 1, 100, 100],
    ["  after nothing", 1, 100, 100],
    ["service created to first answer", 1, 40, 40],
    ["  after nothing", 1, 40, 40],
  ]);
});

test("longestWithoutAnswer() tells the longest first, and ten at most", () => {
  const gaps = Array.from({ length: 12 }, (_, i) => {
    return {
      kind: "none",
      address: `10.0.0.${i}`,
      from: 1_000,
      to: 1_000 + 100 * (i + 1),
    } as const;
  });
  const two = { kind: "two", address: "10.0.0.99", from: 1_000, to: 99_000 } as const;
  const told = longestWithoutAnswer({ episodes: [...gaps, two], firsts: [], never: [] }, 400);
  assert.equal(told.length, 10);
  assert.equal(told[0], "  1200 ms from +0.6 s on: 10.0.0.11");
});
