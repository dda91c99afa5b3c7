// The files of the repository as its rules see them: everything that is written by hand.

import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { SourceFile } from "typescript/unstable/ast";
import { parseAll } from "./syntax.ts";

export const root = join(import.meta.dirname, "..", "..", "..");

const NOT_OURS = ["node_modules", ".git", "build", "dist", "out", "bin"];

/** Paths relative to the repository that match one of the glob patterns, sorted. */
export function filesLike(...patterns: readonly string[]): readonly string[] {
  const found = globSync([...patterns], {
    cwd: root,
    exclude: (path) => NOT_OURS.includes(path.split("/").at(-1) ?? ""),
  });
  return found.filter((path) => statSync(join(root, path)).isFile()).sort();
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Path to text of all files that match. */
export function textsLike(...patterns: readonly string[]): ReadonlyMap<string, string> {
  return new Map(filesLike(...patterns).map((path) => [path, textOf(path)]));
}

/** Path to syntax tree of all TypeScript of the repository. */
export function typescriptTrees(): ReadonlyMap<string, SourceFile> {
  return parseAll(textsLike("{src,test,scripts}/**/*.ts", "native/*.ts"));
}
