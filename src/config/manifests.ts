// Reads manifests as people apply them: YAML or JSON, several documents, Lists. Text in, objects or
// all problems out; what the objects are is for others to judge.

import { parseAllDocuments } from "yaml";
import { errorText } from "../core/errors.ts";
import type { Parsed, Problem } from "../core/problem.ts";
import { showValue } from "../core/problem.ts";

/** A file, by the name that its reader knows it by. */
export interface ManifestText {
  readonly name: string;
  readonly text: string;
}

/** What every Kubernetes object has; the rest is not looked at yet. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Empty: it does not say. */
  readonly namespace: string;
  readonly raw: Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** The objects of all files in their order. Documents of nothing but comments are none. */
export function readManifests(files: readonly ManifestText[]): Parsed<readonly Manifest[]> {
  const problems: Problem[] = [];
  const manifests = files.flatMap((file) => readFile(file, problems));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: manifests };
}

function readFile({ name, text }: ManifestText, problems: Problem[]): Manifest[] {
  const parsed = parseAllDocuments(text, { uniqueKeys: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  return documents.flatMap((document, index) => {
    const where = documents.length === 1 ? `"${name}"` : `"${name}", document ${index + 1}`;
    for (const { message, linePos } of document.errors) {
      const found = (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
      const line = `"${name}", line ${linePos?.[0].line ?? 1}`;
      problems.push({ where: line, found, expected: "valid YAML" });
    }
    if (document.errors.length > 0) return [];
    try {
      return objectsOf(document.toJS(), where, problems);
    } catch (thrown) {
      problems.push({ where, found: errorText(thrown), expected: "fewer uses of one anchor" });
      return [];
    }
  });
}

/** The object, or those of a List; nothing of an empty document. */
function objectsOf(raw: unknown, where: string, problems: Problem[]): Manifest[] {
  if (raw === null || raw === undefined) return [];
  const object = fieldsOf(raw);
  const { kind, items } = object;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items)) {
    return items.flatMap((item, index) => objectsOf(item, `${where}, items[${index}]`, problems));
  }
  const metadata = fieldsOf(object.metadata);
  const required = { apiVersion: object.apiVersion, kind, "metadata.name": metadata.name };
  const missing = Object.entries(required).filter(([, value]) => !isText(value));
  for (const [field, value] of missing) {
    const place = `${where}, ${field}`;
    problems.push({
      where: place,
      found: showValue(value),
      expected: "a text, as objects have it",
    });
  }
  if (missing.length > 0) return [];
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return [
    {
      apiVersion: text(object.apiVersion),
      kind: text(kind),
      name: text(metadata.name),
      namespace: text(metadata.namespace),
      raw: object,
    },
  ];
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function fieldsOf(value: unknown): Fields {
  const isFields = typeof value === "object" && value !== null && !Array.isArray(value);
  return isFields ? (value as Fields) : {};
}
