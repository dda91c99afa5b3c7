// Tests of the node file as it is installed: it has every setting of the schema, with the default,
// and the committed file is what the program prints.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeFileSchema, parseNodeFile } from "../../../src/config/node-file.ts";
import { SETTINGS } from "../../../src/config/node-file-settings.ts";
import { nodeFileText } from "../../../src/config/node-file-text.ts";
import { textOf } from "../../repo/support/files.ts";

const DEFAULTS: Readonly<Record<string, unknown>> = nodeFileSchema.parse({});

test("SETTINGS tell of every key of the node file, in its order", () => {
  assert.deepEqual(
    SETTINGS.map(({ key }) => key),
    Object.keys(nodeFileSchema.shape),
  );
});

test("SETTINGS tell of every key below a setting, in its order", () => {
  for (const { key, parts } of SETTINGS) {
    const value = DEFAULTS[key];
    const isGroup = typeof value === "object" && !Array.isArray(value);
    assert.deepEqual(Object.keys(parts ?? {}), isGroup ? Object.keys(value ?? {}) : [], key);
  }
});

test("SETTINGS have an example where there is no default, and only there", () => {
  for (const { key, example } of SETTINGS) {
    assert.equal(example === undefined, DEFAULTS[key] !== undefined, key);
  }
});

test("nodeFileText() is a valid node file that changes nothing", () => {
  const parsed = parseNodeFile(nodeFileText(), "n1");
  assert.deepEqual(parsed, { ok: true, value: { ...DEFAULTS, nodeName: "n1" } });
});

test("nodeFileText() without the signs of comment sets each default and example", () => {
  // Settings and the lines they go on in; comments have a space after the sign, but for one.
  const lines = nodeFileText().split("\n");
  const uncommented = lines.filter((line) => /^#([a-zA-Z]| {2}[^ ])/.test(line));
  const text = uncommented.map((line) => `${line.slice(1)}\n`).join("");
  const examples = SETTINGS.filter(({ example }) => example !== undefined);
  const expected = Object.fromEntries(examples.map(({ key, example }) => [key, example]));
  assert.deepEqual(parseNodeFile(text, "n2"), { ok: true, value: { ...DEFAULTS, ...expected } });
});

test("packaging/deb/config.yaml is what lbd --print-default prints", () => {
  assert.equal(textOf("packaging/deb/config.yaml"), nodeFileText());
});
