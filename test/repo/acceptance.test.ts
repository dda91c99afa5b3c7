// docs/acceptance.md names a test for every promised behaviour; here each must exist. That each ran
// and passed is checked at the end of a full run, by the same code.

import assert from "node:assert/strict";
import test from "node:test";
import type { RunReport, TestRecord } from "../support/run-report.ts";
import {
  type AcceptanceRow,
  parseAcceptance,
  readAcceptance,
  rowProblem,
} from "./support/acceptance.ts";
import { assertNone } from "./support/assert-none.ts";
import { reachableFrom } from "./support/code-rules.ts";
import { root, typescriptTrees } from "./support/files.ts";
import { parseAll } from "./support/syntax.ts";
import { mayHaveTitle } from "./support/titles.ts";

test("every row of docs/acceptance.md names a test that exists", () => {
  const { rows, problems } = readAcceptance(root);
  const trees = typescriptTrees();
  const missing = rows.flatMap((row) => {
    const where = `docs/acceptance.md:${row.line}: "${row.what}"`;
    if (!trees.has(row.file)) return [`${where}: ${row.file} does not exist`];
    // A contract is written once, and run by the files that import it.
    const written = [...reachableFrom([row.file], trees)].flatMap((file) => trees.get(file) ?? []);
    const isThere = written.some((tree) => mayHaveTitle(tree, row.title));
    return isThere ? [] : [`${where}: no "${row.title}" in ${row.file}`];
  });
  assertNone([...problems, ...missing]);
});

const SAMPLE = `# Acceptance

| suite | what |
|---|---|
| unit | not a row |

## Issue 1

| what | test file | test title |
|---|---|---|
| a pool is refused | \`test/unit/a.test.ts\` | \`parse() refuses a \\| b\` |
| it answers | test/netns/b.test.ts | lab > answers |
`;

test("parseAcceptance() reads the rows of tables with its headings", () => {
  assert.deepEqual(parseAcceptance(SAMPLE), {
    rows: [
      {
        line: 11,
        what: "a pool is refused",
        file: "test/unit/a.test.ts",
        title: "parse() refuses a | b",
      },
      { line: 12, what: "it answers", file: "test/netns/b.test.ts", title: "lab > answers" },
    ],
    problems: [],
  });
});

const BAD_ROWS: readonly (readonly [string, string])[] = [
  ["a row of two cells", "| a | b.test.ts |"],
  ["a row of four cells", "| a | b.test.ts | c | d |"],
  ["a row without a title", "| a | b.test.ts | |"],
];

for (const [name, row] of BAD_ROWS) {
  test(`parseAcceptance() refuses ${name}`, () => {
    assert.equal(parseAcceptance(SAMPLE + row).problems.length, 1);
  });
}

test("parseAcceptance() refuses a page without a row", () => {
  assert.equal(parseAcceptance("# Acceptance\n").problems.length, 1);
});

const ROW: AcceptanceRow = { line: 1, what: "w", file: "test/unit/a.test.ts", title: "b" };

const REPORT_ROWS: readonly (readonly [string, readonly Partial<TestRecord>[], RegExp | null])[] = [
  ["no test ran", [], /no test "b" ran/],
  ["only another file has the title", [{ file: "test/unit/c.test.ts" }], /no test "b" ran/],
  ["the test failed", [{ result: "failed" }], /failed/],
  ["the test was skipped", [{ result: "skipped" }], /skipped/],
  ["one of two of the title failed", [{}, { result: "failed" }], /failed/],
  ["it passed", [{}], null],
  ["it passed in a group", [{ path: ["group", "b"] }], null],
];

for (const [name, tests, problem] of REPORT_ROWS) {
  test(`rowProblem() when ${name}`, () => {
    const passed = { kind: "test", file: ROW.file, path: ["b"], result: "passed", ms: 1 } as const;
    const report: RunReport = {
      suites: ["unit"],
      tests: tests.map((one) => ({ ...passed, ...one })),
    };
    const found = rowProblem(ROW, report);
    if (problem === null) assert.equal(found, null);
    else assert.match(found ?? "", problem);
  });
}

const TITLE_ROWS: readonly (readonly [string, string, string, boolean])[] = [
  ["another title", 'test("b", f);', "a", false],
  ["a comment", "// a", "a", false],
  ["a title", 'test("a", f);', "a", true],
  ["a group and a title", 'describe("a", () => { it("b", f); });', "a > b", true],
  ["a group that is missing", 'it("b", f);', "a > b", false],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ["a built title", "test(`parse() refuses ${row} now`, f);", "parse() refuses x now", true],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ["a built title that cannot be it", "test(`parse() refuses ${row}`, f);", "parse() b", false],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  ["a template of nothing but a value", "test(`${row}`, f);", "a", false],
];

for (const [name, source, title, expected] of TITLE_ROWS) {
  test(`mayHaveTitle() on ${name} is ${expected}`, () => {
    const tree = parseAll(new Map([["a.test.ts", source]])).get("a.test.ts");
    assert.ok(tree !== undefined);
    assert.equal(mayHaveTitle(tree, title), expected);
  });
}
