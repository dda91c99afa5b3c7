// What is sent when an allocation is written down; what the server makes of it is in the contract.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiRequest } from "../../../src/k8s-sync/client.ts";
import { failed } from "../../../src/k8s-sync/outcome.ts";
import { patchServiceStatus } from "../../../src/k8s-sync/service-status.ts";

test('patchServiceStatus() never writes ipMode, "Proxy" least of all', async () => {
  const sent: ApiRequest[] = [];
  const client = {
    request: async (request: ApiRequest) => {
      sent.push(request);
      return failed("unreachable", "it is a test");
    },
  };
  const read = { namespace: "shop", name: "web", resourceVersion: "7" };
  // As read from a status in which another implementation had written it.
  const ingress = [{ ip: "10.0.0.1", ipMode: "Proxy" }];
  await patchServiceStatus(client, read, { ingress, annotations: {} });
  const body = sent[0]?.body as { status: unknown };
  assert.deepEqual(body.status, { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } });
});
