// Keeps a sink equal to one resource of the API server: lists, then watches, for ever. It never
// gives up and never empties the sink because the API fails: what it knew last stays. It promises
// eventual equality, not that every state in between is seen.

import type { Random } from "../core/random.ts";
import type { BootMs, Clock } from "../core/time.ts";
import { backoffMs } from "./backoff.ts";
import type { ApiWatches } from "./client.ts";
import { resourceVersionOf } from "./decode.ts";
import { listAll, type Resource } from "./lister.ts";
import { type KubernetesObject, objectKey } from "./model.ts";
import { type ApiFailure, isRetryable, needsRelist } from "./outcome.ts";
import { type Sleep, timerSleep } from "./sleep.ts";
import { Waker } from "./waker.ts";
import type { WatchEvent } from "./watch-lines.ts";

export interface ReflectorSink<T> {
  /** All objects there are, after a complete list. What is not among them is gone. */
  replace(objects: readonly T[]): void;
  upsert(object: T): void;
  remove(object: T): void;
}

export interface ReflectorState {
  readonly phase: "listing" | "watching" | "waiting";
  /** Whether the sink was complete once; stays true while the API is gone. */
  readonly synced: boolean;
  /** Why it does not work now; null while it does. */
  readonly failure: ApiFailure | null;
  readonly resourceVersion: string | null;
  /** When the server last said anything about this resource. */
  readonly lastContactAt: BootMs | null;
  readonly objects: number;
  /** Objects that could not be decoded, since the last list. */
  readonly skipped: number;
  /** Complete lists after the first one. */
  readonly relists: number;
}

export interface ReflectorOptions<T extends KubernetesObject> {
  readonly client: ApiWatches;
  readonly resource: Resource;
  /** null = skipped and counted. */
  readonly decode: (raw: unknown) => T | null;
  readonly sink: ReflectorSink<T>;
  readonly clock: Clock;
  readonly random: Random;
  /** After each change of phase, sync or failure; not after each event. */
  readonly onState?: (state: ReflectorState) => void;
  readonly sleep?: Sleep;
  readonly pageSize?: number;
  /** Silence after which a watch is opened anew. */
  readonly idleTimeoutMs?: number;
  readonly backoffCapMs?: number;
}

/** The API server sends a bookmark about once a minute; one may be late. */
const IDLE_TIMEOUT_MS = 130_000;
/** How long the server is asked to keep a watch: between these, so that not all end at once. */
const WATCH_SECONDS_MIN = 300;
const WATCH_SECONDS_MAX = 600;
/** A watch that ends sooner without having said anything is a failure: no hot loop. */
const SHORT_WATCH_MS = 1_000;

/** What to do after a watch has ended. */
type Next = { readonly relist: boolean; readonly failure: ApiFailure | null };

export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #sleep: Sleep;
  readonly #keys = new Set<string>();
  readonly #waker = new Waker();
  #failures = 0;
  /** Somebody waits for a new list. */
  #relisting: PromiseWithResolvers<void> | null = null;
  #watching = new AbortController();
  /** The version was told to be too old, and no watch has said anything since. */
  #wasGone = false;
  #state: ReflectorState = {
    phase: "listing",
    synced: false,
    failure: null,
    resourceVersion: null,
    lastContactAt: null,
    objects: 0,
    skipped: 0,
    relists: 0,
  };

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
  }

  state(): ReflectorState {
    return this.#state;
  }

  /** Lists anew, whatever the watch has shown so far; resolves when that is done. */
  relist(): Promise<void> {
    this.#relisting ??= Promise.withResolvers<void>();
    this.#watching.abort();
    this.hurry();
    return this.#relisting.promise;
  }

  /** The API has just answered somebody else: if this one waits to ask again, it need not. */
  hurry(): void {
    if (this.#state.phase === "waiting") this.#waker.wake();
  }

  /** Resolves on abort only; rejects only when the sink throws. */
  async run(signal: AbortSignal): Promise<void> {
    let relist = true;
    while (!signal.aborted) {
      if (relist) {
        const failure = await this.#list(signal);
        if (signal.aborted) return;
        if (failure !== null) {
          await this.#wait(failure, signal);
          continue;
        }
        relist = false;
      }
      if (this.#relisting === null) this.#watching = new AbortController();
      const next = await this.#watch(AbortSignal.any([signal, this.#watching.signal]));
      if (signal.aborted) return;
      if (this.#relisting !== null) {
        relist = true;
        continue;
      }
      relist = next.relist;
      if (next.failure === null) continue;
      // The server is there, and says what to do: after an outage nobody should wait for that.
      const isFirst = next.failure.kind === "gone" && !this.#wasGone;
      this.#wasGone = next.failure.kind === "gone";
      if (!isFirst) await this.#wait(next.failure, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<ApiFailure | null> {
    this.#change({ phase: "listing", resourceVersion: null });
    const { client, resource, decode, pageSize } = this.#options;
    const listed = await listAll(client, resource, {
      decode,
      signal,
      onPage: () => this.#touch(),
      ...(pageSize === undefined ? {} : { pageSize }),
    });
    if (signal.aborted) return null;
    if (!listed.ok) return listed.failure;
    const { items, resourceVersion, skipped } = listed.value;
    this.#keys.clear();
    for (const item of items) this.#keys.add(objectKey(item));
    this.#options.sink.replace(items);
    const relists = this.#state.relists + (this.#state.synced ? 1 : 0);
    const objects = this.#keys.size;
    // Not yet "watching": whoever reads the state knows then that the watch is open.
    this.#change({ synced: true, resourceVersion, skipped, relists, objects });
    this.#relisting?.resolve();
    this.#relisting = null;
    return null;
  }

  async #watch(signal: AbortSignal): Promise<Next> {
    const startedAt = this.#options.clock.boot();
    const lasted = (): boolean => this.#options.clock.boot() - startedAt >= SHORT_WATCH_MS;
    let said = false;
    let opened = false;
    for await (const message of this.#open(signal)) {
      if (message.type === "FAILED") {
        if (opened && lasted()) {
          this.#failures = 0;
          this.#wasGone = false;
        }
        return this.#ended(message.failure, opened);
      }
      this.#touch();
      if (message.type === "OPENED") {
        opened = true;
        this.#change({ phase: "watching", failure: null });
      } else {
        said = true;
        this.#failures = 0;
        this.#wasGone = false;
        this.#apply(message);
      }
    }
    if (said || lasted()) return { relist: false, failure: null };
    const message = `Cannot watch ${this.#options.resource.name}: the server ends it at once`;
    return { relist: false, failure: { kind: "truncated", message } };
  }

  #open(signal: AbortSignal) {
    const { client, resource, random } = this.#options;
    const span = WATCH_SECONDS_MAX - WATCH_SECONDS_MIN;
    const query = {
      allowWatchBookmarks: true,
      resourceVersion: this.#state.resourceVersion ?? "",
      timeoutSeconds: WATCH_SECONDS_MIN + Math.floor(random() * (span + 1)),
      labelSelector: resource.labelSelector,
      fieldSelector: resource.fieldSelector,
    };
    const idleTimeoutMs = this.#options.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
    return client.watch({ path: resource.path, query, idleTimeoutMs }, signal);
  }

  #ended(failure: ApiFailure, opened: boolean): Next {
    // A watch that fell silent says nothing against the server: go on from the last
    // version at once. Whether the server is alive shows when the next one is opened.
    if (opened && failure.kind === "timeout") return { relist: false, failure: null };
    return { relist: needsRelist(failure), failure };
  }

  #apply(event: WatchEvent): void {
    const resourceVersion = resourceVersionOf(event.object) || this.#state.resourceVersion;
    const object = event.type === "BOOKMARK" ? null : this.#options.decode(event.object);
    let { skipped } = this.#state;
    if (object !== null) {
      const key = objectKey(object);
      if (event.type === "DELETED") {
        this.#keys.delete(key);
        this.#options.sink.remove(object);
      } else {
        this.#keys.add(key);
        this.#options.sink.upsert(object);
      }
    } else if (event.type !== "BOOKMARK") {
      skipped++;
    }
    this.#state = { ...this.#state, resourceVersion, skipped, objects: this.#keys.size };
  }

  async #wait(failure: ApiFailure, signal: AbortSignal): Promise<void> {
    this.#change({ phase: "waiting", failure });
    const { random, backoffCapMs } = this.#options;
    // What asking again cannot help is asked at the slowest pace, in case somebody mends it.
    const attempt = isRetryable(failure) ? this.#failures : Number.MAX_SAFE_INTEGER;
    this.#failures++;
    const ms = backoffMs(attempt, random, {
      retryAfterMs: failure.retryAfterMs,
      ...(backoffCapMs === undefined ? {} : { capMs: backoffCapMs }),
    });
    await this.#waker.wait(signal, (woken) => this.#sleep(ms, woken));
  }

  #touch(): void {
    this.#state = { ...this.#state, lastContactAt: this.#options.clock.boot() };
  }

  #change(change: Partial<ReflectorState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onState?.(this.#state);
  }
}
