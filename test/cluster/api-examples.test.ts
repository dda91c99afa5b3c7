// Every example of docs/api.md, run as it is written against a real daemon, and its answer by the
// schema of the OpenAPI document.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { exampleCommand } from "../../scripts/api-page.ts";
import { ENDPOINTS, type Endpoint } from "../../src/api/endpoints.ts";
import { clusterForSuite } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";
const NODES = ["node1", "node2"];
/** Told by another daemon than this one: it is active. */
const REFUSED = ["/v1/plan/shadow"];

/** In the order of the page, which ends with what changes something. */
const ALL: readonly Endpoint[] = ENDPOINTS;

describe("the socket API", () => {
  const cluster = clusterForSuite({
    nodes: 2,
    prepare: async (c) => void (await c.createService("web")),
  });

  for (const endpoint of ALL) {
    const { method, path, answer } = endpoint;
    test(`${method} ${path} does what its example shows`, async () => {
      const c = cluster();
      const owner = await c.untilAnswering(ADDRESS);
      const daemon = c.daemon(owner);
      const other = NODES.find((name) => name !== owner) ?? "";
      // Only who has an address can move it, and not to itself.
      const example = endpoint.example.replace("node2", other);
      const argv = exampleCommand({ ...endpoint, example }, daemon.socket);
      if (answer.kind === "stream") {
        const { stdout } = await daemon.node.tryRun([...argv, "--max-time", "1"]);
        const [, data = ""] = /^data: (.*)$/m.exec(stdout) ?? [];
        assert.ok(answer.schema.safeParse(JSON.parse(data)).success, stdout);
        return;
      }
      const body = JSON.parse(await daemon.node.run(argv)) as { error?: { kind: string } };
      if (REFUSED.includes(path)) return assert.equal(body.error?.kind, "refused");
      if (path === "/v1/openapi.json") return assert.ok("openapi" in body);
      const shape =
        answer.kind === "item" ? { item: answer.schema } : { items: z.array(answer.schema) };
      const read = z.strictObject({ schema: z.literal("lbd/v1"), ...shape }).safeParse(body);
      assert.ok(read.success, `${JSON.stringify(body)}\n${read.error?.message ?? ""}`);
      if (path === "/v1/drain" && method === "POST") {
        assert.equal((await daemon.lbctl(["undrain"])).code, 0);
      }
    });
  }
});
