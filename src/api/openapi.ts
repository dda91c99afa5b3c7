// The OpenAPI 3.1 document, made from the same schemas as the answers.

import { z } from "zod";
import { VERSION } from "../core/version.ts";
import type { Endpoint } from "./endpoints.ts";
import { ENDPOINTS } from "./endpoints.ts";
import { SCHEMA } from "./types.ts";

type Json = Readonly<Record<string, unknown>>;

const ERROR_KINDS = {
  "400": "what was sent cannot be read",
  "403": "only root may do that",
  "404": "there is no such thing",
  "409": "it was understood, and will not be done",
  "500": "the daemon cannot answer; its log says why",
} as const;

const DESCRIPTION =
  "HTTP on the unix socket of the daemon, /run/lbd/lbd.sock. Within one `schema` a field is only " +
  "ever added. Root and the group lbd may read; what changes something is root's.";

export function openApiDocument(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of ENDPOINTS) {
    const methods = paths[endpoint.path] ?? {};
    methods[endpoint.method.toLowerCase()] = operationOf(endpoint);
    paths[endpoint.path] = methods;
  }
  const answers = ENDPOINTS.map(({ answer }) => [answer.name, jsonSchema(answer.schema)] as const);
  const license = { name: "Apache-2.0", identifier: "Apache-2.0" };
  return {
    openapi: "3.1.0",
    info: { title: "lbd", version: VERSION, description: DESCRIPTION, license },
    paths,
    components: { schemas: { ...Object.fromEntries(answers), Error: ERROR } },
  };
}

const ERROR: Json = {
  type: "object",
  properties: {
    schema: { const: SCHEMA },
    error: {
      type: "object",
      properties: { kind: { type: "string" }, message: { type: "string" } },
      required: ["kind", "message"],
    },
  },
  required: ["schema", "error"],
};

function operationOf(endpoint: Endpoint): Json {
  const { method, path, summary, access, body, example } = endpoint;
  const parameters = parametersOf(endpoint);
  const failures = Object.entries(ERROR_KINDS).map(([status, description]) => {
    return [status, { description, content: json({ $ref: "#/components/schemas/Error" }) }];
  });
  return {
    operationId: operationIdOf(method, path),
    summary,
    description: access === "change" ? "For root alone." : "For root and the group lbd.",
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: jsonSchema(body), example: parsed(example) } },
          },
        }),
    responses: { "200": answerOf(endpoint), ...Object.fromEntries(failures) },
  };
}

function parametersOf({ query }: Endpoint): Json[] {
  return Object.entries(query.shape).map(([name, schema]) => {
    const { description = "", ...rest } = jsonSchema(schema as z.ZodType) as {
      description?: string;
    };
    const required = !(schema as z.ZodType).safeParse(undefined).success;
    return { name, in: "query", required, description, schema: rest };
  });
}

function answerOf({ path, answer }: Endpoint): Json {
  const one = { $ref: `#/components/schemas/${answer.name}` };
  if (answer.kind === "stream") {
    const description = "a stream without end; `data` of each event is one StreamEvent";
    return { description, content: { "text/event-stream": { schema: one } } };
  }
  if (path === "/v1/openapi.json") return { description: "the document", content: json(one) };
  const content = answer.kind === "item" ? { item: one } : { items: { type: "array", items: one } };
  const [name = ""] = Object.keys(content);
  const properties = { schema: { const: SCHEMA }, ...content };
  const required = ["schema", name];
  return { description: "as asked for", content: json({ type: "object", properties, required }) };
}

function json(schema: Json): Json {
  return { "application/json": { schema } };
}

function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}

/** "GET /v1/plan/config" is getPlanConfig. */
function operationIdOf(method: string, path: string): string {
  const words = path.split(/[/.]/).filter((word) => word !== "" && word !== "v1");
  const named = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${method.toLowerCase()}${named.join("")}`;
}
