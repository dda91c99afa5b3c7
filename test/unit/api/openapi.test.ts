// The OpenAPI document is valid, and says what the daemon answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";
import { ENDPOINTS, type Endpoint } from "../../../src/api/endpoints.ts";
import { openApiDocument } from "../../../src/api/openapi.ts";
import { serveApi } from "../../support/fake-api-source.ts";
import { rawRequest } from "../../support/unix-sockets.ts";

const ALL: readonly Endpoint[] = ENDPOINTS;

test("openApiDocument() is valid OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(openApiDocument()));
  assert.ok(valid, JSON.stringify(errors, null, 2));
});

test("openApiDocument() has every path and method, each with a summary", () => {
  const { paths } = openApiDocument() as {
    paths: Record<string, Record<string, { summary: string }>>;
  };
  const written = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [method.toUpperCase(), path, summary]),
  );
  const served = ALL.map(({ method, path, summary }) => [method, path, summary]);
  assert.deepEqual(written.toSorted(), served.toSorted());
});

test("GET /v1/openapi.json is that document", async (t) => {
  const { path } = await serveApi(t);
  const { status, body } = await rawRequest(path, "/v1/openapi.json");
  assert.equal(status, 200);
  assert.deepEqual(body, JSON.parse(JSON.stringify(openApiDocument())));
});

for (const { method, path, answer, ...rest } of ALL) {
  if (answer.kind === "stream" || path === "/v1/openapi.json") continue;
  test(`${method} ${path} answers by its schema, and takes its example`, async (t) => {
    const { path: socket } = await serveApi(t);
    const { example } = rest as { example: string };
    const query = path === "/v1/explain" ? "subject=shop/web" : example;
    const { status, body } =
      method === "GET"
        ? await rawRequest(socket, `${path}?${query}`)
        : await rawRequest(socket, path, method, example);
    assert.equal(status, 200, JSON.stringify(body));
    const schema =
      answer.kind === "item" ? { item: answer.schema } : { items: z.array(answer.schema) };
    const read = z.strictObject({ schema: z.literal("lbd/v1"), ...schema }).safeParse(body);
    assert.ok(read.success, read.error?.message ?? "");
  });
}
