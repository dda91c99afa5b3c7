// Syntax trees of TypeScript text, from the compiler's own parser, and what the repository's rules
// ask of them. The API is marked unstable: the exact version in package.json keeps it in place.

import { join } from "node:path";
import { isIdentifier, type Node, type SourceFile, SyntaxKind } from "typescript/unstable/ast";
import { createVirtualFileSystem } from "typescript/unstable/fs";
import { API } from "typescript/unstable/sync";

/** Trees by the paths of `texts`. Nothing is resolved or type-checked. */
export function parseAll(texts: ReadonlyMap<string, string>): ReadonlyMap<string, SourceFile> {
  const folder = "/sources";
  const config = join(folder, "tsconfig.json");
  const files: Record<string, string> = {};
  for (const [path, text] of texts) files[join(folder, path)] = text;
  files[config] = JSON.stringify({
    compilerOptions: { noLib: true, noResolve: true, types: [], module: "nodenext" },
    files: Object.keys(files),
  });
  const api = new API({ cwd: folder, fs: createVirtualFileSystem(files) });
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    const trees = new Map<string, SourceFile>();
    for (const path of texts.keys()) {
      const tree = project?.program.getSourceFile(join(folder, path));
      if (tree === undefined) throw new Error(`Cannot parse "${path}"`);
      trees.set(path, tree);
    }
    return trees;
  } finally {
    api.close();
  }
}

export interface Found {
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

export interface FoundFunction {
  readonly line: number;
  readonly name: string;
  /** From the first to the last line, both included. */
  readonly lines: number;
}

/** Specifiers of import, export from, import(), import types, and files named by `new URL()`. */
export function importsOf(tree: SourceFile): readonly Found[] {
  const found: Found[] = [];
  visit(tree, (node, parents) => {
    if (node.kind !== SyntaxKind.StringLiteral) return;
    const text = unquoted(tree, node);
    const isFile = parents.at(-1)?.kind === SyntaxKind.NewExpression;
    if (!namesModule(parents) || (isFile && !text.startsWith("."))) return;
    found.push({ line: lineOf(tree, node), text });
  });
  return found;
}

const MODULE_PARENTS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.ExternalModuleReference,
]);

function namesModule(parents: readonly Node[]): boolean {
  const parent = parents.at(-1);
  if (parent === undefined) return false;
  if (MODULE_PARENTS.has(parent.kind)) return true;
  if (parent.kind === SyntaxKind.LiteralType) {
    return parents.at(-2)?.kind === SyntaxKind.ImportType;
  }
  if (parent.kind === SyntaxKind.CallExpression) return calls(parent, /^(import|require)$/);
  return parent.kind === SyntaxKind.NewExpression && calls(parent, /^URL$/);
}

/** All functions with a body and their lengths; a callback that only groups tests is none. */
export function functionsOf(tree: SourceFile): readonly FoundFunction[] {
  const found: FoundFunction[] = [];
  visit(tree, (node, parents) => {
    const parent = parents.at(-1);
    const groups = parent?.kind === SyntaxKind.CallExpression && calls(parent, /^(describe|suite)/);
    if (!FUNCTION_KINDS.has(node.kind) || groups) return;
    const line = lineOf(tree, node);
    const name = nameOf(node, parent) ?? `line ${line}`;
    found.push({ line, name, lines: lineAt(tree.text, node.end) - line + 1 });
  });
  return found;
}

const FUNCTION_KINDS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);

function nameOf(node: Node, parent: Node | undefined): string | undefined {
  if (node.kind === SyntaxKind.Constructor) return "constructor";
  const own = (node as { name?: Node }).name ?? (parent as { name?: Node } | undefined)?.name;
  if (own !== undefined) return ownText(own);
  const title = parent?.kind === SyntaxKind.CallExpression ? argumentsOf(parent)[0] : undefined;
  return title !== undefined && title !== node ? ownText(title) : undefined;
}

/**
 * Names that are read or called as values or types, as `name` or `name.member`; not property
 * names, not keys, and not what the file declares or imports itself.
 */
export function freeNamesOf(tree: SourceFile): readonly Found[] {
  const found: Found[] = [];
  const declared = new Set<string>();
  visit(tree, (node, parents) => {
    const parent = parents.at(-1);
    if (!isIdentifier(node) || parent === undefined) return;
    const named = parent as { name?: Node; expression?: Node; right?: Node };
    if (parent.kind === SyntaxKind.PropertyAccessExpression) {
      if (named.name === node) return;
    } else if (parent.kind === SyntaxKind.QualifiedName) {
      if (named.right === node) return;
    } else if (named.name === node) {
      if (!MEMBER_KINDS.has(parent.kind)) declared.add(node.text);
      if (parent.kind !== SyntaxKind.ShorthandPropertyAssignment) return;
    }
    const isOwner = parent.kind === SyntaxKind.PropertyAccessExpression && named.name !== undefined;
    const member = isOwner && named.name !== undefined ? `.${ownText(named.name)}` : "";
    found.push({ line: lineOf(tree, node), text: node.text + member });
  });
  return found.filter(({ text }) => !declared.has(text.split(".")[0] ?? ""));
}

/** Their names are keys of an object or class and hide no global. */
const MEMBER_KINDS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.PropertyAssignment,
  SyntaxKind.ShorthandPropertyAssignment,
  SyntaxKind.PropertySignature,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
  SyntaxKind.EnumMember,
]);

/** Nodes of one of the kinds, with the first line of their text. */
export function nodesOf(tree: SourceFile, kinds: readonly SyntaxKind[]): readonly Found[] {
  const found: Found[] = [];
  visit(tree, (node) => {
    if (!kinds.includes(node.kind)) return;
    found.push({ line: lineOf(tree, node), text: sourceOf(tree, node) });
  });
  return found;
}

/** The source text of the node, without leading comments. */
export function sourceOf(tree: SourceFile, node: Node): string {
  return tree.text.slice(node.getStart(tree), node.end);
}

export function visit(
  tree: SourceFile,
  onNode: (node: Node, parents: readonly Node[]) => void,
): void {
  const parents: Node[] = [];
  const down = (node: Node): undefined => {
    onNode(node, parents);
    parents.push(node);
    node.forEachChild(down);
    parents.pop();
  };
  tree.forEachChild(down);
}

function calls(call: Node, name: RegExp): boolean {
  const callee = (call as { expression?: Node }).expression;
  if (callee === undefined) return false;
  if (callee.kind === SyntaxKind.ImportKeyword) return name.test("import");
  return name.test(ownText(callee));
}

function argumentsOf(call: Node): readonly Node[] {
  return (call as unknown as { arguments: readonly Node[] }).arguments;
}

function ownText(node: Node): string {
  const text = (node as { text?: string }).text;
  return text ?? node.getText();
}

function unquoted(tree: SourceFile, node: Node): string {
  return sourceOf(tree, node).slice(1, -1);
}

function lineOf(tree: SourceFile, node: Node): number {
  return lineAt(tree.text, node.getStart(tree));
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}
