// Rules on text, whatever the language: each takes a path and a text and returns its problems as
// "path:line: ...".

import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "./files.ts";

export type TextRule = (path: string, text: string) => readonly string[];

const LINE_LENGTH_MAX = 100;

/** Tables and links of Markdown cannot be broken; nor can a line that is one long word. */
export function longLines(path: string, text: string): readonly string[] {
  const exempt = path.endsWith(".md") ? /^\s*\||\]\(|https?:/ : /^\s*(\/\/|#)?\s*\S*https?:\S*$/;
  return linesWhere(text, (line) => line.length > LINE_LENGTH_MAX && !exempt.test(line)).map(
    ({ number, line }) =>
      `${path}:${number}: ${line.length} characters, at most ${LINE_LENGTH_MAX}`,
  );
}

/** A file says first what it is: a comment on the first line, or after `#!`. */
export function missingHeader(path: string, text: string): readonly string[] {
  const first = text.startsWith("#!") ? text.split("\n")[1] : text.split("\n")[0];
  const opener = path.endsWith(".sh") ? /^# \S/ : /^(\/\/|\/\*\*?) ?\S|^\/\*\*?$/;
  return opener.test(first ?? "") ? [] : [`${path}:1: no header comment`];
}

/** An open end says of which kind it is: `TODO(correctness): ...`. */
export function untaggedTodos(path: string, text: string): readonly string[] {
  const untagged = new RegExp(
    `\\b(${["TO", "DO"].join("")}|FIX${"ME"}|XX${"X"})\\b(?!\\([a-z-]+\\))`,
  );
  return linesWhere(text, (line) => untagged.test(line)).map(
    ({ number, line }) => `${path}:${number}: no tag in parentheses: ${line.trim()}`,
  );
}

/** Nothing may depend on the machine it was written on. */
export function homePaths(path: string, text: string): readonly string[] {
  const home = /(^|[\s"'`(=:])\/((home|Users|work)\/[a-z]|root\/\.?[a-z])/;
  return linesWhere(text, (line) => home.test(line)).map(
    ({ number }) => `${path}:${number}: an absolute path of somebody's machine`,
  );
}

/** Where packages come from is for the machine's own configuration to say. */
export function registryAddresses(path: string, text: string): readonly string[] {
  const registry = /registry\.(npmjs|yarnpkg)|proxy\.golang|deb\.debian\.org|"resolved"\s*:/;
  return linesWhere(text, (line) => registry.test(line)).map(
    ({ number }) => `${path}:${number}: the address of a package registry`,
  );
}

/** Relative links of Markdown lead to files that exist. */
export function deadLinks(path: string, text: string): readonly string[] {
  return linesWhere(withoutCode(text), () => true).flatMap(({ number, line }) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => (match[1] ?? "").replace(/#.*/, ""))
      .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, posix.dirname(path), target)))
      .map((target) => `${path}:${number}: link to "${target}", which does not exist`),
  );
}

/** The same lines, those of fenced code blocks empty. */
function withoutCode(text: string): string {
  let isCode = false;
  const blank = (line: string) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isCode = !isCode;
    return isCode || isFence ? "" : line;
  };
  return text.split("\n").map(blank).join("\n");
}

function linesWhere(
  text: string,
  matches: (line: string) => boolean,
): readonly { readonly number: number; readonly line: string }[] {
  return text
    .split("\n")
    .map((line, index) => ({ number: index + 1, line }))
    .filter(({ line }) => matches(line));
}
