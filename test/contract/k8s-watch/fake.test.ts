// The watch contract on the fake API server, and the ends of a watch that only a fake can show.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import { decodeObject } from "../../../src/k8s-sync/decode.ts";
import type { RawObject } from "../../../src/k8s-sync/model.ts";
import { Reflector } from "../../../src/k8s-sync/reflector.ts";
import { eventually } from "../../lab/eventually.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import type { FaultRule } from "../../support/fake-api-server-faults.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { LoggingSink, watchContract } from "./suite.ts";

describe("the fake", () => {
  let server: FakeApiServer;
  let client: ApiClient;
  before(async () => {
    server = await FakeApiServer.start({ bookmarkMs: 300 });
    client = new ApiClient(kubeconfigFor(server), { watchOpenTimeoutMs: 500, timeoutMs: 1_000 });
  });
  after(async () => {
    await client.close();
    await server.stop();
  });
  watchContract("the fake API server", async () => ({
    client,
    admin: client,
    namespace: "default",
    dropWatches: async () => server.dropWatches("cut"),
    forgetHistory: async (meanwhile) => {
      // No new watch gets through before all is done.
      server.fault({ fault: { kind: "reset" }, watch: true });
      server.dropWatches("cut");
      await meanwhile();
      server.compact();
      server.clearFaults();
    },
    freeze: async () => server.freeze(),
    thaw: async () => server.thaw(),
  }));
});

interface World {
  readonly server: FakeApiServer;
  readonly sink: LoggingSink;
  readonly reflector: Reflector<RawObject>;
}

const PATH = "/api/v1/configmaps";

/** A reflector on a fake of its own, with two objects in it. */
async function withReflector(faults: readonly FaultRule[], use: (world: World) => Promise<void>) {
  const server = await FakeApiServer.start();
  for (const name of ["a", "b"]) put(server, name, "1");
  for (const fault of faults) server.fault(fault);
  const client = new ApiClient(kubeconfigFor(server), { watchOpenTimeoutMs: 200 });
  const sink = new LoggingSink();
  const reflector = new Reflector<RawObject>({
    client,
    resource: { path: PATH, name: "configmaps" },
    decode: decodeObject,
    sink,
    clock: { boot: () => bootMs(performance.now()), wall: () => wallMs(0) },
    random: Math.random,
    backoffCapMs: 50,
  });
  const stop = new AbortController();
  const done = reflector.run(stop.signal);
  try {
    await use({ server, sink, reflector });
  } finally {
    stop.abort();
    await done;
    await eventually("the watch to be closed", () => server.openWatches === 0);
    await client.close();
    await server.stop();
  }
}

function put(server: FakeApiServer, name: string, v: string): void {
  server.put(`/api/v1/namespaces/default/configmaps/${name}`, { metadata: { name }, data: { v } });
}

const FAULTS: readonly { name: string; rule: Omit<FaultRule, "path" | "times"> }[] = [
  { name: "HTML", rule: { fault: { kind: "html" } } },
  { name: "nothing", rule: { fault: { kind: "empty" } } },
  { name: "401", rule: { fault: { kind: "status", status: 401 } } },
  { name: "403", rule: { fault: { kind: "status", status: 403 } } },
  { name: "404", rule: { fault: { kind: "status", status: 404 } } },
  { name: "429", rule: { fault: { kind: "status", status: 429 } } },
  { name: "500", rule: { fault: { kind: "status", status: 500 } } },
  { name: "a redirect", rule: { fault: { kind: "redirect", location: "http://127.0.0.1:1/" } } },
  { name: "half a document", rule: { fault: { kind: "half-json" } } },
  { name: "a truncated stream", rule: { fault: { kind: "truncated" } } },
  { name: "a reset connection", rule: { fault: { kind: "reset" } } },
];

for (const { name, rule } of FAULTS) {
  test(`Reflector a server that answers lists and watches with ${name}`, async () => {
    const faults = [
      { ...rule, path: PATH, watch: false, times: 3 },
      { ...rule, path: PATH, watch: true, times: 3 },
    ];
    await withReflector(faults, async ({ server, sink, reflector }) => {
      await eventually("the sync", () => reflector.state().phase === "watching");
      put(server, "a", "2");
      await eventually("the event", () => sink.values.includes("a=2"));
      assert.deepEqual(sink.values, ["a=2", "b=1"]);
      assert.equal(reflector.state().failure, null);
    });
  });
}

test("Reflector a watch that is never answered", async () => {
  const silence = { fault: { kind: "silence" }, watch: true, times: 2 } as const;
  await withReflector([silence], async ({ reflector }) => {
    await eventually("the failure", () => reflector.state().failure?.kind === "timeout");
    await eventually("the watch", () => reflector.state().phase === "watching");
  });
});

for (const end of ["end", "cut", "half-line", "gone"] as const) {
  test(`Reflector a watch whose end is "${end}"`, async () => {
    await withReflector([], async ({ server, sink, reflector }) => {
      await eventually("the watch", () => server.openWatches === 1);
      put(server, "a", "2");
      await eventually("the event", () => sink.values.includes("a=2"));
      server.dropWatches(end);
      put(server, "a", "3");
      server.remove("/api/v1/namespaces/default/configmaps/b");
      await eventually("the rest", () => sink.values.join() === "a=3");
      await eventually("the watch", () => reflector.state().phase === "watching");
      assert.equal(reflector.state().relists, end === "gone" ? 1 : 0);
    });
  });
}

test("Reflector pages that expire while they are read", async () => {
  const expired = { kind: "status", status: 410, reason: "Expired" } as const;
  const rule = { fault: expired, path: "continue=", times: 1 };
  await withReflector([rule], async ({ sink, reflector }) => {
    await eventually("the sync", () => reflector.state().synced);
    assert.deepEqual(sink.values, ["a=1", "b=1"]);
  });
});

test("Reflector a bookmark moves the version that the next watch begins with", async () => {
  await withReflector([], async ({ server, reflector }) => {
    await eventually("the watch", () => server.openWatches === 1);
    for (let i = 0; i < 5; i++) server.put(`/api/v1/nodes/n${i}`, { metadata: { name: `n${i}` } });
    server.sendBookmarks();
    const current = String(server.store.version);
    await eventually("the bookmark", () => reflector.state().resourceVersion === current);
    server.dropWatches();
    await eventually("the next watch", () => server.requests.length >= 3);
    assert.match(server.requests.at(-1)?.url ?? "", new RegExp(`resourceVersion=${current}&`));
  });
});

test("Reflector a restarted server is found again", async () => {
  await withReflector([], async ({ server, sink, reflector }) => {
    await eventually("the watch", () => server.openWatches === 1);
    await server.stop();
    await eventually("the failure", () => reflector.state().failure?.kind === "unreachable");
    put(server, "c", "1");
    await server.listen();
    await eventually("the new object", () => sink.values.includes("c=1"));
  });
});
