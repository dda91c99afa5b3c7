// Tests of the rows of the failovers: when their targets are met.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Blackout } from "../../bench/failover-blackout.ts";
import { KEEPALIVED_DEFAULT, type Measured, rowsOf } from "../../bench/failover-rows.ts";

function measured(ms: number, more: Partial<Measured> = {}): Measured {
  const blackout = { ms } as Blackout;
  const owner = {} as Measured["owner"];
  return { blackout, twoMs: null, owner, next: owner, ...more };
}

const OTHER = {} as Measured["next"];

test("rowsOf() compares with keepalived's default where that was measured", () => {
  const cable = [measured(300), measured(390)];
  const [alone] = rowsOf(new Map([["cable pulled", cable]]));
  assert.deepEqual([alone?.ok, alone?.baseline, alone?.ratio], [true, null, null]);
  const both = new Map([
    ["cable pulled", cable],
    [KEEPALIVED_DEFAULT, [measured(3_000)]],
  ]);
  const [beside] = rowsOf(both);
  assert.deepEqual([beside?.ok, beside?.baseline, beside?.ratio], [true, 3_000, 0.1]);
});

const VERDICTS: readonly (readonly [name: string, trial: Measured, ok: boolean])[] = [
  ["cable pulled", measured(401), false],
  ["cable pulled", measured(400), true],
  ["kill", measured(9_000), true],
  ["etcd down", measured(0, { next: OTHER }), false],
  ["etcd down", measured(0), true],
];

for (const [name, trial, ok] of VERDICTS) {
  test(`rowsOf() ${ok ? "accepts" : "refuses"} ${trial.blackout.ms} ms of "${name}"`, () => {
    const same = [measured(0), trial];
    assert.equal(rowsOf(new Map([[name, same]]))[0]?.ok, ok);
  });
}

test("rowsOf() has a second row for a cut that ends, bounded by its worst", () => {
  const trials = [0, 0, 701].map((twoMs) => measured(5, { twoMs, next: OTHER }));
  const rows = rowsOf(new Map([["partition and heal", trials]]));
  assert.deepEqual(
    rows.map(({ name, p50, worst, ok }) => [name, p50, worst, ok]),
    [
      ["partition and heal", 5, 5, true],
      ["partition and heal, two answer after it", 0, 701, false],
    ],
  );
});
