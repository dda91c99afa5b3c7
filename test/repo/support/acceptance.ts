// docs/acceptance.md: tables `| what | test file | test title |`, one row a promised behaviour.
// This reads them and says which rows have no such test, or, given a report, none that passed.
//
// A title is the test's own, or its groups and itself joined by " > ". Code spans (`...`) may wrap
// the cells; `\|` is a pipe in a cell. Other tables of the page have other headings.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunReport } from "../../support/run-report.ts";

const PAGE = "docs/acceptance.md";
const HEADINGS = ["what", "test file", "test title"];

export interface AcceptanceRow {
  /** In the page, from 1. */
  readonly line: number;
  readonly what: string;
  readonly file: string;
  readonly title: string;
}

export interface AcceptancePage {
  readonly rows: readonly AcceptanceRow[];
  readonly problems: readonly string[];
}

/** All rows of all acceptance tables in the text; rows that cannot be read are problems. */
export function parseAcceptance(text: string): AcceptancePage {
  const rows: AcceptanceRow[] = [];
  const problems: string[] = [];
  let inTable = false;
  for (const [index, lineText] of text.split("\n").entries()) {
    const line = index + 1;
    if (!lineText.trimStart().startsWith("|")) {
      inTable = false;
      continue;
    }
    const cells = cellsOf(lineText);
    if (isHeading(cells)) {
      inTable = true;
    } else if (inTable && !cells.every((cell) => /^:?-+:?$/.test(cell))) {
      const [what = "", file = "", title = ""] = cells;
      if (cells.length === 3 && what !== "" && file !== "" && title !== "") {
        rows.push({ line, what, file, title });
      } else problems.push(`${PAGE}:${line}: not \`| what | test file | test title |\``);
    }
  }
  if (rows.length === 0) problems.push(`${PAGE}: no row in any table`);
  return { rows, problems };
}

function cellsOf(line: string): readonly string[] {
  const inner = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) =>
    cell
      .trim()
      .replaceAll("\\|", "|")
      .replace(/^`(.*)`$/, "$1"),
  );
}

function isHeading(cells: readonly string[]): boolean {
  return cells.map((cell) => cell.toLowerCase()).join("|") === HEADINGS.join("|");
}

/** The page of the repository; a missing page is a problem like any other. */
export function readAcceptance(root: string): AcceptancePage {
  const path = join(root, PAGE);
  if (!existsSync(path)) return { rows: [], problems: [`${PAGE} is missing`] };
  return parseAcceptance(readFileSync(path, "utf8"));
}

/** Rows that did not run and pass, each as one sentence. */
export function acceptanceProblems(root: string, report: RunReport): readonly string[] {
  const { rows, problems } = readAcceptance(root);
  return [...problems, ...rows.flatMap((row) => rowProblem(row, report) ?? [])];
}

/** Null when every test of the row's file and title passed, and there is one. */
export function rowProblem(row: AcceptanceRow, report: RunReport): string | null {
  const where = `${PAGE}:${row.line}: "${row.what}"`;
  const named = report.tests.filter(
    (test) =>
      test.file === row.file &&
      (test.path.at(-1) === row.title || test.path.join(" > ") === row.title),
  );
  if (named.length === 0) return `${where}: no test "${row.title}" ran in ${row.file}`;
  const failed = named.find((test) => test.result !== "passed");
  return failed === undefined ? null : `${where}: test "${row.title}" ${failed.result}`;
}
