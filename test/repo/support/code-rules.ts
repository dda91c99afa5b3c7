// Rules on syntax: each takes a path and a tree and returns its problems as "path:line: ...".

import { type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import { targetOf } from "./imports.ts";
import { freeNamesOf, importsOf, nodesOf, sourceOf, visit } from "./syntax.ts";

export type CodeRule = (path: string, tree: SourceFile) => readonly string[];

/** `any` and `!` switch the type checker off. */
export function uncheckedTypes(path: string, tree: SourceFile): readonly string[] {
  return nodesOf(tree, [SyntaxKind.AnyKeyword, SyntaxKind.NonNullExpression]).map(
    ({ line, text }) => `${path}:${line}: unchecked: ${text}`,
  );
}

/** Time and chance come from ports; `new Date(given)` only converts. */
export function ambientInputs(path: string, tree: SourceFile): readonly string[] {
  const named = freeNamesOf(tree).filter(({ text }) =>
    /^(Date\.now|performance\.now|process\.hrtime|Math\.random)$/.test(text),
  );
  const created = nodesOf(tree, [SyntaxKind.NewExpression, SyntaxKind.CallExpression]).filter(
    ({ text }) => /^(new\s+)?Date(\s*\(\s*\))?$/.test(text),
  );
  return [...named, ...created].map(
    ({ line, text }) => `${path}:${line}: "${text}" outside the clock`,
  );
}

/** A test that is left alone hides all others. */
export function lonelyTests(path: string, tree: SourceFile): readonly string[] {
  const problems: string[] = [];
  visit(tree, (node: Node) => {
    const isCall = node.kind === SyntaxKind.PropertyAccessExpression;
    const isOption = node.kind === SyntaxKind.PropertyAssignment;
    const text = sourceOf(tree, node);
    const lonely =
      (isCall && /^(test|it|describe|suite)\s*\.\s*only$/.test(text)) ||
      (isOption && /^["']?only["']?\s*:\s*true$/.test(text));
    if (lonely) problems.push(`${path}: ${text}`);
  });
  return problems;
}

/** Files of the trees that the entry files reach by imports, themselves included. */
export function reachableFrom(
  entries: readonly string[],
  trees: ReadonlyMap<string, SourceFile>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = entries.filter((entry) => trees.has(entry));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const tree = trees.get(file);
    if (tree === undefined || reached.has(file)) continue;
    reached.add(file);
    for (const { text } of importsOf(tree)) {
      if (text.startsWith(".")) open.push(targetOf(file, text));
    }
  }
  return reached;
}
