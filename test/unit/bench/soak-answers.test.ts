// Tests of the account of answers: what counts as no answer and as two, and for how long.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Episode, SoakAnswers } from "../../bench/soak-answers.ts";

const VIP = "192.0.2.1";
const EVERY_MS = 100;

/** Who answers in each round, one letter a host; watched from before the first round. */
function episodesOf(rounds: readonly string[]): Episode[] {
  const answers = new SoakAnswers();
  answers.watch(VIP, 0);
  rounds.forEach((macs, i) => {
    answers.round(i * EVERY_MS);
    for (const mac of macs) answers.answer(VIP, mac, i * EVERY_MS + 1);
  });
  answers.round(rounds.length * EVERY_MS);
  return [...answers.report(rounds.length * EVERY_MS).episodes];
}

type Told = readonly [kind: Episode["kind"], from: number, to: number];

const ROWS: readonly (readonly [rounds: readonly string[], expected: readonly Told[]])[] = [
  [[], []],
  [["", "", ""], []],
  [["", "a", "a"], []],
  [["a", "aa", "b", "b"], []],
  [["a", "", "b"], [["none", 100, 200]]],
  [["a", "", "", "", "b"], [["none", 100, 400]]],
  [["a", "ab", "ba", "b"], [["two", 100, 300]]],
  [
    ["a", "", "ab", "b", ""],
    [
      ["none", 100, 200],
      ["two", 200, 300],
      ["none", 400, 500],
    ],
  ],
];

for (const [rounds, expected] of ROWS) {
  test(`SoakAnswers tells ${expected.length} episodes in ${JSON.stringify(rounds)}`, () => {
    const told = episodesOf(rounds).map(({ kind, from, to }) => [kind, from, to]);
    assert.deepEqual(told, expected);
  });
}

test("SoakAnswers judges no round in which an address was not asked for from the start", () => {
  const answers = new SoakAnswers();
  answers.round(0);
  answers.watch(VIP, 50);
  answers.answer(VIP, "a", 51);
  answers.round(100);
  answers.round(200);
  const { episodes } = answers.report(200);
  assert.deepEqual(episodes, [{ kind: "none", address: VIP, from: 100, to: 200 }]);
});

test("SoakAnswers tells when an address was answered for first, and which ones never were", () => {
  const answers = new SoakAnswers();
  answers.watch(VIP, 10);
  answers.watch("192.0.2.2", 10);
  answers.answer(VIP, "a", 35);
  answers.answer(VIP, "a", 45);
  answers.answer("192.0.2.3", "a", 45);
  const { firsts, never } = answers.report(50);
  assert.deepEqual(firsts, [{ address: VIP, since: 10, ms: 25 }]);
  assert.deepEqual(never, ["192.0.2.2"]);
});

test("SoakAnswers forgets an address that is not watched any more, and ends what it was in", () => {
  const answers = new SoakAnswers();
  answers.watch(VIP, 0);
  answers.round(0);
  answers.answer(VIP, "a", 1);
  answers.round(100);
  answers.round(200);
  answers.unwatch(VIP, 250);
  answers.round(300);
  assert.deepEqual([...answers.addresses], []);
  const { episodes } = answers.report(400);
  assert.deepEqual(episodes, [{ kind: "none", address: VIP, from: 100, to: 250 }]);
});
