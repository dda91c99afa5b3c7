// The page about the socket API, made from the endpoints and their schemas.

import { z } from "zod";
import type { Endpoint } from "../src/api/endpoints.ts";
import { ENDPOINTS } from "../src/api/endpoints.ts";
import { wrapped } from "../src/cli/wrap.ts";

const SOCKET = "/run/lbd/lbd.sock";
const COLUMNS = 100;

interface JsonSchema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
}

/** What asks for it, to be run on a node; `socket`: of the daemon. */
export function exampleCommand(endpoint: Endpoint, socket = SOCKET): string[] {
  const { method, path, example } = endpoint;
  const curl = ["curl", "-sS", "--unix-socket", socket];
  if (method === "GET") return [...curl, `http://lbd${path}${example === "" ? "" : `?${example}`}`];
  return [...curl, "--json", example, `http://lbd${path}`];
}

const FOR = { change: "For root alone.", read: "For root and the group `lbd`." } as const;

/** In two lines when it is long. */
function commandLines(words: readonly string[]): string[] {
  const line = `    ${words.join(" ")}`;
  if (line.length <= COLUMNS) return [line];
  const at = words.indexOf("--json");
  return [`    ${words.slice(0, at).join(" ")} \\`, `      ${words.slice(at).join(" ")}`];
}

/** Markdown, one section for each path and method. */
export function apiPage(): string {
  return ENDPOINTS.map((endpoint) => sectionOf(endpoint)).join("\n");
}

function sectionOf(endpoint: Endpoint): string {
  const { method, path, summary, access, query, body, answer } = endpoint;
  const quoted = exampleCommand(endpoint).map((word) => (/[{?&]/.test(word) ? `'${word}'` : word));
  const parameters = fieldLines(jsonOf(query), "");
  const sent = body === null ? [] : fieldLines(jsonOf(body), "");
  const kinds = { item: "`item` is", list: "each of `items` is", stream: "`data` of an event is" };
  return [
    `## ${method} ${path}`,
    "",
    ...wrapped(`${summary}. ${FOR[access]}`, "", "", COLUMNS),
    "",
    ...commandLines(quoted),
    "",
    ...(parameters.length === 0 ? [] : ["Parameters:", "", ...parameters, ""]),
    ...(sent.length === 0 ? [] : ["Body:", "", ...sent, ""]),
    ...(path === "/v1/openapi.json"
      ? []
      : [
          `Answer, ${kinds[answer.kind]} a ${answer.name}:`,
          "",
          ...fieldLines(jsonOf(answer.schema), ""),
          "",
        ]),
  ].join("\n");
}

function jsonOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input" }) as JsonSchema;
}

/** Lists the fields, those of objects within below them. */
function fieldLines(schema: JsonSchema, indent: string): string[] {
  const variants = schema.oneOf ?? [];
  if (variants.length > 0) {
    return variants.flatMap((one) => [
      `${indent}- ${one.description ?? "one of"}:`,
      ...fieldLines(one, `${indent}  `),
    ]);
  }
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const meaning = meaningOf(field);
    const line = `- \`${name}\`${meaning === "" ? "" : `: ${meaning}`}`;
    const inner = plain(field);
    return [
      ...wrapped(line, indent, `${indent}  `, COLUMNS),
      ...fieldLines(inner.items ?? inner, `${indent}  `),
    ];
  });
}

/** Without the null that it may be, too. */
function plain(field: JsonSchema): JsonSchema {
  return field.anyOf?.find(({ type }) => type !== "null") ?? field;
}

function meaningOf(field: JsonSchema): string {
  const { enum: values, const: only } = plain(field);
  const said = field.description ?? plain(field).description ?? "";
  if (only !== undefined) return `always \`${only}\``;
  if (values === undefined) return said;
  const listed = values.map((value) => `\`${value}\``).join(", ");
  return said === "" ? listed : `${listed}: ${said}`;
}
