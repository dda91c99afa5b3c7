// The event recorder against a scripted client and a clock of its own: series, limits, outages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, type Clock, wallMs } from "../../../src/core/time.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import { type EventInput, EventRecorder } from "../../../src/k8s-sync/events.ts";
import {
  type ApiFailureKind,
  failed,
  type Outcome,
  success,
} from "../../../src/k8s-sync/outcome.ts";

function event(note: string): EventInput {
  const regarding = { kind: "Service", apiVersion: "v1", namespace: "shop", name: "web", uid: "u" };
  return { regarding, type: "Normal", reason: "AddressAssigned", action: "Allocate", note };
}

/** Time moves only while the recorder sleeps, and at the end of the test's time it is stopped. */
class Bench implements ApiRequests {
  readonly sent: ApiRequest[] = [];
  readonly failures: (ApiFailureKind | "ok")[] = [];
  readonly stop = new AbortController();
  now = 0;
  endsAt = 0;
  readonly clock: Clock = { boot: () => bootMs(this.now), wall: () => wallMs(this.now) };
  readonly recorder: EventRecorder;
  /** What happens at a moment; run in order. */
  plan: { at: number; act: () => void }[] = [];

  constructor(queueMax?: number) {
    this.recorder = new EventRecorder({
      client: this,
      component: "lbd",
      instance: "n1",
      clock: this.clock,
      random: () => 0.5,
      sleep: (ms) => this.#sleep(ms),
      ...(queueMax === undefined ? {} : { queueMax }),
    });
  }

  async request<T>(request: ApiRequest): Promise<Outcome<T>> {
    this.sent.push(request);
    const next = this.failures.shift() ?? "ok";
    return next === "ok" ? success({} as T) : failed(next, next);
  }

  async #sleep(ms: number): Promise<void> {
    const next = this.plan[0];
    if (next !== undefined && next.at <= this.now + ms) {
      this.now = Math.max(this.now, next.at);
      this.plan.shift();
      next.act();
      return;
    }
    this.now += ms;
    if (this.now >= this.endsAt) this.stop.abort();
  }

  async runUntil(endsAt: number): Promise<void> {
    this.endsAt = endsAt;
    await this.recorder.run(this.stop.signal);
  }

  get writes(): string[] {
    return this.sent.map(({ method, body }) => {
      const { series, note } = body as { series?: { count: number }; note?: string };
      return `${method} ${series?.count ?? note}`;
    });
  }
}

test("EventRecorder an outage loses nothing and is waited out", async () => {
  const bench = new Bench();
  bench.failures.push("unreachable", "timeout", "throttled", "server-error", "unauthorized");
  bench.recorder.record(event("a"));
  bench.recorder.record(event("b"));
  await bench.runUntil(60_000);
  assert.deepEqual(bench.writes.slice(-2), ["POST a", "POST b"]);
  assert.equal(bench.recorder.counts().written, 2);
  assert.equal(bench.recorder.failure(), null);
});

test("EventRecorder a refused event does not hold up the next", async () => {
  const bench = new Bench();
  bench.failures.push("forbidden", "invalid", "not-found");
  for (const note of ["a", "b", "c", "d"]) bench.recorder.record(event(note));
  await bench.runUntil(10_000);
  assert.deepEqual(bench.writes, ["POST a", "POST b", "POST c", "POST d"]);
  const { refused, written, queued } = bench.recorder.counts();
  assert.deepEqual({ refused, written, queued }, { refused: 3, written: 1, queued: 0 });
});

test("EventRecorder a full queue drops the oldest and counts", async () => {
  const bench = new Bench(2);
  for (const note of ["a", "b", "c"]) bench.recorder.record(event(note));
  await bench.runUntil(10_000);
  assert.deepEqual(bench.writes, ["POST b", "POST c"]);
  assert.equal(bench.recorder.counts().dropped, 1);
});

test("EventRecorder a lost answer is not a second event", async () => {
  const bench = new Bench();
  bench.failures.push("unreachable", "already-exists");
  bench.recorder.record(event("a"));
  await bench.runUntil(10_000);
  const names = bench.sent.map(
    ({ body }) => (body as { metadata: { name: string } }).metadata.name,
  );
  assert.equal(names.length, 2);
  assert.equal(names[0], names[1]);
  assert.equal(bench.recorder.counts().written, 1);
});

test("EventRecorder repeats become a series, patched at most every 30 seconds", async () => {
  const bench = new Bench();
  for (let second = 0; second <= 60; second++) {
    bench.plan.push({ at: second * 1000, act: () => bench.recorder.record(event("a")) });
  }
  bench.recorder.record(event("a"));
  await bench.runUntil(200_000);
  assert.equal(bench.writes[0], "POST a");
  assert.equal(bench.writes.at(-1), "PATCH 62");
  assert.ok(bench.writes.length <= 5, bench.writes.join());
  assert.equal(bench.recorder.counts().repeated, 61);
  const patch = bench.sent.at(-1);
  assert.equal(patch?.contentType, "application/merge-patch+json");
  assert.match(patch?.path ?? "", /namespaces\/shop\/events\/web\.[0-9a-f]+$/);
});

test("EventRecorder a repeat after the window is a new event", async () => {
  const bench = new Bench();
  bench.recorder.record(event("a"));
  bench.plan.push({ at: 9 * 60_000, act: () => bench.recorder.record(event("a")) });
  await bench.runUntil(20 * 60_000);
  assert.deepEqual(bench.writes, ["POST a", "POST a"]);
  const names = bench.sent.map(
    ({ body }) => (body as { metadata: { name: string } }).metadata.name,
  );
  assert.notEqual(names[0], names[1]);
});

test("EventRecorder a series whose event expired starts anew", async () => {
  const bench = new Bench();
  bench.failures.push("ok", "not-found");
  bench.recorder.record(event("a"));
  bench.plan.push({ at: 5_000, act: () => bench.recorder.record(event("a")) });
  await bench.runUntil(200_000);
  assert.deepEqual(bench.writes.slice(0, 3), ["POST a", "PATCH 2", "POST a"]);
});

test("EventRecorder record() during an idle wait is written at once", async () => {
  const bench = new Bench();
  bench.plan.push({ at: 1_234, act: () => bench.recorder.record(event("late")) });
  await bench.runUntil(100_000);
  assert.deepEqual(bench.writes, ["POST late"]);
});

test("EventRecorder writes are spaced", async () => {
  const bench = new Bench();
  for (let i = 0; i < 100; i++) bench.recorder.record(event(`e${i}`));
  await bench.runUntil(1_000);
  assert.ok(bench.sent.length <= 21, `${bench.sent.length}`);
});
