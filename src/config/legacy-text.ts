// Reads the text of MetalLB's old ConfigMap: YAML in, what it says or all problems out.

import { parseDocument } from "yaml";
import { errorText } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import type { Legacy } from "./legacy-schema.ts";
import { legacySchema } from "./legacy-schema.ts";
import type { ConfigProblem, ObjectRef, ParsedConfig } from "./resource.ts";
import { objectText } from "./resource.ts";
import { problemsOf } from "./zod-problems.ts";

/** The ConfigMap, and the text of its key `config`. */
export interface LegacySource {
  readonly namespace: string;
  readonly name: string;
  readonly text: string;
}

export function legacyRef({ namespace, name }: Omit<LegacySource, "text">): ObjectRef {
  return { kind: "ConfigMap", namespace, name };
}

/** `ConfigMap "metallb-system/config" config`: the key, in which all of it stands. */
export function legacyPrefix(source: LegacySource): string {
  return `${objectText(legacyRef(source))} config`;
}

export function parseLegacyText(source: LegacySource): ParsedConfig<Legacy> {
  const object = legacyRef(source);
  const prefix = legacyPrefix(source);
  const refused = (problems: readonly Problem[]): ParsedConfig<Legacy> => ({
    ok: false,
    problems: problems.map((problem): ConfigProblem => ({ ...problem, object })),
  });
  const document = parseDocument(source.text, { schema: "failsafe", uniqueKeys: true });
  if (document.errors.length > 0) {
    return refused(
      document.errors.map(({ message, linePos }) => ({
        where: `${prefix}, line ${linePos?.[0].line ?? 1}`,
        found: (message.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:$/, ""),
        expected: "valid YAML",
      })),
    );
  }
  let raw: unknown;
  try {
    raw = withoutEmpty(document.toJS());
  } catch (thrown) {
    const expected = "fewer uses of one anchor";
    return refused([{ where: prefix, found: errorText(thrown), expected }]);
  }
  const input = raw === "" || raw === null ? {} : raw;
  const parsed = legacySchema.safeParse(input);
  if (!parsed.success) return refused(problemsOf(parsed.error, input, prefix));
  return { ok: true, value: parsed.data };
}

/** A key without a value says nothing, as for Go. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== "" && inner !== null)
    .map(([key, inner]) => [key, withoutEmpty(inner)] as const);
  return Object.fromEntries(entries);
}
