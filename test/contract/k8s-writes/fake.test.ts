// The contract of status and Events on the fake API server.

import { after, before, describe } from "node:test";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { writesContract } from "./suite.ts";

describe("the fake", () => {
  let server: FakeApiServer;
  let client: ApiClient;
  before(async () => {
    server = await FakeApiServer.start();
    client = new ApiClient(kubeconfigFor(server));
  });
  after(async () => {
    await client.close();
    await server.stop();
  });
  writesContract("the fake API server", async () => ({ client, namespace: "shop" }));
});
