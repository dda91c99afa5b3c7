// The import rules of architecture.test.ts: what a row means, and which imports break one.

import { posix } from "node:path";
import type { SourceFile } from "typescript/unstable/ast";
import { SyntaxKind } from "typescript/unstable/ast";
import { freeNamesOf, importsOf, nodesOf } from "./syntax.ts";

/** What files may import. A file's own folder is always allowed, within src/<folder>. */
export interface ImportRow {
  /** A folder, or one file; the longest that fits a file is its row. */
  readonly path: string;
  /** Folders and files of the repository; "*" is everything but test. */
  readonly internal: readonly string[];
  /** npm packages. */
  readonly packages: readonly string[];
  /** `node:*` modules too? */
  readonly node: boolean;
  /** Synchronous, without time, chance or any other input but arguments. */
  readonly pure?: boolean;
  /** Its folder's other files, which may be of another kind, are not for it. */
  readonly notOwnFolder?: boolean;
}

export function rowFor(rows: readonly ImportRow[], file: string): ImportRow | undefined {
  const fitting = rows.filter(({ path }) => file === path || file.startsWith(`${path}/`));
  return fitting.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** Imports of the file that its row does not allow, each as "file:line: ...". */
export function importProblems(
  rows: readonly ImportRow[],
  file: string,
  tree: SourceFile,
): readonly string[] {
  const row = rowFor(rows, file);
  if (row === undefined) return [`${file}: in no row of the table of imports`];
  return importsOf(tree)
    .filter(({ text }) => !isAllowed(rows, { row, file, specifier: text }))
    .map(({ line, text }) => `${file}:${line}: must not import "${text}" (row "${row.path}")`);
}

interface Import {
  readonly row: ImportRow;
  readonly file: string;
  readonly specifier: string;
}

function isAllowed(rows: readonly ImportRow[], { row, file, specifier }: Import): boolean {
  if (specifier.startsWith("node:")) return row.node;
  if (!specifier.startsWith(".")) return row.packages.includes(packageOf(specifier));
  const target = targetOf(file, specifier);
  if (target.startsWith("test/")) return file.startsWith("test/") || row.internal.includes("test");
  if (row.internal.includes("*")) return true;
  // A pure file stays pure only if what it imports of its own folder is.
  const kind = rowFor(rows, target);
  if (row.pure === true && kind?.pure !== true) return false;
  const own = folderOf(file);
  if (row.notOwnFolder !== true && own !== "" && target.startsWith(`${own}/`)) return true;
  return row.internal.some(
    (path) => posix.matchesGlob(target, path) || target.startsWith(`${path}/`),
  );
}

/** "a" of "a/b", "@a/b" of "@a/b/c". */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

export function targetOf(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}

/** "src/arp" of "src/arp/responder.ts", "native" of "native/index.ts". */
function folderOf(file: string): string {
  const parts = file.split("/");
  return parts.slice(0, Math.min(parts.length - 1, 2)).join("/");
}

const IMPURE =
  /^(Date|Promise|process|console|performance|globalThis|queueMicrotask|crypto|fetch)(\.|$)/;
const IMPURE_TOO = /^(Math\.random|(set|clear)(Timeout|Interval|Immediate))$/;
const ASYNC_KINDS = [SyntaxKind.AsyncKeyword, SyntaxKind.AwaitExpression];

/** Time, chance, output and promises in a file that must be pure. */
export function purityProblems(file: string, tree: SourceFile): readonly string[] {
  const names = freeNamesOf(tree).filter(({ text }) => IMPURE.test(text) || IMPURE_TOO.test(text));
  const found = [...names, ...nodesOf(tree, ASYNC_KINDS)];
  return found.map(({ line, text }) => `${file}:${line}: "${text.slice(0, 40)}" in a pure module`);
}
