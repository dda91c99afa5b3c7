// Runs one suite as `node --test` in a process group of its own, within the suite's limits.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { RunRecord, TestRecord } from "../test/support/run-report.ts";
import { SuiteOutput } from "./test-output.ts";
import type { Suite } from "./test-suites.ts";

/** What tests have to clean up after themselves when they are told to end. */
const GRACE_MS = Number(process.env.LBD_TEST_GRACE_MS ?? 10_000);
const RECORDS_FD = 3;
const DRAIN_MS = 1_000;
const WATCH_MS = 1_000;
const SWEEP_MS_MAX = 60_000;

const runnerFolder = join(import.meta.dirname, "..");

/** The process group that runs now, for whoever must pass a signal on. */
let running: ChildProcess | null = null;

/** Runs all test files of the suite below `root`. Trouble with the suite is a failed test in it. */
export async function runSuite(suite: Suite, root: string): Promise<readonly TestRecord[]> {
  if (suite.lab === true && process.getuid?.() !== 0) {
    return [trouble(suite, "needs root, for namespaces; run it with sudo")];
  }
  const files = globSync(`test/${suite.name}/**/*.test.ts`, { cwd: root }).sort();
  if (files.length === 0) return [trouble(suite, "has no test file")];
  const before = suite.lab === true ? sweep(suite, root) : [];
  const tests = await runFiles(suite, { root, files });
  const after = suite.lab === true ? sweep(suite, root) : [];
  const ran = tests.some((test) => test.result === "passed" || test.result === "failed");
  const nothing = ran ? [] : [trouble(suite, "ran no test")];
  return [...before, ...tests, ...nothing, ...after];
}

/** Ends the running suite; its tests get some seconds to clean up. */
export function stopRunningSuite(signal: NodeJS.Signals): void {
  if (running !== null) endGroup(running, signal);
}

function trouble(suite: Suite, error: string): TestRecord {
  const name = `suite ${suite.name}`;
  console.log(`FAIL ${name}: ${error}`);
  return { kind: "test", file: `test/${suite.name}`, path: [name], result: "failed", ms: 0, error };
}

async function runFiles(
  suite: Suite,
  options: { readonly root: string; readonly files: readonly string[] },
): Promise<readonly TestRecord[]> {
  const output = new SuiteOutput(suite.name, (line) => console.log(line));
  const child = spawnNode(suite, options);
  running = child;
  let timedOut = false;
  const watch = setInterval(() => {
    output.heartbeat();
    const silenceMsMax = suite.testSecondsMax * 1000 + GRACE_MS;
    const hung = output.takeHung(silenceMsMax);
    if (hung !== null) killFile(child, hung);
  }, WATCH_MS);
  const deadline = setTimeout(() => {
    timedOut = true;
    endGroup(child, "SIGTERM");
  }, suite.suiteSecondsMax * 1000);
  const read = readRecords(child, output);
  const how = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(String(error)));
    child.on("exit", (code, signal) => resolve(signal ?? `status ${code}`));
  });
  await read;
  clearInterval(watch);
  clearTimeout(deadline);
  running = null;
  const limit = `hung: killed when the suite had run for ${suite.suiteSecondsMax} s`;
  const isTold = output.onKilled(timedOut ? limit : `ended early (${how})`);
  // node:test may have told the end of the file that it killed already, and not why.
  if (timedOut && !isTold) console.log(`    ${limit}`);
  const unreported = timedOut || how === "status 0" || output.tests().some(isFailure);
  const rest = unreported ? [] : [trouble(suite, `node --test ended with ${how}`)];
  return [...output.tests(), ...rest];
}

function isFailure(test: TestRecord): boolean {
  return test.result !== "passed";
}

function spawnNode(
  suite: Suite,
  options: { readonly root: string; readonly files: readonly string[] },
): ChildProcess {
  // Inherited by tests of this runner; with it, node --test would run nothing.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const limits = [
    `--test-concurrency=${suite.concurrency}`,
    `--test-timeout=${suite.testSecondsMax * 1000}`,
  ];
  const reporter = join(runnerFolder, "test", "support", "reporter.ts");
  return spawn(
    process.execPath,
    // Not --test-force-exit: it loses the last results of a file. See killFile().
    ["--test", ...limits, `--test-reporter=${reporter}`, ...options.files],
    {
      cwd: options.root,
      env: { ...environment, LBD_TEST_RECORDS_FD: String(RECORDS_FD) },
      detached: true,
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    },
  );
}

/** Until the runner is gone; what it left running does not hold the pipe open for long. */
async function readRecords(child: ChildProcess, output: SuiteOutput): Promise<void> {
  const input = child.stdio[RECORDS_FD] as Readable;
  child.on("exit", () => setTimeout(() => input.destroy(), DRAIN_MS).unref());
  const lines = createInterface({ input });
  for await (const line of lines) output.onRecord(JSON.parse(line) as RunRecord);
}

function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  signalGroup(child, signal);
  setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS).unref();
}

/** node:test waits for ever for a file that keeps a handle open, all its tests timed out or not. */
function killFile(child: ChildProcess, file: string): void {
  for (const pid of childrenOf(child.pid ?? 0)) {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (command.includes(file)) process.kill(pid, "SIGKILL");
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group ended by itself in the meantime.
  }
}

/** Removes what labs of dead runs have left; fails when it cannot. */
function sweep(suite: Suite, root: string): readonly TestRecord[] {
  const script = join(root, "test", "lab", "sweep.ts");
  if (!existsSync(script)) return [];
  const done = spawnSync(process.execPath, [script], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: SWEEP_MS_MAX,
  });
  return done.status === 0 ? [] : [trouble(suite, "test/lab/sweep.ts failed")];
}
