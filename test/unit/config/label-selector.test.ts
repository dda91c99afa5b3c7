// Tests of label selectors: each operator, how requirements and selectors combine, and the schema.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anySelectorMatches,
  labelSelectorSchema,
  selectorMatches,
} from "../../../src/config/label-selector.ts";

const BAD: readonly (readonly [string, unknown])[] = [
  ["In without values", { matchExpressions: [{ key: "a", operator: "In" }] }],
  ["NotIn with no values", { matchExpressions: [{ key: "a", operator: "NotIn", values: [] }] }],
  ["Exists with values", { matchExpressions: [{ key: "a", operator: "Exists", values: ["b"] }] }],
  [
    "DoesNotExist with values",
    { matchExpressions: [{ key: "a", operator: "DoesNotExist", values: ["b"] }] },
  ],
  ["an operator of NodeSelectors", { matchExpressions: [{ key: "a", operator: "Gt" }] }],
  ["an empty key", { matchExpressions: [{ key: "", operator: "Exists" }] }],
  ["a number as label value", { matchLabels: { a: 1 } }],
  ["an unknown key", { matchLabel: { a: "b" } }],
  ["a list of labels", { matchLabels: ["a"] }],
  ["a key with a space", { matchLabels: { "a b": "c" } }],
  ["a key of two slashes", { matchLabels: { "a/b/c": "d" } }],
  ["a key of 64 characters", { matchLabels: { ["a".repeat(64)]: "b" } }],
  ["a value with a slash", { matchLabels: { a: "b/c" } }],
  ["a value of 64 characters", { matchLabels: { a: "b".repeat(64) } }],
  ["a value that ends in a dash", { matchLabels: { a: "b-" } }],
  ["a value twice", { matchExpressions: [{ key: "a", operator: "In", values: ["b", "b"] }] }],
];

for (const [name, raw] of BAD) {
  test(`labelSelectorSchema refuses ${name}`, () => {
    assert.equal(labelSelectorSchema.safeParse(raw).success, false);
  });
}

test("labelSelectorSchema accepts every key and value that labels can have", () => {
  const [key, value] = [`example.com/${"A".repeat(63)}`, `${"b".repeat(62)}9`];
  const matchLabels = { [key]: value, "node-role.kubernetes.io/x_y.z": "", a: "A_b.c-9" };
  assert.equal(labelSelectorSchema.safeParse({ matchLabels }).success, true);
});

function expression(operator: string, values?: readonly string[]) {
  const requirement = { key: "zone", operator, ...(values === undefined ? {} : { values }) };
  return { matchExpressions: [requirement] };
}

const LABELS = { zone: "a", disk: "", "example.com/x": "1" };

const MATCHES: readonly (readonly [string, unknown, Readonly<Record<string, string>>, boolean])[] =
  [
    ["nothing asked", {}, {}, true],
    ["a label that is missing", { matchLabels: { rack: "1" } }, LABELS, false],
    ["a label with another value", { matchLabels: { zone: "b" } }, LABELS, false],
    ["one of two labels", { matchLabels: { zone: "a", rack: "1" } }, LABELS, false],
    ["both labels", { matchLabels: { zone: "a", disk: "" } }, LABELS, true],
    ["a missing label and an empty value", { matchLabels: { rack: "" } }, LABELS, false],
    ["In, another value", expression("In", ["b", "c"]), LABELS, false],
    ["In, missing", expression("In", ["a"]), {}, false],
    ["In, one of them", expression("In", ["b", "a"]), LABELS, true],
    ["NotIn, one of them", expression("NotIn", ["b", "a"]), LABELS, false],
    ["NotIn, another value", expression("NotIn", ["b"]), LABELS, true],
    ["NotIn, missing", expression("NotIn", ["a"]), {}, true],
    ["Exists, missing", expression("Exists"), {}, false],
    ["Exists, with an empty value", expression("Exists"), { zone: "" }, true],
    ["DoesNotExist, there", expression("DoesNotExist"), LABELS, false],
    ["DoesNotExist, missing", expression("DoesNotExist"), {}, true],
    [
      "labels and expressions, one not met",
      { matchLabels: { zone: "a" }, ...expression("NotIn", ["a"]) },
      LABELS,
      false,
    ],
    [
      "a label named like a property of every object",
      { matchExpressions: [{ key: "constructor", operator: "Exists" }] },
      LABELS,
      false,
    ],
  ];

for (const [name, raw, labels, expected] of MATCHES) {
  test(`selectorMatches() ${name}`, () => {
    assert.equal(selectorMatches(labelSelectorSchema.parse(raw), labels), expected);
  });
}

test("anySelectorMatches() is true when one of several matches, and false for none", () => {
  const selectors = [{ matchLabels: { zone: "b" } }, { matchLabels: { zone: "a" } }].map((raw) =>
    labelSelectorSchema.parse(raw),
  );
  assert.equal(anySelectorMatches(selectors, LABELS), true);
  assert.equal(anySelectorMatches(selectors.slice(0, 1), LABELS), false);
  assert.equal(anySelectorMatches([], LABELS), false);
});
