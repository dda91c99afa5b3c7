// scripts/test.ts on small repositories made here: what passes, what fails, and what it says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { SUITE_NAMES } from "../../scripts/test-suites.ts";
import { readReport } from "../support/run-report.ts";
import { root } from "./support/files.ts";

const HEAD = 'import test, { describe, it } from "node:test";\n';
const PASSES = `${HEAD}test("fine", () => {});`;

interface Row {
  readonly name: string;
  /** Text after the import of node:test. */
  readonly source: string;
  readonly lastLine: string;
  readonly says: RegExp;
}

const ROWS: readonly Row[] = [
  {
    name: "a failing test, with its message",
    source: 'test("a", () => { throw new Error("out of luck"); }); test("b", () => {});',
    lastLine: "1 passed, 1 failed",
    says: /\* a\n\s+Error: out of luck/,
  },
  {
    name: "a skipped test",
    source: 'test.skip("a", () => {}); test("b", () => {});',
    lastLine: "1 passed, 1 failed",
    says: /\* a\n\s+skipped: a test that does not run is a failure/,
  },
  {
    name: "a group that is skipped",
    source: 'describe.skip("g", () => { it("a", () => {}); }); test("b", () => {});',
    lastLine: "1 passed, 1 failed",
    says: /\* g\n\s+skipped/,
  },
  {
    name: "a test that is still to be written",
    source: 'test.todo("a"); test("b", () => {});',
    lastLine: "1 passed, 1 failed",
    says: /\* a\n\s+todo/,
  },
  {
    name: "a file without a test",
    source: "test.length;",
    lastLine: "0 passed, 1 failed",
    says: /holds no test/,
  },
  {
    name: "a file that does not load, with its output",
    source: 'throw new Error("out of luck");',
    lastLine: "0 passed, 1 failed",
    says: /its process died[\s\S]*Error: out of luck/,
  },
  {
    name: "a process that is killed",
    source: 'test("a", () => { process.kill(process.pid, "SIGKILL"); });',
    lastLine: "0 passed, 1 failed",
    says: /its process died/,
  },
  {
    name: "a test that waits for ever",
    source: 'test("a", () => new Promise(() => { setInterval(() => {}, 1000); }));',
    lastLine: "0 passed, 2 failed",
    says: /\* a\n\s+.*timed out[\s\S]*\(file\)\n\s+hung in or after "a"/,
  },
  {
    name: "a test in a group, and not the group too",
    source: 'describe("g", () => { it("a", () => { throw new Error("x"); }); });',
    lastLine: "0 passed, 1 failed",
    says: /\* g > a/,
  },
];

for (const row of ROWS) {
  test(`the runner fails for ${row.name}`, (context) => {
    const folder = repository(context, { "test/unit/a.test.ts": HEAD + row.source });
    const done = run(folder, ["unit"], { LBD_TEST_SECONDS: "1", LBD_TEST_GRACE_MS: "500" });
    assert.match(done.output, row.says);
    assert.equal(done.lastLine, row.lastLine);
    assert.equal(done.status, 1);
  });
}

test("the runner kills a suite that hangs and says where", (context) => {
  const source = `${HEAD}test("fine", () => {}); test("stuck", () => { for (;;); });`;
  const folder = repository(context, { "test/unit/a.test.ts": source });
  const done = run(folder, ["unit"], { LBD_SUITE_SECONDS: "2" });
  assert.match(done.output, /FAIL test\/unit\/a.test.ts[\s\S]*hung: killed .* had run for 2 s/);
  assert.equal(done.lastLine, "0 passed, 1 failed");
  assert.equal(done.status, 1);
});

test("the runner kills a file that keeps a handle open, and goes on", (context) => {
  const source = `${HEAD}test("a", () => { setInterval(() => {}, 1000); });`;
  const folder = repository(context, {
    "test/unit/a.test.ts": source,
    "test/unit/b.test.ts": PASSES,
  });
  const done = run(folder, ["unit"], { LBD_TEST_SECONDS: "1", LBD_TEST_GRACE_MS: "500" });
  assert.match(done.output, /hung in or after "a" and was killed/);
  assert.equal(done.lastLine, "2 passed, 1 failed");
  assert.equal(done.status, 1);
});

test("the runner fails a suite without a test file", (context) => {
  const folder = repository(context, { "test/unit/a.test.ts": PASSES });
  const done = run(folder, ["unit", "sim"]);
  assert.match(done.output, /FAIL suite sim: has no test file/);
  assert.equal(done.lastLine, "1 passed, 1 failed");
  assert.equal(done.status, 1);
});

test("the runner refuses an unknown suite and names those there are", (context) => {
  const done = run(repository(context, {}), ["unti"]);
  assert.match(done.output, new RegExp(`"unti"; the suites are ${SUITE_NAMES.join(", ")}`));
  assert.equal(done.status, 2);
});

test("the runner refuses a limit that is no number", (context) => {
  const done = run(repository(context, {}), ["unit"], { LBD_TEST_SECONDS: "soon" });
  assert.match(done.output, /LBD_TEST_SECONDS is "soon", not a number/);
  assert.notEqual(done.status, 0);
});

test("the runner fails a lab suite without root", (context) => {
  if (process.getuid?.() !== 0) return;
  const folder = repository(context, { "test/netns/a.test.ts": PASSES });
  const done = run(folder, ["netns"], {}, { uid: 65_534 });
  assert.match(done.output, /FAIL suite netns: needs root/);
  assert.equal(done.status, 1);
});

test("the runner sweeps before and after a lab suite, and fails when it cannot", (context) => {
  const folder = repository(context, {
    "test/netns/a.test.ts": PASSES,
    "test/lab/sweep.ts": 'console.log("swept"); process.exitCode = 1;',
  });
  const done = run(folder, ["netns"]);
  if (process.getuid?.() === 0) assert.equal(done.output.match(/^swept$/gm)?.length, 2);
  assert.equal(done.status, 1);
});

test("the runner reports every test with its groups", (context) => {
  const source = `${HEAD}describe("g", () => { it("a", () => {}); it("b", () => {}); });`;
  const folder = repository(context, {
    "test/unit/a.test.ts": source,
    "test/unit/sub/b.test.ts": PASSES,
  });
  assert.equal(run(folder, ["unit"]).status, 0);
  const { suites, tests } = readReport(join(folder, "report.json"));
  assert.deepEqual(suites, ["unit"]);
  assert.deepEqual(tests.map(({ file, path, result }) => [file, path.join(" > "), result]).sort(), [
    ["test/unit/a.test.ts", "g > a", "passed"],
    ["test/unit/a.test.ts", "g > b", "passed"],
    ["test/unit/sub/b.test.ts", "fine", "passed"],
  ]);
});

test("a full run fails for a row of the acceptance table without a test that passed", (context) => {
  const page = "| what | test file | test title |\n|---|---|---|\n";
  const files = Object.fromEntries(SUITE_NAMES.map((name) => [`test/${name}/a.test.ts`, PASSES]));
  const folder = repository(context, {
    ...files,
    "docs/acceptance.md": `${page}| works | test/unit/a.test.ts | fine |\n| no | a.ts | b |\n`,
  });
  const done = run(folder, []);
  assert.match(
    done.output,
    /FAIL acceptance: docs\/acceptance.md:4: "no": no test "b" ran in a.ts/,
  );
  assert.equal(done.status, 1);
  if (process.getuid?.() === 0)
    assert.equal(done.lastLine, `${SUITE_NAMES.length} passed, 1 failed`);
});

/** A folder with those files, removed after the test. */
function repository(context: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "lbd-runner-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function run(
  folder: string,
  suites: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  user: { readonly uid?: number } = {},
) {
  const script = join(root, "scripts", "test.ts");
  const done = spawnSync(process.execPath, [script, "--root", folder, ...suites], {
    encoding: "utf8",
    env: { ...process.env, LBD_TEST_REPORT: join(folder, "report.json"), ...environment },
    ...user,
  });
  const output = `${done.stdout}${done.stderr}`;
  return { output, lastLine: done.stdout.trimEnd().split("\n").at(-1), status: done.status };
}
