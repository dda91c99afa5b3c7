// Tests of the daemon's client: nothing passes before the cluster is known to be the host's own,
// and in shadow mode nothing is written.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { DaemonClient } from "../../../src/daemon/daemon-client.ts";
import { Store } from "../../../src/store/store.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { tempDir } from "../../support/temp-dir.ts";

const PATH = "/api/v1/namespaces/kube-system";
const LIST = { method: "GET", path: "/api/v1/services" } as const;

async function serverOf(t: TestContext, uid: string | null): Promise<FakeApiServer> {
  const server = await FakeApiServer.start();
  t.after(() => server.stop());
  if (uid !== null) server.put(PATH, { metadata: { name: "kube-system", uid } });
  return server;
}

/** The UID that the fake gives, whatever was asked for. */
function uidAt(server: FakeApiServer): string {
  return String(server.get(PATH)?.metadata.uid);
}

function clientOf(t: TestContext, stored: string | null, isShadow = false): DaemonClient {
  const store = Store.open(join(tempDir(t), "state.db"), wallMs(0));
  if (stored !== null) store.saveSetting("cluster-uid", Buffer.from(stored, "utf8"));
  const client = new DaemonClient({ store, isShadow });
  t.after(async () => {
    await client.close();
    store.close();
  });
  return client;
}

function asked(server: FakeApiServer, path: string): number {
  return server.requests.filter(({ url }) => url.startsWith(path)).length;
}

test("DaemonClient without a kubeconfig fails as in an outage, and says why", async (t) => {
  const client = clientOf(t, null);
  const outcome = await client.request(LIST);
  assert.equal(outcome.ok ? "" : outcome.failure.kind, "unreachable");
  assert.match(outcome.ok ? "" : outcome.failure.message, /^Cannot list services: .*credentials/);
  assert.equal(client.server, "");
});

test("DaemonClient asks nothing of another cluster, and names both", async (t) => {
  const server = await serverOf(t, "theirs");
  const client = clientOf(t, "ours");
  client.adopt(kubeconfigFor(server));
  const outcomes = await Promise.all([client.request(LIST), client.request(LIST)]);
  for (const outcome of outcomes) {
    assert.equal(outcome.ok ? "" : outcome.failure.kind, "unreachable");
  }
  const stop = new AbortController();
  for await (const message of client.watch({ ...LIST, query: {}, idleTimeoutMs: 1 }, stop.signal)) {
    assert.equal(message.type, "FAILED");
  }
  assert.match(client.foreignCluster ?? "", new RegExp(`"${uidAt(server)}", .*"ours"`));
  assert.deepEqual([asked(server, LIST.path), asked(server, PATH)], [0, 1]);
});

test("DaemonClient works with its own cluster, once another kubeconfig leads to it", async (t) => {
  const [theirs, ours] = [await serverOf(t, "theirs"), await serverOf(t, "ours")];
  const client = clientOf(t, uidAt(ours));
  client.adopt(kubeconfigFor(theirs));
  assert.equal((await client.request(LIST)).ok, false);
  client.adopt(kubeconfigFor(ours));
  assert.equal((await client.request(LIST)).ok, true);
  assert.equal((await client.request(LIST)).ok, true);
  assert.equal(client.foreignCluster, null);
  assert.equal(asked(ours, PATH), 1);
});

test("DaemonClient passes where the host has no cluster yet, or it may not ask", async (t) => {
  const server = await serverOf(t, "theirs");
  const fresh = clientOf(t, null);
  fresh.adopt(kubeconfigFor(server));
  assert.equal((await fresh.request(LIST)).ok, true);
  server.forbid("get", "namespaces");
  const blind = clientOf(t, "ours");
  blind.adopt(kubeconfigFor(server));
  assert.equal((await blind.request(LIST)).ok, true);
});

test("DaemonClient looks again after an outage", async (t) => {
  const server = await serverOf(t, "ours");
  const client = clientOf(t, uidAt(server));
  client.adopt(kubeconfigFor(server));
  await server.stop();
  assert.equal((await client.request(LIST)).ok, false);
  await server.listen();
  assert.equal((await client.request(LIST)).ok, true);
});

test("DaemonClient in shadow mode writes nothing but asks for its own token", async (t) => {
  const server = await serverOf(t, null);
  const client = clientOf(t, null, true);
  client.adopt(kubeconfigFor(server));
  const write = await client.request({ ...LIST, method: "POST", body: {} });
  assert.match(write.ok ? "" : write.failure.message, /this is shadow mode/);
  const path = "/api/v1/namespaces/lbd-system/serviceaccounts/lbd-node-n1/token";
  await client.request({ method: "POST", path, body: {} });
  const posts = server.requests.filter(({ method }) => method === "POST").map(({ url }) => url);
  assert.deepEqual(posts, [path]);
});
