// A keeper of status objects on an API server in memory: what it writes, in which order, how much
// at a time, and what it does without the resource. Its waits are cut short, and nothing else.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { StatusKeeper, type StatusKeeperOptions } from "../../../src/daemon/status-keeper.ts";
import type { WantedObject } from "../../../src/daemon/status-object.ts";
import type { ApiRequest, ApiWatches } from "../../../src/k8s-sync/client.ts";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import type { ApiFailureKind, Outcome } from "../../../src/k8s-sync/outcome.ts";
import { failed } from "../../../src/k8s-sync/outcome.ts";
import { timerSleep } from "../../../src/k8s-sync/sleep.ts";
import { StatusObjectClient } from "../../../src/k8s-sync/status-objects.ts";
import { eventually } from "../../lab/eventually.ts";
import { FakeApiServer } from "../../support/fake-api-server.ts";
import { kubeconfigFor } from "../../support/fake-api-server-kubeconfig.ts";
import { whileTestRuns } from "../../support/while-test-runs.ts";

const PATH = "/apis/metallb.io/v1beta1/namespaces/metallb-system/servicel2statuses";
const SLEEP_MS_MAX = 5;
/** Longer than any wait that is left, so that whatever is still to come has come. */
const QUIET_MS = 150;

function wantedObject(name: string, node = "n1"): WantedObject {
  return {
    name,
    labels: { node: "n1" },
    owner: { apiVersion: "v1", kind: "Node", name: "n1", uid: "u1" },
    status: { node },
    immutable: ["node"],
  };
}

/** Counts what is under way, and refuses what it is told to. */
class Watched implements ApiWatches {
  readonly #client: ApiClient;
  readonly writes: string[] = [];
  atOnceMax = 0;
  /** By method; "" is any. */
  refuses: { method: string; kind: ApiFailureKind } | null = null;
  #atOnce = 0;

  constructor(client: ApiClient) {
    this.#client = client;
  }

  watch(...parameters: Parameters<ApiClient["watch"]>): ReturnType<ApiClient["watch"]> {
    return this.#client.watch(...parameters);
  }

  async request<T = unknown>(request: ApiRequest): Promise<Outcome<T>> {
    const { method, path } = request;
    const { refuses } = this;
    if (method !== "GET") this.writes.push(`${method} ${path.slice(PATH.length)}`.trimEnd());
    if (refuses !== null && ["", method].includes(refuses.method)) {
      return failed(refuses.kind, `${method} is refused`);
    }
    this.atOnceMax = Math.max(this.atOnceMax, ++this.#atOnce);
    return this.#client.request<T>(request).finally(() => {
      this.#atOnce -= 1;
    });
  }
}

async function bench(t: TestContext, options: Partial<StatusKeeperOptions> = {}) {
  const server = await FakeApiServer.start();
  const client = new ApiClient(kubeconfigFor(server));
  const watched = new Watched(client);
  const wanted = new Map<string, WantedObject>();
  const failures: string[] = [];
  const keeper = new StatusKeeper({
    resource: "servicel2statuses",
    client: watched,
    objects: new StatusObjectClient(watched, {
      namespace: "metallb-system",
      resource: "servicel2statuses",
    }),
    wanted: () => wanted,
    mayDelete: () => true,
    onFailure: ({ message }) => void failures.push(message),
    clock: { boot: () => bootMs(performance.now()), wall: () => wallMs(0) },
    random: () => 0.5,
    sleep: (ms, signal) => timerSleep(Math.min(ms, SLEEP_MS_MAX), signal),
    ...options,
  });
  const running = (until: AbortSignal) => keeper.run(until);
  const { start, signal } = whileTestRuns(t, running, { client, server });
  const want = (...objects: readonly WantedObject[]): void => {
    wanted.clear();
    for (const object of objects) wanted.set(object.name, object);
    keeper.kick();
  };
  const stored = (name: string) => server.get(`${PATH}/${name}`) as Stored | null;
  /** The writes since the last call, once the object is as `until` says, and nothing follows. */
  const writesUntil = async (what: string, until: () => boolean): Promise<string[]> => {
    await eventually(what, until);
    await timerSleep(QUIET_MS, signal);
    return watched.writes.splice(0);
  };
  return { server, watched, failures, start, want, stored, writesUntil };
}

interface Stored {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly status?: { readonly node?: string };
}

function nodeIn(object: Stored | null): string | undefined {
  return object?.status?.node;
}

test("an object is made, gets its status, and is left alone from then on", async (t) => {
  const { start, want, stored, writesUntil } = await bench(t);
  start();
  want(wantedObject("one"));
  const writes = await writesUntil("the object", () => nodeIn(stored("one")) === "n1");
  assert.deepEqual(writes, ["POST", "PATCH /one/status"]);
  const { labels, ownerReferences } = stored("one")?.metadata ?? { name: "" };
  assert.deepEqual(labels, { node: "n1" });
  assert.deepEqual(ownerReferences, [wantedObject("one").owner]);
});

test("an object that nobody wants is deleted, as what is left of an earlier process", async (t) => {
  const { server, start, stored, writesUntil } = await bench(t);
  server.put(`${PATH}/old`, { metadata: { name: "old" } });
  start();
  const writes = await writesUntil("it to go", () => stored("old") === null);
  assert.deepEqual(writes, ["DELETE /old"]);
});

test("an object that is not this daemon's to delete stays", async (t) => {
  const { server, start, want, stored, writesUntil } = await bench(t, { mayDelete: () => false });
  server.put(`${PATH}/theirs`, { metadata: { name: "theirs" } });
  start();
  want(wantedObject("one"));
  await writesUntil("the other one", () => nodeIn(stored("one")) === "n1");
  assert.notEqual(stored("theirs"), null);
});

test("an object whose node is another is made anew, as nobody may change it", async (t) => {
  const { start, want, stored, writesUntil } = await bench(t);
  start();
  want(wantedObject("one", "n2"));
  await writesUntil("the object", () => nodeIn(stored("one")) === "n2");
  want(wantedObject("one", "n1"));
  const writes = await writesUntil("another", () => nodeIn(stored("one")) === "n1");
  assert.deepEqual(writes, ["DELETE /one", "POST", "PATCH /one/status"]);
});

test("an object that is edited by hand is put right with one write", async (t) => {
  const { server, start, want, stored, writesUntil } = await bench(t);
  start();
  const object = { ...wantedObject("one"), immutable: [] };
  want(object);
  await writesUntil("the object", () => nodeIn(stored("one")) === "n1");
  const edited = { ...stored("one"), status: { node: "x" } } as Parameters<typeof server.put>[1];
  server.put(`${PATH}/one`, edited);
  const writes = await writesUntil("it to be right", () => nodeIn(stored("one")) === "n1");
  assert.deepEqual(writes, ["PATCH /one/status"]);
});

test("an object that lost the labels it is looked for by is found, and gets them", async (t) => {
  const { server, start, want, stored, writesUntil } = await bench(t, {
    labelSelector: "node=n1",
  });
  server.put(`${PATH}/one`, { metadata: { name: "one", labels: { node: "x" } } });
  start();
  want(wantedObject("one"));
  const writes = await writesUntil("its status", () => nodeIn(stored("one")) === "n1");
  assert.deepEqual(writes, ["POST", "PATCH /one", "PATCH /one/status"]);
});

test("three hundred objects are written two at a time, each twice and no more", async (t) => {
  const { watched, start, want, stored, writesUntil } = await bench(t);
  start();
  const all = Array.from({ length: 300 }, (_, i) => wantedObject(`o${i}`));
  want(...all);
  const isDone = (): boolean => all.every(({ name }) => nodeIn(stored(name)) === "n1");
  await eventually("all objects", isDone, { timeoutMs: 60_000, intervalMs: 200 });
  assert.equal((await writesUntil("rest", isDone)).length, 600);
  assert.ok(watched.atOnceMax <= 3, `${watched.atOnceMax} at once, a list among them`);
});

test("a resource that is missing is told of once, and taken up when it is there", async (t) => {
  const { watched, failures, start, want, stored, writesUntil } = await bench(t);
  watched.refuses = { method: "", kind: "not-found" };
  start();
  want(wantedObject("one"));
  const none = await writesUntil("it to be told", () => failures.length > 0);
  assert.deepEqual([none, failures], [[], ["GET is refused"]]);
  watched.refuses = null;
  await writesUntil("the object", () => nodeIn(stored("one")) === "n1");
});

test("a definition that goes while it is written to stops the writing", async (t) => {
  const { watched, failures, start, want, writesUntil } = await bench(t);
  start();
  watched.refuses = { method: "POST", kind: "not-found" };
  want(...Array.from({ length: 300 }, (_, i) => wantedObject(`o${i}`)));
  await eventually("it to be told", () => failures.length > 0);
  const writes = watched.writes.length;
  assert.ok(writes <= 4, `${writes} of 300 were tried`);
  await writesUntil("more attempts", () => watched.writes.length > writes);
  assert.deepEqual(failures, ["POST is refused"]);
});

test("an object that is refused does not keep the others from being written", async (t) => {
  const { watched, start, want, stored, writesUntil } = await bench(t);
  start();
  watched.refuses = { method: "PATCH", kind: "invalid" };
  want(wantedObject("one"), wantedObject("two"));
  await writesUntil("both", () => stored("one") !== null && stored("two") !== null);
});

test("a definition that does not keep what is written makes no storm, and is told", async (t) => {
  const { failures, start, want, writesUntil } = await bench(t, {
    objects: new (class extends StatusObjectClient {
      override patchStatus(name: string) {
        return super.patchStatus(name, {});
      }
    })(new ApiClient(kubeconfigFor(await serverFor(t))), {
      namespace: "metallb-system",
      resource: "servicel2statuses",
    }),
  });
  start();
  want(wantedObject("one"));
  await writesUntil("it to be told", () => failures.length > 0);
  assert.match(failures[0] ?? "", /does not keep what is written/);
  assert.equal(failures.length, 1);
});

async function serverFor(t: TestContext): Promise<FakeApiServer> {
  const server = await FakeApiServer.start();
  t.after(() => server.stop());
  return server;
}
