// What lbd relies on of lists and watches: the reflector's sink becomes equal to the server again
// after everything that can go wrong in between. Runs on the fake and on a real API server.

import assert from "node:assert/strict";
import { afterEach, before, describe, test } from "node:test";
import type { Clock } from "../../../src/core/time.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import type { ApiRequest, ApiRequests, ApiWatches } from "../../../src/k8s-sync/client.ts";
import { decodeObject } from "../../../src/k8s-sync/decode.ts";
import type { RawObject } from "../../../src/k8s-sync/model.ts";
import { Reflector, type ReflectorOptions } from "../../../src/k8s-sync/reflector.ts";
import { eventually } from "../../lab/eventually.ts";

export interface WatchContractSetup {
  /** Used by the reflector; its connections are the ones that are dropped. */
  readonly client: ApiWatches;
  /** A way to the server that no fault concerns. */
  readonly admin: ApiRequests;
  /** Exists, and has no ConfigMaps but those of the system. */
  readonly namespace: string;
  /** Breaks the reflector's open connections. */
  dropWatches(): Promise<void>;
  /** Breaks them, and when they can be made again every version of before is too old. */
  forgetHistory(meanwhile: () => Promise<void>): Promise<void>;
  /** Nothing is answered between these two. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

const clock: Clock = { boot: () => bootMs(performance.now()), wall: () => wallMs(Date.now()) };

/** Equal to the server's objects, with a log of what it was told. */
export class LoggingSink {
  readonly objects = new Map<string, RawObject>();
  readonly log: string[] = [];

  replace(objects: readonly RawObject[]): void {
    this.objects.clear();
    for (const object of objects) this.objects.set(object.metadata.name, object);
    this.log.push(`replace ${objects.length}`);
  }

  upsert(object: RawObject): void {
    const { name } = object.metadata;
    this.log.push(`${this.objects.has(name) ? "update" : "add"} ${name} ${object.data.v ?? ""}`);
    this.objects.set(name, object);
  }

  remove(object: RawObject): void {
    this.log.push(`remove ${object.metadata.name}`);
    this.objects.delete(object.metadata.name);
  }

  /** Name and value, without what a real control plane puts into every namespace. */
  get values(): string[] {
    const all = [...this.objects.values()].filter((object) => object.data.v !== undefined);
    return all.map((object) => `${object.metadata.name}=${object.data.v}`).sort();
  }
}

interface Started {
  readonly sink: LoggingSink;
  readonly reflector: Reflector<RawObject>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

class Bench {
  #world: WatchContractSetup | null = null;
  readonly #running: Started[] = [];
  readonly #names = new Set<string>();

  open(world: WatchContractSetup): void {
    this.#world = world;
  }

  get world(): WatchContractSetup {
    assert.ok(this.#world !== null);
    return this.#world;
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.world.namespace}/configmaps`;
  }

  start(options: Partial<ReflectorOptions<RawObject>> = {}): Started {
    const sink = new LoggingSink();
    const reflector = new Reflector<RawObject>({
      client: this.world.client,
      resource: { path: this.#path, name: "configmaps", labelSelector: "app=lbd" },
      decode: decodeObject,
      sink,
      clock,
      random: Math.random,
      backoffCapMs: 500,
      ...options,
    });
    const stop = new AbortController();
    const started = { sink, reflector, stop, done: reflector.run(stop.signal) };
    this.#running.push(started);
    return started;
  }

  until(what: string, check: () => boolean): Promise<boolean> {
    return eventually(what, check, { timeoutMs: 30_000 });
  }

  watching(reflector: Reflector<RawObject>): Promise<boolean> {
    return this.until("the watch", () => reflector.state().phase === "watching");
  }

  async add(name: string): Promise<void> {
    this.#names.add(name);
    await this.#write({ method: "POST", path: this.#path, body: configMap(name, "1") });
  }

  async change(name: string, v: string): Promise<void> {
    await this.#write({ method: "PUT", path: `${this.#path}/${name}`, body: configMap(name, v) });
  }

  async remove(name: string): Promise<void> {
    this.#names.delete(name);
    await this.#write({ method: "DELETE", path: `${this.#path}/${name}` });
  }

  async #write(request: ApiRequest): Promise<void> {
    const written = await this.world.admin.request(request);
    assert.ok(written.ok, written.ok ? "" : written.failure.message);
  }

  async cleanUp(): Promise<void> {
    for (const { stop } of this.#running) stop.abort();
    await Promise.all(this.#running.splice(0).map(({ done }) => done));
    await this.world.thaw();
    for (const name of [...this.#names]) await this.remove(name);
  }
}

function configMap(name: string, v: string): unknown {
  const metadata = { name, labels: { app: "lbd" } };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { v } };
}

export function watchContract(on: string, setup: () => Promise<WatchContractSetup>): void {
  describe(`Reflector on ${on}`, () => {
    const bench = new Bench();
    before(async () => bench.open(await setup()));
    afterEach(() => bench.cleanUp());
    whatItSees(bench);
    whatItSurvives(bench);
  });
}

function whatItSees(bench: Bench): void {
  test("lists what is there and sees adds, updates and deletes in order", async () => {
    await bench.add("a");
    await bench.add("b");
    const { sink, reflector } = bench.start();
    await bench.watching(reflector);
    assert.deepEqual(sink.values, ["a=1", "b=1"]);
    await bench.add("c");
    await bench.change("a", "2");
    await bench.change("a", "3");
    await bench.remove("b");
    await bench.until("the events", () => sink.log.includes("remove b"));
    assert.deepEqual(sink.log, ["replace 2", "add c 1", "update a 2", "update a 3", "remove b"]);
    const state = reflector.state();
    assert.equal(state.objects, 2);
    assert.equal(state.failure, null);
    assert.ok(state.synced && state.lastContactAt !== null);
  });

  test("lists in pages", async () => {
    for (let i = 0; i < 7; i++) await bench.add(`page-${i}`);
    const { sink, reflector } = bench.start({ pageSize: 3 });
    await bench.watching(reflector);
    assert.equal(sink.values.length, 7);
    assert.deepEqual(sink.log, ["replace 7"]);
  });
}

function whatItSurvives(bench: Bench): void {
  test("a dropped watch goes on where it was, and loses nothing", async () => {
    await bench.add("a");
    const { sink, reflector } = bench.start();
    await bench.watching(reflector);
    await bench.world.dropWatches();
    await bench.add("b");
    await bench.remove("a");
    await bench.until("what happened meanwhile", () => sink.log.includes("remove a"));
    assert.deepEqual(sink.values, ["b=1"]);
    assert.equal(reflector.state().relists, 0);
  });

  test("410: lists anew, and what vanished meanwhile is removed", async () => {
    await bench.add("stays");
    await bench.add("vanishes");
    const { sink, reflector } = bench.start();
    await bench.watching(reflector);
    await bench.world.forgetHistory(() => bench.remove("vanishes"));
    await bench.add("new");
    await bench.until("the new one", () => sink.values.includes("new=1"));
    assert.deepEqual(sink.values, ["new=1", "stays=1"]);
    await bench.until("a relist", () => reflector.state().relists >= 1);
  });

  test("a server that falls silent is noticed, and caught up with", async () => {
    await bench.add("a");
    const { sink, reflector } = bench.start({ idleTimeoutMs: 1_000 });
    await bench.watching(reflector);
    const heardAt = reflector.state().lastContactAt ?? 0;
    await bench.world.freeze();
    await bench.until("the failure", () => reflector.state().failure !== null);
    assert.match(reflector.state().failure?.kind ?? "", /^(timeout|unreachable)$/);
    assert.deepEqual(sink.values, ["a=1"]);
    await bench.world.thaw();
    await bench.change("a", "2");
    await bench.until("the change", () => sink.values.includes("a=2"));
    assert.equal(reflector.state().failure, null);
    assert.ok((reflector.state().lastContactAt ?? 0) > heardAt);
  });

  test("abort is prompt while it watches and while nothing answers", async () => {
    const { reflector, stop, done } = bench.start();
    await bench.watching(reflector);
    const startedAt = performance.now();
    stop.abort();
    await done;
    await bench.world.freeze();
    const second = bench.start();
    await bench.until("the list", () => second.reflector.state().phase === "listing");
    second.stop.abort();
    await second.done;
    assert.ok(performance.now() - startedAt < 1_000);
  });
}
