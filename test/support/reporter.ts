// Reporter for `node --test`: turns its events into one JSON record a line (see run-report.ts) for
// scripts/test.ts, which decides what people see.
// Records go to the file descriptor that LBD_TEST_RECORDS_FD names, apart from what tests print.

import { writeSync } from "node:fs";
import { relative, resolve } from "node:path";
import { inspect } from "node:util";
import type { RunRecord, TestRecord, TestResult } from "./run-report.ts";

interface ReportedEvent {
  readonly type: string;
  readonly data?: EventData;
}

interface EventData {
  readonly name?: string;
  readonly nesting?: number;
  /** Where the test is written: a suite that several files run, perhaps. */
  readonly file?: string;
  /** The file that was run. */
  readonly entryFile?: string;
  readonly message?: unknown;
  readonly skip?: unknown;
  readonly todo?: unknown;
  readonly duration_ms?: number;
  readonly details?: {
    readonly type?: string;
    readonly duration_ms?: number;
    readonly error?: { readonly failureType?: string; readonly cause?: unknown };
  };
}

/** Titles of the open groups of each file, outermost first. */
type OpenTitles = Map<string, string[]>;

export default async function* reporter(events: AsyncIterable<ReportedEvent>) {
  const descriptor = process.env.LBD_TEST_RECORDS_FD;
  const open: OpenTitles = new Map();
  for await (const event of events) {
    if (event.data?.file === undefined) continue;
    const record = toRecord(event.type, event.data, open);
    if (record === null) continue;
    const line = `${JSON.stringify(record)}\n`;
    if (descriptor === undefined) yield line;
    else writeSync(Number(descriptor), line);
  }
}

function toRecord(type: string, data: EventData, open: OpenTitles): RunRecord | null {
  const file = relative(process.cwd(), resolve(data.entryFile ?? data.file ?? ""));
  const title = data.name ?? "";
  switch (type) {
    case "test:dequeue":
      return { kind: "begin", file, title: isFileItself(data) ? "(loading)" : title };
    case "test:start":
      noteTitle(open, { file, title, nesting: data.nesting ?? 0 });
      return null;
    case "test:pass":
    case "test:fail":
      return isFileItself(data)
        ? fileEnd(type, file, data)
        : testRecord(type, { file, data, path: pathOf(open, file, data) });
    case "test:stdout":
    case "test:stderr":
      return { kind: "output", file, text: String(data.message) };
    case "test:summary":
      return { kind: "file-end", file, ms: data.duration_ms ?? 0 };
    default:
      return null;
  }
}

/** node:test reports a file as a test only if it died or holds no test. */
function isFileItself(data: EventData): boolean {
  return data.nesting === 0 && resolve(data.name ?? "") === resolve(data.file ?? "");
}

function fileEnd(type: string, file: string, data: EventData): RunRecord {
  const ms = data.details?.duration_ms ?? 0;
  if (type === "test:pass") return { kind: "file-end", file, ms, empty: true };
  return { kind: "file-end", file, ms, error: "did not load, or its process died" };
}

function noteTitle(
  open: OpenTitles,
  started: { readonly file: string; readonly title: string; readonly nesting: number },
): void {
  const titles = open.get(started.file) ?? [];
  open.set(started.file, [...titles.slice(0, started.nesting), started.title]);
}

function pathOf(open: OpenTitles, file: string, data: EventData): readonly string[] {
  const titles = open.get(file) ?? [];
  return [...titles.slice(0, data.nesting ?? 0), data.name ?? ""];
}

function testRecord(
  type: string,
  ended: { readonly file: string; readonly data: EventData; readonly path: readonly string[] },
): TestRecord | null {
  const { file, data, path } = ended;
  const result = resultOf(type, data);
  const isGroup = data.details?.type === "suite";
  if (isGroup && (result === "passed" || failureType(data) === "subtestsFailed")) return null;
  const record = { kind: "test", file, path, result, ms: data.details?.duration_ms ?? 0 } as const;
  return result === "failed" ? { ...record, error: errorText(data) } : record;
}

function resultOf(type: string, data: EventData): TestResult {
  if (isSet(data.skip)) return "skipped";
  if (isSet(data.todo)) return "todo";
  return type === "test:pass" ? "passed" : "failed";
}

function isSet(mark: unknown): boolean {
  return mark !== undefined && mark !== false;
}

function failureType(data: EventData): string | undefined {
  return data.details?.error?.failureType;
}

function errorText(data: EventData): string {
  const error = data.details?.error;
  const cause = error?.cause ?? error;
  return thrownText(cause)
    .split("\n")
    .filter((line) => !/^\s+at .*\(?node:internal/.test(line))
    .join("\n");
}

/** Message and stack, with the chain of causes; an assertion's own fields repeat its message. */
function thrownText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return inspect(thrown);
  const text = thrown.stack ?? String(thrown);
  return thrown.cause === undefined ? text : `${text}\ncause: ${thrownText(thrown.cause)}`;
}
