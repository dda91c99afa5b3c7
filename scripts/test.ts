// `make test`: runs the suites one after the other, writes the report, checks the acceptance table
// when all ran, and ends with the line `N passed, N failed`. Arguments: names of suites (none:
// all), `--root DIR` (another repository, for this runner's own tests).

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { acceptanceProblems } from "../test/repo/support/acceptance.ts";
import { reportPath, type TestRecord, writeReport } from "../test/support/run-report.ts";
import { seconds1 } from "./test-output.ts";
import { runSuite, stopRunningSuite } from "./test-run.ts";
import { SUITE_NAMES, SUITES, type Suite, withOverrides } from "./test-suites.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

interface Arguments {
  readonly root: string;
  readonly suites: readonly Suite[];
  readonly isFullRun: boolean;
}

interface SuiteResult {
  readonly name: string;
  readonly tests: readonly TestRecord[];
  readonly ms: number;
}

async function main(): Promise<void> {
  const { root, suites, isFullRun } = readArguments();
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted = true;
      stopRunningSuite(signal);
    });
  }
  const results: SuiteResult[] = [];
  for (const suite of suites) {
    if (interrupted) break;
    results.push(await runNamed(suite, root));
  }
  const tests = results.flatMap((result) => result.tests);
  const report = { suites: results.map((result) => result.name), tests };
  writeReport(reportPath(root), report);
  const problems = isFullRun && !interrupted ? acceptanceProblems(root, report) : [];
  finish(results, { problems, root, interrupted });
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    options: { root: { type: "string", default: join(import.meta.dirname, "..") } },
    allowPositionals: true,
  });
  const names = positionals.flatMap((text) => text.split(/[\s,]+/)).filter((name) => name !== "");
  const unknown = names.filter((name) => !SUITE_NAMES.includes(name));
  if (unknown.length > 0) usage(`no suite is called "${unknown.join('", "')}"`);
  const chosen = SUITES.filter((suite) => names.length === 0 || names.includes(suite.name));
  const suites = chosen.map((suite) => withOverrides(suite, process.env));
  return { root: resolve(values.root), suites, isFullRun: names.length === 0 };
}

function usage(problem: string): never {
  console.error(`Cannot run tests: ${problem}; the suites are ${SUITE_NAMES.join(", ")}`);
  process.exit(EXIT_USAGE);
}

async function runNamed(suite: Suite, root: string): Promise<SuiteResult> {
  console.log(`== ${suite.name}`);
  for (const script of suite.providers ?? []) provide(join(root, "scripts", script));
  const startedMs = performance.now();
  const tests = await runSuite(suite, root);
  return { name: suite.name, tests, ms: performance.now() - startedMs };
}

/** Tells its progress itself; a failure shows again in the tests that need what it provides. */
function provide(script: string): void {
  if (existsSync(script)) spawnSync(script, [], { stdio: ["ignore", "ignore", "inherit"] });
}

function finish(
  results: readonly SuiteResult[],
  rest: {
    readonly problems: readonly string[];
    readonly root: string;
    readonly interrupted: boolean;
  },
): void {
  console.log("");
  for (const { name, tests, ms } of results) {
    const passed = tests.filter((test) => test.result === "passed").length;
    const counts = `${passed} passed, ${tests.length - passed} failed`;
    console.log(`${name.padEnd(9)} ${counts}, ${seconds1(ms)} s`);
  }
  for (const problem of rest.problems) console.log(`FAIL acceptance: ${problem}`);
  if (rest.interrupted) console.log("interrupted: the rest did not run");
  console.log(`report: ${reportPath(rest.root)}`);
  const all = results.flatMap((result) => result.tests);
  const passed = all.filter((test) => test.result === "passed").length;
  const failed = all.length - passed + rest.problems.length;
  console.log(`${passed} passed, ${failed} failed`);
  const status = failed > 0 || passed === 0 ? EXIT_FAILED : 0;
  process.exitCode = rest.interrupted ? EXIT_INTERRUPTED : status;
}

await main();
