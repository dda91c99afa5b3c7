// What every file keeps to: lengths, header comments, no hidden inputs, no dead files, no dead
// links. The rules themselves are tried in rules.test.ts.

import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { SUITE_NAMES } from "../../scripts/test-suites.ts";
import { assertNone } from "./support/assert-none.ts";
import {
  ambientInputs,
  type CodeRule,
  lonelyTests,
  reachableFrom,
  uncheckedTypes,
} from "./support/code-rules.ts";
import { filesLike, root, textOf, textsLike, typescriptTrees } from "./support/files.ts";
import { ratchetProblems } from "./support/ratchet.ts";
import { functionsOf } from "./support/syntax.ts";
import {
  deadLinks,
  homePaths,
  longLines,
  missingHeader,
  registryAddresses,
  type TextRule,
  untaggedTodos,
} from "./support/text-rules.ts";

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;

/** Where time and chance enter. */
const CLOCKS = ["src/daemon/system-clock.ts", "src/daemon/system-random.ts", "src/cli/clock.ts"];

/** What is started, and so needs no importer. */
const ENTRIES = ["src/daemon/main.ts", "src/daemon/responder-thread.ts", "src/cli/main.ts"];

/** Files of src that only tests reach, each with the reason. */
const ONLY_FOR_TESTS: Readonly<Record<string, string>> = {};

const CODE = ["{src,test,scripts}/**/*.ts", "native/**/*.{ts,c,h}", "test/**/*.c"];
const SCRIPTS = ["{scripts,test,packaging}/**/*.sh", ".ci/run"];
const PROSE = ["*.md", "docs/**/*.md"];
const SCENARIOS = "test/sim/scenarios/*.txt";
const OTHER = ["Makefile", "{deploy,packaging,systemd}/**/*", "package.json", ".npmrc"];

const trees = typescriptTrees();

test("lines are short", () => {
  assertNone(broken(longLines, ...CODE, ...SCRIPTS, ...PROSE, SCENARIOS, "Makefile"));
});

test("files begin with a comment that says what they are", () => {
  assertNone(broken(missingHeader, ...CODE, "{scripts,test,packaging}/**/*.sh"));
});

test("what is left to do has a tag", () => {
  assertNone(broken(untaggedTodos, ...CODE, ...SCRIPTS, ...PROSE));
});

test("no file names a place on somebody's machine", () => {
  assertNone(broken(homePaths, ...CODE, ...SCRIPTS, ...PROSE, ...OTHER));
});

test("no file names a package registry", () => {
  const files = [...CODE, ...SCRIPTS, ...PROSE, ...OTHER, "package-lock.json"];
  assertNone(broken(registryAddresses, ...files));
});

test("links between documents lead somewhere", () => {
  assertNone(broken(deadLinks, ...PROSE));
});

test("files and functions are short, but for those in ratchet.json", () => {
  const { fileLines, functionLines } = JSON.parse(textOf("test/repo/ratchet.json"));
  const files = [...textsLike(...CODE)].map(([name, text]) => ({
    name,
    lines: text.split("\n").length - 1,
  }));
  const functions = [...trees].flatMap(([file, tree]) =>
    functionsOf(tree).map(({ name, lines }) => ({ name: `${file}#${name}`, lines })),
  );
  const problems = [
    ...ratchetProblems(files, { linesMax: FILE_LINES_MAX, listed: fileLines }),
    ...ratchetProblems(functions, { linesMax: FUNCTION_LINES_MAX, listed: functionLines }),
  ];
  assertNone(problems);
});

test("no test is left alone", () => {
  assertNone(brokenCode(lonelyTests, /^test\//));
});

test("sources do not switch off the type checker", () => {
  assertNone(brokenCode(uncheckedTypes, /^(src|native)\//));
});

test("time and chance enter through the clock and the generator alone", () => {
  const problems = brokenCode(ambientInputs, /^src\//);
  const elsewhere = problems.filter((problem) => !CLOCKS.includes(problem.split(":")[0] ?? ""));
  assertNone(elsewhere);
});

test("every source file is used", () => {
  const reached = reachableFrom(ENTRIES, trees);
  const isUsed = (file: string): boolean =>
    reached.has(file) || file in ONLY_FOR_TESTS || file.endsWith(".d.ts");
  const dead = [...trees.keys()].filter((file) => file.startsWith("src/") && !isUsed(file));
  assertNone(dead);
});

test("every file that only tests use still exists and is not used elsewhere", () => {
  const reached = reachableFrom(ENTRIES, trees);
  const wrong = Object.keys(ONLY_FOR_TESTS).filter((file) => !trees.has(file) || reached.has(file));
  assertNone(wrong);
});

test("every test file is in a suite", () => {
  const homeless = filesLike("{src,native,scripts,test}/**/*.test.ts").filter(
    (file) => !SUITE_NAMES.some((name) => file.startsWith(`test/${name}/`)),
  );
  assertNone(homeless);
});

test("README shows the two commands, and the Makefile has them", () => {
  const readme = existsSync(join(root, "README.md")) ? textOf("README.md") : "";
  const targets = textOf("Makefile");
  for (const target of ["demo", "test"]) {
    assert.match(readme, new RegExp(`^\\s*(\\$ )?make ${target}\\b`, "m"), "README.md");
    assert.match(targets, new RegExp(`^${target}:`, "m"), "Makefile");
  }
});

test("every script that the Makefile and package.json call can be run", () => {
  const called = `${textOf("Makefile")}${textOf("package.json")}`.match(/scripts\/[a-z-]+\.sh/g);
  assert.ok(called !== null && called.length > 0);
  const missing = [...called, ".ci/run"].filter((path) => !isExecutable(path));
  assertNone(missing);
});

test("the changelog has a version or what is unreleased first", () => {
  const heading = /^## (.*)$/m.exec(textOf("CHANGELOG.md"))?.[1] ?? "";
  assert.match(heading, /^(Unreleased|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\))$/);
});

test("the lockfile holds every package it names, so that npm ci accepts it", () => {
  const packages = JSON.parse(textOf("package-lock.json")).packages;
  const missing = Object.entries<Record<string, Record<string, string>>>(packages).flatMap(
    ([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter(
        (name) =>
          !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
  );
  assertNone(missing);
});

function broken(rule: TextRule, ...patterns: readonly string[]): readonly string[] {
  const texts = textsLike(...patterns);
  assert.ok(texts.size > 0, "no file matches");
  return [...texts].flatMap(([path, text]) => rule(path, text));
}

function brokenCode(rule: CodeRule, paths: RegExp): readonly string[] {
  const chosen = [...trees].filter(([path]) => paths.test(path));
  assert.ok(chosen.length > 0, "no file matches");
  return chosen.flatMap(([path, tree]) => rule(path, tree));
}

function isExecutable(path: string): boolean {
  const full = join(root, path);
  return existsSync(full) && (statSync(full).mode & 0o111) !== 0;
}
