// What people see of a suite while it runs: a line a file, all details of failures and nothing of
// what passed, and a sign of life when there has been no line for a while.

import type { RunRecord, TestRecord } from "../test/support/run-report.ts";

const HEARTBEAT_MS = 25_000;
/** Output kept of one file, for the case that it fails. */
const OUTPUT_CHARACTERS_MAX = 20_000;

interface FileState {
  readonly tests: TestRecord[];
  readonly startedMs: number;
  output: string;
  running: string;
  lastSignMs: number;
  /** Killed because nothing was heard of it. */
  hung: boolean;
  ended: boolean;
}

/** Collects the records of one suite and prints lines through `print`. */
export class SuiteOutput {
  readonly #suite: string;
  readonly #print: (line: string) => void;
  readonly #files = new Map<string, FileState>();
  readonly #startedMs = performance.now();
  #printedMs = performance.now();

  constructor(suite: string, print: (line: string) => void) {
    this.#suite = suite;
    this.#print = print;
  }

  /** Every test so far, those of unfinished files included. */
  tests(): readonly TestRecord[] {
    return [...this.#files.values()].flatMap((state) => state.tests);
  }

  onRecord(record: RunRecord): void {
    const state = this.#stateOf(record.file);
    state.lastSignMs = performance.now();
    switch (record.kind) {
      case "begin":
        state.running = record.title;
        return;
      case "output":
        state.output = (state.output + record.text).slice(-OUTPUT_CHARACTERS_MAX);
        return;
      case "test":
        state.tests.push(record);
        return;
      case "file-end":
        this.#endFile(record.file, state, record);
        return;
    }
  }

  /** Ends every file that is still open as failed, for `reason`; true when there was one. */
  onKilled(reason: string): boolean {
    const open = [...this.#files].filter(([, state]) => !state.ended);
    for (const [file, state] of open) {
      this.#endFile(file, state, { error: `${reason}, in "${state.running}"` });
    }
    return open.length > 0;
  }

  /**
   * The file of which nothing was heard for so long; it is named once, and counts as failed. Only
   * the first that is open can be it: node:test reports in order, the others wait for its end.
   */
  takeHung(silenceMsMax: number): string | null {
    const first = [...this.#files].find(([, state]) => !state.ended);
    if (first === undefined) return null;
    const [file, state] = first;
    if (state.hung || performance.now() - state.lastSignMs <= silenceMsMax) return null;
    state.hung = true;
    return file;
  }

  /** To be called every few seconds. */
  heartbeat(): void {
    if (performance.now() - this.#printedMs < HEARTBEAT_MS) return;
    const open = [...this.#files].filter(([, state]) => !state.ended);
    const where = open.map(([file, state]) => `${file}: ${state.running}`).join("; ");
    const seconds = seconds1(performance.now() - this.#startedMs);
    this.#say(`...  ${this.#suite} still running after ${seconds} s, now ${where || "starting"}`);
  }

  #stateOf(file: string): FileState {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const startedMs = performance.now();
    const state: FileState = {
      tests: [],
      startedMs,
      output: "",
      running: "(loading)",
      lastSignMs: startedMs,
      hung: false,
      ended: false,
    };
    this.#files.set(file, state);
    return state;
  }

  #endFile(
    file: string,
    state: FileState,
    end: { readonly error?: string; readonly empty?: boolean; readonly ms?: number },
  ): void {
    if (state.ended) return;
    state.ended = true;
    const ms = end.ms ?? performance.now() - state.startedMs;
    const hung = `hung in or after "${state.running}" and was killed; is a handle left open?`;
    const trouble = state.hung ? hung : end.empty === true ? "holds no test" : end.error;
    if (trouble !== undefined) {
      state.tests.push({
        kind: "test",
        file,
        path: ["(file)"],
        result: "failed",
        ms,
        error: trouble,
      });
    }
    this.#sayFile(file, state, ms);
  }

  #sayFile(file: string, state: FileState, ms: number): void {
    const failures = state.tests.filter((test) => test.result !== "passed");
    const passed = state.tests.length - failures.length;
    const counts = failures.length === 0 ? "" : `, ${failures.length} failed`;
    const mark = failures.length === 0 ? "ok  " : "FAIL";
    this.#say(`${mark} ${file}  ${passed} passed${counts}  ${seconds1(ms)} s`);
    for (const failure of failures) this.#sayFailure(failure);
    if (failures.length > 0 && state.output !== "") {
      this.#say(indent(`output of ${file}:\n${indent(state.output.trimEnd())}`));
    }
  }

  #sayFailure(failure: TestRecord): void {
    const reason =
      failure.result === "failed"
        ? failure.error
        : `${failure.result}: a test that does not run is a failure`;
    this.#say(indent(`* ${failure.path.join(" > ")}\n${indent(reason ?? "no reason given")}`));
  }

  #say(line: string): void {
    this.#printedMs = performance.now();
    this.#print(line);
  }
}

export function seconds1(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
