// Titles of tests in a source file, as far as they can be known without running it.

import type { Node, SourceFile } from "typescript/unstable/ast";
import { SyntaxKind } from "typescript/unstable/ast";
import { visit } from "./syntax.ts";

/**
 * Whether the file may hold a test of the title: some string is it, or some template could become
 * it. For "group > title", both must be there.
 */
export function mayHaveTitle(tree: SourceFile, title: string): boolean {
  const patterns = stringPatterns(tree);
  const has = (text: string) => patterns.some((pattern) => pattern.test(text));
  return has(title) || (title.includes(" > ") && title.split(" > ").every(has));
}

function stringPatterns(tree: SourceFile): readonly RegExp[] {
  const patterns: RegExp[] = [];
  visit(tree, (node) => {
    if (PLAIN.has(node.kind)) patterns.push(exactly(escaped(textOf(node))));
    if (node.kind === SyntaxKind.TemplateExpression) {
      const parts = templateParts(node);
      // A template of values alone could become anything.
      if (parts.some((part) => part.trim() !== "")) {
        patterns.push(exactly(parts.map(escaped).join(".*")));
      }
    }
  });
  return patterns;
}

const PLAIN: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
]);

function templateParts(node: Node): readonly string[] {
  const template = node as unknown as {
    readonly head: Node;
    readonly templateSpans: readonly { readonly literal: Node }[];
  };
  const literals = template.templateSpans.map((span) => span.literal);
  return [template.head, ...literals].map(textOf);
}

function exactly(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`, "s");
}

function textOf(node: Node): string {
  return (node as unknown as { readonly text: string }).text;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
