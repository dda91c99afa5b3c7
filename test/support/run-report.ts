// What a test run leaves behind: the record of every test, as the reporter streams it and as the
// report file keeps it for the acceptance check.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `skipped` and `todo` are failures of a run: a test that does not run proves nothing. */
export type TestResult = "passed" | "failed" | "skipped" | "todo";

export interface TestRecord {
  readonly kind: "test";
  /** Relative to the repository. */
  readonly file: string;
  /** Titles from the outermost group to the test itself. */
  readonly path: readonly string[];
  readonly result: TestResult;
  readonly ms: number;
  /** Text of the failure. */
  readonly error?: string;
}

/** One line of the stream from the reporter to the runner. */
export type RunRecord =
  | TestRecord
  | { readonly kind: "begin"; readonly file: string; readonly title: string }
  | { readonly kind: "output"; readonly file: string; readonly text: string }
  /** `error`: the file did not load or died; `empty`: it holds no test. */
  | {
      readonly kind: "file-end";
      readonly file: string;
      readonly ms: number;
      readonly error?: string;
      readonly empty?: boolean;
    };

export interface RunReport {
  /** Names of the suites that ran, in order. */
  readonly suites: readonly string[];
  readonly tests: readonly TestRecord[];
}

export function reportPath(root: string): string {
  const elsewhere = process.env.LBD_TEST_REPORT;
  return elsewhere ?? join(root, "node_modules", ".cache", "lbd", "report.json");
}

/** Replaces the report of the run before; a reader never sees half of one. */
export function writeReport(path: string, report: RunReport): void {
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(report, null, 1)}\n`);
  renameSync(unfinished, path);
}

export function readReport(path: string): RunReport {
  return JSON.parse(readFileSync(path, "utf8")) as RunReport;
}
