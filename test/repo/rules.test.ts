// The rules of tidy.test.ts on small texts: each finds what it is for, and nothing else.

import assert from "node:assert/strict";
import test from "node:test";
import type { SourceFile } from "typescript/unstable/ast";
import { ambientInputs, lonelyTests, reachableFrom, uncheckedTypes } from "./support/code-rules.ts";
import { ratchetProblems } from "./support/ratchet.ts";
import { functionsOf, parseAll } from "./support/syntax.ts";
import {
  deadLinks,
  homePaths,
  longLines,
  missingHeader,
  registryAddresses,
  type TextRule,
  untaggedTodos,
} from "./support/text-rules.ts";

const LONG = "word ".repeat(25);
const TO_DO = ["TO", "DO"].join("");

const TEXT_ROWS: readonly (readonly [string, TextRule, string, string, number])[] = [
  ["longLines() a long line", longLines, "a.ts", LONG, 1],
  ["longLines() a long line of prose", longLines, "a.md", LONG, 1],
  ["longLines() a table and a link", longLines, "a.md", `| ${LONG} |\n[${LONG}](b.md)`, 0],
  ["missingHeader() code first", missingHeader, "a.ts", 'import "a";\n// late\n', 1],
  ["missingHeader() nothing", missingHeader, "a.c", "", 1],
  ["missingHeader() a script without", missingHeader, "a.sh", "#!/bin/bash\nset -e\n", 1],
  ["missingHeader() a comment", missingHeader, "a.ts", "// What it is.\n", 0],
  ["missingHeader() a block comment", missingHeader, "a.c", "/* What it is. */\n", 0],
  ["missingHeader() a script with", missingHeader, "a.sh", "#!/bin/bash\n# What it is.\n", 0],
  ["untaggedTodos() without a tag", untaggedTodos, "a.ts", `// ${TO_DO}: later`, 1],
  ["untaggedTodos() with a tag", untaggedTodos, "a.ts", `// ${TO_DO}(correctness): 4.5`, 0],
  ["homePaths() of a person", homePaths, "a.md", "see /home/".concat("ann/lbd"), 1],
  ["homePaths() relative", homePaths, "a.md", "see docs/home/page.md", 0],
  ["registryAddresses() resolved", registryAddresses, "a.json", '"resolved"'.concat(': "x"'), 1],
  ["registryAddresses() integrity", registryAddresses, "a.json", '"integrity": "sha512-x"', 0],
  ["deadLinks() to nothing", deadLinks, "docs/a.md", "[b](../no-such-file.md)", 1],
  ["deadLinks() to a file, an anchor, a site", deadLinks, "a.md", linksThatLead(), 0],
  ["deadLinks() in code", deadLinks, "a.md", "```\n[b](no-such-file.md)\n```", 0],
];

function linksThatLead(): string {
  return "[a](package.json) [b](#here) [c](https://example.org/x)";
}

for (const [name, rule, path, text, count] of TEXT_ROWS) {
  test(name, () => {
    assert.equal(rule(path, text).length, count);
  });
}

const AMBIENT_ROWS: readonly (readonly [string, string, number])[] = [
  ["Date.now()", "export const a = Date.now();", 1],
  ["a new Date of now", "export const a = new Date();", 1],
  ["a Date text of now", "export const a = Date();", 1],
  ["chance", "export const a = Math.random();", 1],
  ["the monotonic clock", "export const a = performance.now();", 1],
  ["no conversion", "export const a = new Date(5);", 0],
  ["no comment or text", '// Date.now()\nexport const a = "Date.now()";', 0],
];

for (const [name, source, count] of AMBIENT_ROWS) {
  test(`ambientInputs() finds ${name}`, () => {
    assert.equal(ambientInputs("a.ts", treeOf(source)).length, count);
  });
}

test("uncheckedTypes() finds any and the non-null assertion, not the words", () => {
  const source = "export const a: any = b!.c; // any\nexport const d = { any: !e };";
  assert.equal(uncheckedTypes("a.ts", treeOf(source)).length, 2);
});

test("lonelyTests() finds calls and options", () => {
  const source = 'test.only("a", f); it("b", { only: true }, f); x.only("c"); test("only", f);';
  assert.equal(lonelyTests("a.ts", treeOf(source)).length, 2);
});

const FUNCTION_ROWS: readonly (readonly [string, string, string, number])[] = [
  ["a declaration", "function f() {\n  return 1;\n}", "f", 3],
  ["a brace in a string", 'function f() {\n  return "}";\n}', "f", 3],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ["a brace in a template", "function f() {\n  return `${{ a: `}` }}{`;\n}", "f", 3],
  ["a brace in a regular expression", "function f() {\n  return /[{/}]/;\n}", "f", 3],
  ["a brace in a comment", "function f() {\n  // {\n  return 1; /* { */\n}", "f", 4],
  ["parameters on lines of their own", "function f(\n  a = {},\n): void {\n}", "f", 4],
  ["an arrow function", "const f = () => {\n};", "f", 2],
  ["a method", "class A {\n  m() {\n  }\n}", "m", 2],
  ["a private method", "class A {\n  #m() {\n  }\n}", "#m", 2],
  ["a constructor", "class A {\n  constructor() {\n  }\n}", "constructor", 2],
  ["an accessor", "class A {\n  get m() {\n  }\n}", "m", 2],
  ["a test", 'test("title", () => {\n});', "title", 2],
];

for (const [name, source, functionName, lines] of FUNCTION_ROWS) {
  test(`functionsOf() measures ${name}`, () => {
    const found = functionsOf(treeOf(source)).map((one) => [one.name, one.lines]);
    assert.deepEqual(found, [[functionName, lines]]);
  });
}

test("functionsOf() measures tests of a group and not the group", () => {
  const source = 'describe("group", () => {\n  it("a", () => {});\n});';
  assert.deepEqual(
    functionsOf(treeOf(source)).map((one) => one.name),
    ["a"],
  );
});

test("reachableFrom() follows imports, types and workers, and no others", () => {
  const trees = parseAll(
    new Map([
      ["main.ts", 'import "./a.ts"; new Worker(new URL("./b.ts", import.meta.url));'],
      ["a.ts", 'export type { C } from "./sub/c.ts";'],
      ["b.ts", "export const b = 1;"],
      ["sub/c.ts", 'export type C = import("../d.ts").D;'],
      ["d.ts", "export type D = 1;"],
      ["dead.ts", 'import "./a.ts";'],
    ]),
  );
  assert.deepEqual([...reachableFrom(["main.ts"], trees)].sort(), [
    "a.ts",
    "b.ts",
    "d.ts",
    "main.ts",
    "sub/c.ts",
  ]);
});

const RATCHET_ROWS: readonly (readonly [string, number, Record<string, number>, number])[] = [
  ["refuses what is too long and not listed", 71, {}, 1],
  ["refuses what has grown", 81, { f: 80 }, 1],
  ["refuses an entry that is too high", 75, { f: 80 }, 1],
  ["refuses an entry of what is short now", 10, { f: 80 }, 1],
  ["refuses an entry of what is gone", 10, { g: 80 }, 1],
  ["allows what is short", 70, {}, 0],
  ["allows what is listed", 80, { f: 80 }, 0],
];

for (const [name, lines, listed, count] of RATCHET_ROWS) {
  test(`ratchetProblems() ${name}`, () => {
    assert.equal(ratchetProblems([{ name: "f", lines }], { linesMax: 70, listed }).length, count);
  });
}

function treeOf(source: string): SourceFile {
  const tree = parseAll(new Map([["snippet.ts", source]])).get("snippet.ts");
  assert.ok(tree !== undefined);
  return tree;
}
