// Tests of reading manifests: everything that kubectl takes, and each problem of what it would not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readManifests } from "../../../src/config/manifests.ts";
import { formatProblem } from "../../../src/core/problem.ts";

const POOL = "apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lan}\n";

const READ: readonly (readonly [name: string, text: string, found: readonly string[]])[] = [
  ["nothing", "", []],
  ["comments", "# nothing\n---\n# here\n", []],
  ["one document", POOL, ["IPAddressPool lan"]],
  ["two documents", `${POOL}---\n${POOL}`, ["IPAddressPool lan", "IPAddressPool lan"]],
  ["JSON", '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}', ["ConfigMap c"]],
  [
    "a List, and a List in it",
    `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: PodList, items: [
      {apiVersion: v1, kind: Pod, metadata: {name: p}}]}]}`,
    ["Pod p"],
  ],
];

for (const [name, text, found] of READ) {
  test(`readManifests() of ${name} finds what is there`, () => {
    const read = readManifests([{ name: "a.yaml", text }]);
    assert.ok(read.ok);
    assert.deepEqual(
      read.value.map((one) => `${one.kind} ${one.name}`),
      found,
    );
  });
}

const BAD: readonly (readonly [name: string, text: string, problems: readonly RegExp[]])[] = [
  ["broken YAML", "a: [", [/^"a\.yaml", line 1: found .*, expected valid YAML$/]],
  ["a key twice", `${POOL}kind: Pod\n`, [/^"a\.yaml", line \d: .*expected valid YAML$/]],
  [
    "two objects with something missing",
    `${POOL}---\nkind: Pod\n---\n{apiVersion: v1, kind: 3, metadata: {name: x}}\n`,
    [
      /document 2, apiVersion: found nothing/,
      /document 2, metadata\.name/,
      /document 3, kind: found 3/,
    ],
  ],
  ["a text", "hello", [/apiVersion: found nothing/, /kind: /, /metadata\.name: /]],
  ["a List of nothing", "{apiVersion: v1, kind: List, items: [3]}", [/items\[0\], api/, /k/, /m/]],
];

for (const [name, text, words] of BAD) {
  test(`readManifests() of ${name} names every problem`, () => {
    const read = readManifests([{ name: "a.yaml", text }]);
    assert.ok(!read.ok);
    const problems = read.problems.map(formatProblem);
    assert.equal(problems.length, words.length, problems.join("\n"));
    for (const [index, pattern] of words.entries()) assert.match(problems[index] ?? "", pattern);
  });
}

test("readManifests() ends with anchors that grow without end", () => {
  const levels = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  const text = `a0: &a0 [x]\n${levels.join("\n")}\n`;
  const read = readManifests([{ name: "a.yaml", text }]);
  assert.ok(!read.ok);
});
