// The socket API under many clients and large bodies at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiClient } from "../../../src/api/client.ts";
import { serveApi } from "../../support/fake-api-source.ts";
import { rawRequest } from "../../support/unix-sockets.ts";

test("200 clients at once each get their answer", async (t) => {
  const { path, errors } = await serveApi(t);
  const client = new ApiClient(path);
  const paths = ["/v1/status", "/v1/vips", "/v1/nodes", "/v1/history"] as const;
  const asked = Array.from({ length: 200 }, (_, n) => client.get(paths[n % 4] ?? "/v1/status"));
  const answers = await Promise.all(asked);
  assert.equal(answers.length, 200);
  assert.deepEqual(errors, []);
});

test("a body of 10 MB is refused with a word, while others are answered", async (t) => {
  const { path, errors, commands } = await serveApi(t);
  const body = JSON.stringify({ address: "x".repeat(10_000_000), node: "n2" });
  const [large, small] = await Promise.all([
    rawRequest(path, "/v1/move", "POST", body),
    new ApiClient(path).get("/v1/status"),
  ]);
  assert.equal(large.status, 400);
  assert.match(JSON.stringify(large.body), /longer than 1572864 bytes/);
  assert.equal(small.schema, "lbd/v1");
  assert.deepEqual([errors, commands.asked], [[], []]);
});
