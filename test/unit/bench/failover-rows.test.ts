// Tests of the rows of the failovers: which are chosen, and when their targets are met.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chosenBy,
  inTurns,
  KEEPALIVED_DEFAULT,
  KEEPALIVED_FAST,
  legendFor,
  type Measured,
  ROW_NAMES,
  rowsOf,
} from "../../bench/failover-rows.ts";
import type { Blackout } from "../../lab/blackout.ts";

const ALL = ["cable pulled", "kill", "stop", KEEPALIVED_DEFAULT, KEEPALIVED_FAST];

const CHOICES: readonly (readonly [rows: string, expected: readonly string[]])[] = [
  ["", ALL],
  [" ", ALL],
  ["kill", ["kill"]],
  ["stop, kill", ["kill", "stop"]],
  ["cable pulled", ["cable pulled"]],
  ["kill,cable pulled keepalived default", ["kill", KEEPALIVED_DEFAULT]],
];

for (const [rows, expected] of CHOICES) {
  test(`chosenBy("${rows}") takes ${expected.length}`, () => {
    assert.deepEqual(chosenBy(rows, ALL), expected);
  });
}

for (const rows of ["kil", "kill,,stop", "cable pulled, keepalived default"]) {
  test(`chosenBy("${rows}") refuses, and names what there is`, () => {
    assert.throws(() => chosenBy(rows, ALL), /no row ".*"; there are: cable pulled, kill, stop, /);
  });
}

test("inTurns() lets keepalived in while lbd is not well yet, and loses none", () => {
  const fault = (name: string, contender: "lbd" | "keepalived", isSlowToHeal = false) => ({
    ...{ name, contender, isSlowToHeal },
  });
  const [a, b] = [fault("a", "lbd"), fault("b", "lbd")];
  const [slow, slower] = [fault("slow", "lbd", true), fault("slower", "lbd", true)];
  const [k, l] = [fault("k", "keepalived"), fault("l", "keepalived")];
  const rows = [
    [[a, slow, b, slower, k, l], "slow k slower l a b"],
    [[a, slow, b, slower, k], "slow k slower a b"],
    [[a, slow, k, l], "slow k l a"],
    [[k, l], "k l"],
    [[b, a], "b a"],
  ] as const;
  for (const [given, expected] of rows) {
    const names = inTurns(given).map(({ name }) => name);
    assert.equal(names.join(" "), expected);
  }
});

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

test("rowsOf() of a warm client: a killed daemon costs it nothing, and it sees no two", () => {
  const rows = (ms: number) => rowsOf(new Map([["kill", [measured(ms, { twoMs: 5 })]]]), "warm");
  assert.deepEqual(
    [rows(0), rows(1)].map((all) => all.map(({ name, ok }) => [name, ok])),
    [[["kill, warm cache", true]], [["kill, warm cache", false]]],
  );
});

for (const client of ["cold", "warm"] as const) {
  test(`ROW_NAMES has each fault that failover is promised for, with a ${client} cache`, () => {
    const promised = "cable pulled,data cable pulled,kill,frozen,drain,restart";
    const more = "api down and cable pulled,etcd down,partition and heal";
    assert.equal(chosenBy(`${promised},${more}`, ROW_NAMES[client]).length, 9);
  });
}

test("legendFor() says what the client does", () => {
  assert.match(legendFor("cold"), /a client that asks every\nmillisecond by ARP/);
  assert.match(legendFor("warm"), /a client that sends a datagram\nthrough the address/);
});
