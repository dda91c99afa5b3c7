// Tests of what the beacons need from the cluster: its identity, from the store and from the API,
// and an incarnation that grows whatever the wall clock does.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { Beacons, nextIncarnation } from "../../../src/daemon/beacons.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import { failed, type Outcome, success } from "../../../src/k8s-sync/outcome.ts";
import { Store } from "../../../src/store/store.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = wallMs(1_700_000_000_000);
const HOUR_MS = 3_600_000;
const UID = "8f7d3c1e-4a5b-4c6d-9e8f-0a1b2c3d4e5f";
const OTHER_UID = "00000000-4a5b-4c6d-9e8f-0a1b2c3d4e5f";

function storeOf(context: TestContext): Store {
  const store = Store.open(join(tempDir(context), "state.db"), NOW);
  context.after(() => store.close());
  return store;
}

function incarnationAt(store: Store, wall: number): number {
  return nextIncarnation(store, { boot: () => bootMs(0), wall: () => wallMs(wall) });
}

function saved(store: Store, text: string): Store {
  store.saveSetting("incarnation", Buffer.from(text, "utf8"));
  return store;
}

test("nextIncarnation() is the wall clock's milliseconds at first", (t) => {
  assert.equal(incarnationAt(storeOf(t), NOW + 0.7), NOW);
});

const STEPS: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["goes on", [0, 10, 5_000], [0, 10, 5_000]],
  ["stands still", [0, 0, 0], [0, 1, 2]],
  ["steps back an hour", [0, -HOUR_MS, -HOUR_MS + 5, 1], [0, 1, 2, 3]],
  ["steps back and forth", [HOUR_MS, 0, 2 * HOUR_MS], [HOUR_MS, HOUR_MS + 1, 2 * HOUR_MS]],
  ["is that of 1970", [0, -NOW], [0, 1]],
];

for (const [name, walls, expected] of STEPS) {
  test(`nextIncarnation() grows when the wall clock ${name}`, (t) => {
    const store = storeOf(t);
    const found = walls.map((wall) => incarnationAt(store, NOW + wall) - NOW);
    assert.deepEqual(found, expected);
  });
}

for (const text of ["", "x", "1e400", "9007199254740993", "-"]) {
  test(`nextIncarnation() goes by the clock when "${text}" was saved`, (t) => {
    const store = saved(storeOf(t), text);
    assert.equal(incarnationAt(store, NOW), NOW);
    assert.equal(incarnationAt(store, NOW), NOW + 1);
  });
}

/** What an API server says of its identity; null: it is not there. */
class Api implements ApiRequests {
  readonly asked: string[] = [];
  readonly #uid: string | null;

  constructor(uid: string | null) {
    this.#uid = uid;
  }

  async request<T>({ path }: ApiRequest): Promise<Outcome<T>> {
    this.asked.push(path);
    const isIdentity = path === "/api/v1/namespaces/kube-system";
    if (this.#uid === null || !isIdentity) return failed("unreachable", "not there");
    return success({ metadata: { uid: this.#uid } }) as Outcome<T>;
  }
}

/** What the responder is told of the cluster until that many were told. */
async function told(store: Store, api: Api, count: number): Promise<string[]> {
  const clusters: string[] = [];
  const stop = new AbortController();
  const beacons = new Beacons({
    client: api,
    namespace: "lbd-system",
    store,
    clock: { boot: () => bootMs(0), wall: () => NOW },
    random: () => 0.5,
    log: createLogger("error", {}),
    isLeader: () => false,
    namesake: { note: () => {} },
    onComplaint: () => {},
    tellOwnership: () => {},
    tellResponder: (message) => {
      if (message.type === "cluster") clusters.push(message.cluster);
      if (clusters.length >= count) stop.abort();
    },
  });
  const running = beacons.run(stop.signal);
  if (count === 0) stop.abort();
  await running;
  return clusters;
}

function clusterOf(uid: string): string {
  return createHash("sha256").update(uid).digest("hex").slice(0, 16);
}

test("Beacons tells the identity that the API has, and keeps it", async (t) => {
  const store = storeOf(t);
  const api = new Api(UID);
  assert.deepEqual(await told(store, api, 1), [clusterOf(UID)]);
  assert.ok(api.asked.includes("/api/v1/namespaces/kube-system"));
  assert.deepEqual(await told(store, new Api(null), 1), [clusterOf(UID)]);
});

test("Beacons tells the identity from the store at once, when there is no API", async (t) => {
  const store = storeOf(t);
  store.saveSetting("cluster-uid", Buffer.from(UID, "utf8"));
  const api = new Api(null);
  assert.deepEqual(await told(store, api, 1), [clusterOf(UID)]);
  assert.deepEqual(await told(store, api, 0), [clusterOf(UID)], "before anything is waited for");
});

test("Beacons believes the API when the node has gone to another cluster", async (t) => {
  const store = storeOf(t);
  store.saveSetting("cluster-uid", Buffer.from(UID, "utf8"));
  const clusters = await told(store, new Api(OTHER_UID), 2);
  assert.deepEqual(clusters, [clusterOf(UID), clusterOf(OTHER_UID)]);
  assert.deepEqual(await told(store, new Api(null), 1), [clusterOf(OTHER_UID)]);
});

test("Beacons tells no identity when none is known", async (t) => {
  assert.deepEqual(await told(storeOf(t), new Api(null), 0), []);
});
