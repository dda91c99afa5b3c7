// The reflector's decisions against a scripted client: when it lists, from where it watches, how
// long it waits, and what it keeps while the API fails.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, type Clock, wallMs } from "../../../src/core/time.ts";
import type { ApiRequest, ApiWatches, WatchRequest } from "../../../src/k8s-sync/client.ts";
import { decodeObject } from "../../../src/k8s-sync/decode.ts";
import type { RawObject } from "../../../src/k8s-sync/model.ts";
import {
  type ApiFailureKind,
  failed,
  type Outcome,
  success,
} from "../../../src/k8s-sync/outcome.ts";
import { Reflector, type ReflectorState } from "../../../src/k8s-sync/reflector.ts";
import type { WatchMessage } from "../../../src/k8s-sync/watch.ts";

type Step = Outcome<unknown> | readonly WatchMessage[];

/** Answers lists and watches in the order of the script, then aborts the run. */
class Script implements ApiWatches {
  readonly asked: string[] = [];
  readonly stop = new AbortController();
  readonly #steps: Step[];
  now = 0;
  /** How long each watch lasts. */
  watchMs = 5_000;

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  async request<T>(request: ApiRequest): Promise<Outcome<T>> {
    const { continue: page, limit } = request.query ?? {};
    const step = this.#steps.shift();
    if (step === undefined || Array.isArray(step)) {
      assert.equal(step, undefined, "the script expects a watch here");
      this.stop.abort();
      return failed("unreachable", "end of script");
    }
    this.asked.push(`list ${page ?? "first"}${limit === 500 ? "" : ` limit ${limit}`}`);
    return step as Outcome<T>;
  }

  async *watch(request: WatchRequest): AsyncGenerator<WatchMessage, void> {
    const step = this.#steps.shift();
    if (step === undefined || !Array.isArray(step)) {
      assert.equal(step, undefined, "the script expects a list here");
      this.stop.abort();
      return;
    }
    this.asked.push(`watch ${request.query.resourceVersion}`);
    this.now += this.watchMs;
    yield* step as readonly WatchMessage[];
  }
}

class Sink {
  readonly objects = new Map<string, string>();
  replace(objects: readonly RawObject[]): void {
    this.objects.clear();
    for (const object of objects) this.upsert(object);
  }
  upsert(object: RawObject): void {
    this.objects.set(object.metadata.name, object.metadata.resourceVersion);
  }
  remove(object: RawObject): void {
    this.objects.delete(object.metadata.name);
  }
}

function page(version: string, names: readonly string[], more = ""): Outcome<unknown> {
  const items = names.map((name) => ({ metadata: { name, resourceVersion: version } }));
  return success({ metadata: { resourceVersion: version, continue: more }, items });
}

function event(type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", name: string, version: string) {
  return { type, object: { metadata: { name, resourceVersion: version } } } as const;
}

function broken(kind: ApiFailureKind, retryAfterMs?: number): WatchMessage {
  const details = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { type: "FAILED", failure: { kind, message: kind, ...details } };
}

const OPENED: WatchMessage = { type: "OPENED" };

async function run(script: Script) {
  const sink = new Sink();
  const waits: number[] = [];
  const phases: string[] = [];
  const clock: Clock = { boot: () => bootMs(script.now), wall: () => wallMs(0) };
  const reflector = new Reflector<RawObject>({
    client: script,
    resource: { path: "/api/v1/things", name: "things" },
    decode: decodeObject,
    sink,
    clock,
    random: () => 0,
    sleep: async (ms) => void waits.push(ms),
    onState: (state: ReflectorState) => phases.push(state.phase),
  });
  await reflector.run(script.stop.signal);
  return { sink, waits, phases, state: reflector.state(), asked: script.asked };
}

test("Reflector every kind of failure of a list is tried again, for ever", async () => {
  const kinds: ApiFailureKind[] = [
    "unreachable",
    "certificate",
    "forbidden",
    "invalid",
    "not-json",
  ];
  const steps = kinds.map((kind) => failed(kind, kind));
  const { waits, state, asked } = await run(new Script(...steps, page("5", ["a"]), [OPENED]));
  // "invalid" at once at the cap: asking faster does not help.
  assert.deepEqual(waits, [100, 200, 400, 5_000, 1_600]);
  assert.equal(asked.at(-1), "watch 5");
  assert.equal(state.synced, true);
  assert.equal(state.failure, null);
});

test("Reflector Retry-After is honoured", async () => {
  const busy = failed("throttled", "busy", { retryAfterMs: 7_000 });
  const { waits } = await run(new Script(busy, page("5", []), [OPENED]));
  assert.deepEqual(waits, [7_000]);
});

test("Reflector pages, and starts over when the next page has expired", async () => {
  const script = new Script(
    page("5", ["a"], "p1"),
    failed("gone", "expired"),
    page("6", ["b"], "p2"),
    page("6", ["c"]),
  );
  const { sink, asked } = await run(script);
  assert.deepEqual(asked, ["list first", "list p1", "list first", "list p2"]);
  assert.deepEqual([...sink.objects.keys()], ["b", "c"]);
});

test("Reflector a page that is too large is asked for in smaller ones", async () => {
  const large = failed("too-large", "large");
  const { asked } = await run(new Script(large, page("5", ["a"], "p"), large, page("5", ["b"])));
  const smaller = ["list first limit 62", "list p limit 62", "list p limit 7"];
  assert.deepEqual(asked, ["list first", ...smaller]);
});

test("Reflector a list without a resourceVersion is not believed", async () => {
  const { sink, state } = await run(new Script(page("5", ["a"]), [broken("gone")], success({})));
  assert.deepEqual([...sink.objects.keys()], ["a"]);
  assert.equal(state.relists, 0);
});

test("Reflector events reach the sink, and a broken watch goes on from the last", async () => {
  const script = new Script(
    page("5", ["a", "b"]),
    [OPENED, event("ADDED", "c", "6"), event("DELETED", "a", "7"), broken("truncated")],
    [OPENED, event("MODIFIED", "b", "8"), event("BOOKMARK", "", "12")],
    [broken("unreachable")],
    [OPENED],
  );
  const { sink, asked, state } = await run(script);
  const watches = ["watch 5", "watch 7", "watch 12", "watch 12"];
  assert.deepEqual(asked, ["list first", ...watches]);
  assert.deepEqual([...sink.objects].sort(), [
    ["b", "8"],
    ["c", "6"],
  ]);
  assert.equal(state.objects, 2);
  assert.equal(state.resourceVersion, "12");
  assert.equal(state.relists, 0);
});

for (const kind of ["gone", "not-found", "invalid"] as const) {
  test(`Reflector "${kind}" of a watch leads to a new list, without what vanished`, async () => {
    const script = new Script(page("5", ["a", "b"]), [broken(kind)], page("9", ["b"]), [OPENED]);
    const { sink, asked, state } = await run(script);
    assert.deepEqual(asked, ["list first", "watch 5", "list first", "watch 9"]);
    assert.deepEqual([...sink.objects.keys()], ["b"]);
    assert.equal(state.relists, 1);
  });
}

test("Reflector keeps its objects while the API fails", async () => {
  const down = failed("unreachable", "down");
  const script = new Script(page("5", ["a"]), [broken("gone")], down, down, down);
  const { sink, state } = await run(script);
  assert.deepEqual([...sink.objects.keys()], ["a"]);
  assert.equal(state.synced, true);
  assert.equal(state.failure?.kind, "unreachable");
});

test("Reflector an idle watch is opened anew at once", async () => {
  const idle = [OPENED, broken("timeout")];
  const { asked, waits } = await run(new Script(page("5", []), idle, idle, [OPENED]));
  assert.deepEqual(asked, ["list first", "watch 5", "watch 5", "watch 5"]);
  assert.deepEqual(waits, []);
});

test("Reflector a watch that does not even open backs off", async () => {
  const silent = [broken("timeout")];
  const { waits } = await run(new Script(page("5", []), silent, silent, silent));
  assert.deepEqual(waits, [100, 200, 400]);
});

test("Reflector a server that ends every watch at once is no hot loop", async () => {
  const script = new Script(page("5", []), [OPENED], [OPENED], [OPENED], [OPENED]);
  script.watchMs = 10;
  const { waits, state } = await run(script);
  assert.deepEqual(waits.slice(0, 4), [100, 200, 400, 800]);
  assert.match(state.failure?.message ?? "", /the server ends it at once/);
});

test("Reflector list and 410 in turns back off, too", async () => {
  const gone = [OPENED, broken("gone")];
  const script = new Script(page("5", []), gone, page("6", []), gone, page("7", []), gone);
  script.watchMs = 10;
  const { waits } = await run(script);
  assert.deepEqual(waits, [100, 200], "but for the first");
});

test("Reflector lists at once when its version is too old after an outage", async () => {
  const away = [broken("unreachable")];
  const script = new Script(page("5", []), away, away, [broken("gone")], page("9", []), [OPENED]);
  const { asked, waits } = await run(script);
  assert.deepEqual(asked.slice(-3), ["watch 5", "list first", "watch 9"]);
  assert.deepEqual(waits, [100, 200]);
});

test("Reflector.hurry() ends a wait that would last, and no other thing", async () => {
  const script = new Script(failed("unreachable", "down"), page("5", ["a"]), [OPENED]);
  const untilWoken = (_ms: number, woken: AbortSignal) =>
    new Promise<void>((resolve) => {
      woken.addEventListener("abort", () => resolve(), { once: true });
    });
  const reflector = new Reflector<RawObject>({
    client: script,
    resource: { path: "/api/v1/things", name: "things" },
    decode: decodeObject,
    sink: new Sink(),
    clock: { boot: () => bootMs(script.now), wall: () => wallMs(0) },
    random: () => 0,
    sleep: untilWoken,
    onState: ({ phase }) => {
      if (phase === "waiting") setImmediate(() => reflector.hurry());
    },
  });
  reflector.hurry();
  await reflector.run(script.stop.signal);
  assert.deepEqual(script.asked, ["list first", "list first", "watch 5"]);
});

test("Reflector a watch that worked resets the backoff", async () => {
  const script = new Script(
    page("5", []),
    [broken("unreachable")],
    [broken("unreachable")],
    [OPENED, event("ADDED", "a", "6"), broken("truncated")],
    [broken("unreachable")],
  );
  const { waits } = await run(script);
  assert.deepEqual(waits, [100, 200, 100, 200]);
});

test("Reflector an object that cannot be decoded is counted and skipped", async () => {
  const list = success({
    metadata: { resourceVersion: "5" },
    items: [{}, { metadata: { name: "a" } }],
  });
  const nameless = { type: "ADDED", object: { metadata: { resourceVersion: "6" } } } as const;
  const { state, sink } = await run(new Script(list, [OPENED, nameless]));
  assert.equal(state.skipped, 2);
  assert.equal(state.objects, 1);
  assert.equal(state.resourceVersion, "6");
  assert.deepEqual([...sink.objects.keys()], ["a"]);
});

test("Reflector tells its phases", async () => {
  const script = new Script(page("5", []), [broken("gone")], page("6", []), [OPENED]);
  const { phases } = await run(script);
  assert.deepEqual(phases, ["listing", "listing", "listing", "listing", "watching"]);
});

test("Reflector aborted before it runs asks nothing", async () => {
  const script = new Script(page("5", []));
  script.stop.abort();
  const { asked } = await run(script);
  assert.deepEqual(asked, []);
});
