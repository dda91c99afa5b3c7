// What lbd writes besides Leases: the status of Services, and Events. Runs on the fake and on a
// real API server, which alone checks the limits of the fields.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { bootMs, type Clock, wallMs } from "../../../src/core/time.ts";
import type { ApiRequests } from "../../../src/k8s-sync/client.ts";
import { decodeList } from "../../../src/k8s-sync/decode.ts";
import { type EventInput, EventRecorder } from "../../../src/k8s-sync/events.ts";
import { patchServiceStatus, type ServiceVersion } from "../../../src/k8s-sync/service-status.ts";
import { timerSleep } from "../../../src/k8s-sync/sleep.ts";
import { eventually } from "../../lab/eventually.ts";

export interface WritesContractSetup {
  readonly client: ApiRequests;
  /** Exists, and has no Events. */
  readonly namespace: string;
}

interface EventJson {
  readonly note: string;
  readonly regarding: { readonly name: string };
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly type: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

class Bench {
  #setup: WritesContractSetup | null = null;

  open(setup: WritesContractSetup): void {
    this.#setup = setup;
  }

  get client(): ApiRequests {
    assert.ok(this.#setup !== null);
    return this.#setup.client;
  }

  get namespace(): string {
    assert.ok(this.#setup !== null);
    return this.#setup.namespace;
  }

  get services(): string {
    return `/api/v1/namespaces/${this.namespace}/services`;
  }

  async createService(name: string): Promise<ServiceVersion> {
    const body = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, annotations: { theirs: "kept", ours: "old" } },
      spec: { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP" }] },
    };
    const request = { method: "POST", path: this.services, body } as const;
    const created = await this.client.request(request);
    assert.ok(created.ok, created.ok ? "" : created.failure.message);
    const { metadata } = created.value as { metadata: { resourceVersion: string } };
    return { namespace: this.namespace, name, resourceVersion: metadata.resourceVersion };
  }

  /** The Event in that namespace that regards an object of that name. */
  async event(namespace: string, name: string): Promise<EventJson | undefined> {
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const listed = await this.client.request({ method: "GET", path });
    assert.ok(listed.ok);
    const events = decodeList(listed.value).items as readonly EventJson[];
    return events.find((item) => item.regarding.name === name);
  }
}

export function writesContract(on: string, setup: () => Promise<WritesContractSetup>): void {
  describe(`Service status and Events on ${on}`, () => {
    const bench = new Bench();
    before(async () => bench.open(await setup()));
    serviceStatus(bench);
    events(bench);
  });
}

function serviceStatus(bench: Bench): void {
  test("patchServiceStatus() writes addresses and annotations together", async () => {
    const service = await bench.createService("together");
    const patched = await patchServiceStatus(bench.client, service, {
      ingress: [{ ip: "192.0.2.10" }, { ip: "192.0.2.11" }],
      annotations: { "lbd.dev/pool": "lan", ours: null },
    });
    assert.ok(patched.ok, patched.ok ? "" : patched.failure.message);
    const { metadata, status, spec } = patched.value;
    const ips = status.ingress.map(({ ip }) => ip);
    assert.deepEqual(ips, ["192.0.2.10", "192.0.2.11"]);
    assert.deepEqual(metadata.annotations, { theirs: "kept", "lbd.dev/pool": "lan" });
    assert.equal(spec.type, "LoadBalancer");
  });

  test("patchServiceStatus() on a stale Service: conflict, and nothing is written", async () => {
    const service = await bench.createService("stale");
    const annotations = { step: "1" };
    const first = await patchServiceStatus(bench.client, service, { ingress: [], annotations });
    assert.ok(first.ok);
    const second = await patchServiceStatus(bench.client, service, {
      ingress: [{ ip: "192.0.2.10" }],
      annotations: { step: "2" },
    });
    assert.equal(second.ok ? "success" : second.failure.kind, "conflict");
    const path = `${bench.services}/stale`;
    const { value } = (await bench.client.request({ method: "GET", path })) as { value: object };
    assert.match(JSON.stringify(value), /"step":"1"/);
  });

  test("patchServiceStatus() takes addresses away", async () => {
    const service = await bench.createService("away");
    const given = { ingress: [{ ip: "192.0.2.10" }], annotations: {} };
    const first = await patchServiceStatus(bench.client, service, given);
    assert.ok(first.ok);
    const { resourceVersion } = first.value.metadata;
    const none = { ingress: [], annotations: {} };
    const second = await patchServiceStatus(bench.client, { ...service, resourceVersion }, none);
    assert.deepEqual(second.ok ? second.value.status.ingress : second.failure, []);
  });

  test("patchServiceStatus() on a Service that is gone: not-found", async () => {
    const service = { namespace: bench.namespace, name: "nobody", resourceVersion: "1" };
    const patched = await patchServiceStatus(bench.client, service, {
      ingress: [],
      annotations: {},
    });
    assert.equal(patched.ok ? "success" : patched.failure.kind, "not-found");
  });
}

/** 200 times as fast as the wall clock, so that a series need not be waited for. */
function fastRecorder(client: ApiRequests): EventRecorder {
  const clock: Clock = {
    boot: () => bootMs(performance.now() * 200),
    wall: () => wallMs(Date.now()),
  };
  return new EventRecorder({
    ...{ client, component: "lbd", instance: "node1", clock, random: Math.random },
    sleep: (ms, signal) => timerSleep(ms / 200, signal),
  });
}

function events(bench: Bench): void {
  test("EventRecorder writes Events, and repeats as a series", async () => {
    const { client, namespace } = bench;
    const recorder = fastRecorder(client);
    const event: EventInput = {
      regarding: { kind: "Service", apiVersion: "v1", namespace, name: "web", uid: "u-1" },
      type: "Warning",
      reason: "AddressTaken",
      action: "Allocate",
      note: `"192.0.2.10" belongs to another Service ${"ü".repeat(900)}`,
    };
    const node = { kind: "Node", apiVersion: "v1", name: `node1-${namespace}` };
    const stop = new AbortController();
    const done = recorder.run(stop.signal);
    try {
      recorder.record(event);
      recorder.record({ ...event, regarding: node, type: "Normal", note: "cluster scope" });
      await eventually("the first event", () => bench.event(namespace, "web"));
      const ofNode = await eventually("that of the node", () => bench.event("default", node.name));
      assert.equal(ofNode?.note, "cluster scope");
      recorder.record(event);
      const written = await eventually("the series", () => bench.event(namespace, "web"), {
        until: (found) => found?.series !== undefined,
      });
      assert.ok((written?.series?.count ?? 0) >= 2);
      assert.equal(written?.reportingController, "lbd");
      assert.equal(written?.reportingInstance, "node1");
      assert.equal(written?.type, "Warning");
      assert.ok(written?.note.endsWith("..."));
      assert.equal(recorder.failure(), null);
      assert.equal(recorder.counts().refused, 0);
    } finally {
      stop.abort();
      await done;
    }
  });
}
