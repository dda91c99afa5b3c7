// Asks the Kubernetes API and returns what came as a value; nothing is thrown for anything a server
// or a network can do. It retries once after a renewed token and otherwise never: callers decide.

import type { Dispatcher } from "undici";
import { Histogram, type HistogramCounts } from "../core/histogram.ts";
import type { Clock } from "../core/time.ts";
import {
  abortFailure,
  classifyAnswer,
  classifyThrown,
  credentialsFailure,
  parseBody,
  timeoutFailure,
  tooLargeFailure,
} from "./classify.ts";
import { Connections } from "./connections.ts";
import { Deadline } from "./deadline.ts";
import type { RequestTarget } from "./describe.ts";
import type { Kubeconfig } from "./kubeconfig.ts";
import { type ApiFailureKind, type Outcome, success } from "./outcome.ts";
import { readBody } from "./read-body.ts";
import { TokenReader } from "./token.ts";
import { readWatch, type WatchMessage } from "./watch.ts";

export interface ApiRequest extends RequestTarget {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Silence after which the watch is given up. */
  readonly idleTimeoutMs: number;
}

export interface ApiClientOptions {
  /** Of lbd, for the User-Agent. */
  readonly version?: string;
  readonly timeoutMs?: number;
  readonly bodyBytesMax?: number;
  /** Longest wait for the headers of a watch. */
  readonly watchOpenTimeoutMs?: number;
  /** By which requests are timed; missing: they are not. */
  readonly clock?: Pick<Clock, "boot">;
}

export type RequestOutcome = "ok" | ApiFailureKind;

const TIMEOUT_MS = 5_000;
/** From an API server beside this host to one that is about to be given up. */
const SECONDS_BOUNDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15];
/** A page of 500 objects of 100 KB each; more than that is asked for in smaller pages. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** An error page is quoted, not read. */
const ERROR_BYTES_MAX = 64 * 1024;

/** For those who only ask, and for those who watch too: what a test has to stand in for. */
export type ApiRequests = Pick<ApiClient, "request">;
export type ApiWatches = Pick<ApiClient, "request" | "watch">;

/** What one kubeconfig leads to. */
interface Way {
  readonly kubeconfig: Kubeconfig;
  readonly connections: Connections;
  readonly token: TokenReader;
}

export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #counts = new Map<RequestOutcome, number>();
  readonly #durations = new Map<string, Histogram>();
  #way: Way | null = null;

  /** Null: every request fails as if the server were not there, until there is one. */
  constructor(kubeconfig: Kubeconfig | null, options: ApiClientOptions = {}) {
    this.#options = options;
    if (kubeconfig !== null) this.adopt(kubeconfig);
  }

  /** From now on by this one; what is under way by the one before fails. */
  adopt(kubeconfig: Kubeconfig): void {
    const before = this.#way;
    const token = new TokenReader(kubeconfig.token);
    this.#way = { kubeconfig, connections: new Connections(kubeconfig), token };
    void before?.connections.close();
  }

  /** The server as the operator knows it; "" without a kubeconfig. */
  get server(): string {
    return this.#way === null ? "" : serverOf(this.#way);
  }

  /** Exchanges with the server by what came of them; a watch counts once, when it is opened. */
  counts(): ReadonlyMap<RequestOutcome, number> {
    return this.#counts;
  }

  /** How long requests took, in seconds, by method; watches are not among them. */
  durations(): ReadonlyMap<string, HistogramCounts> {
    return new Map([...this.#durations].map(([method, histogram]) => [method, histogram.get()]));
  }

  async #timed(method: string, exchange: Promise<Outcome<unknown>>): Promise<Outcome<unknown>> {
    const { clock } = this.#options;
    if (clock === undefined) return exchange;
    const begun = clock.boot();
    const outcome = await exchange;
    const histogram = this.#durations.get(method) ?? new Histogram(SECONDS_BOUNDS);
    this.#durations.set(method, histogram);
    histogram.observe((clock.boot() - begun) / 1_000);
    return outcome;
  }

  #counted<T>(outcome: Outcome<T>): Outcome<T> {
    const name = outcome.ok ? "ok" : outcome.failure.kind;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return outcome;
  }

  /** `value` is the answer's JSON object, unchecked beyond that: decode it. */
  async request<T = unknown>(request: ApiRequest): Promise<Outcome<T>> {
    const way = this.#way;
    if (way === null) return { ok: false, failure: credentialsFailure(request) };
    const token = way.token.current();
    const { method } = request;
    const first = this.#counted(await this.#timed(method, this.#exchange(way, request, token)));
    if (first.ok || first.failure.kind !== "unauthorized") return first as Outcome<T>;
    if (!way.token.renew(token)) return first;
    return this.#counted(await this.#exchange(way, request, way.token.current())) as Outcome<T>;
  }

  async #exchange(way: Way, request: ApiRequest, token: string | null): Promise<Outcome<unknown>> {
    const limitMs = request.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS;
    if (request.signal?.aborted) return { ok: false, failure: abortFailure(request) };
    const deadline = new Deadline(limitMs, request.signal);
    const pool = way.connections.questions;
    let during: "headers" | "body" = "headers";
    try {
      const response = await pool.request(this.#dispatch(way, { request, token }, deadline.signal));
      during = "body";
      return await this.#readAnswer(request, response);
    } catch (thrown) {
      if (deadline.expired) {
        way.connections.suspect(pool);
        return { ok: false, failure: timeoutFailure(request, serverOf(way), limitMs) };
      }
      if (request.signal?.aborted) return { ok: false, failure: abortFailure(request) };
      const failure = classifyThrown(request, thrown, { server: serverOf(way), during });
      return { ok: false, failure };
    } finally {
      deadline.release();
    }
  }

  async #readAnswer(
    request: RequestTarget,
    response: Dispatcher.ResponseData,
  ): Promise<Outcome<unknown>> {
    const ok = response.statusCode >= 200 && response.statusCode < 300;
    const limit = ok ? (this.#options.bodyBytesMax ?? BODY_BYTES_MAX) : ERROR_BYTES_MAX;
    const read = await readBody(response.body, limit);
    if (ok && read.cut) return { ok: false, failure: tooLargeFailure(request, limit) };
    const answer = { status: response.statusCode, headers: response.headers, body: read.text };
    if (ok) return parseBody(request, answer);
    return { ok: false, failure: classifyAnswer(request, answer) };
  }

  /**
   * The events of a watch as they come. Ends after FAILED, when the server ends it, or on abort;
   * leaving the loop closes the connection.
   */
  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchMessage, void> {
    const target = { method: "GET", path: request.path, query: { ...request.query, watch: true } };
    const way = this.#way;
    if (way === null) {
      yield { type: "FAILED", failure: credentialsFailure(target) };
      return;
    }
    const openMs = this.#options.watchOpenTimeoutMs ?? TIMEOUT_MS;
    const opened = await this.#openWatch(way, target, { signal, openMs });
    if (signal.aborted) {
      if (opened.ok) opened.value.body.destroy();
      return;
    }
    if (!opened.ok) {
      yield { type: "FAILED", failure: opened.failure };
      return;
    }
    const idleMs = request.idleTimeoutMs;
    yield* readWatch(target, opened.value.body, { signal, idleMs, server: serverOf(way) });
  }

  async #openWatch(
    way: Way,
    target: RequestTarget,
    options: { signal: AbortSignal; openMs: number },
  ): Promise<Outcome<Dispatcher.ResponseData>> {
    let token = way.token.current();
    for (let attempt = 0; ; attempt++) {
      const opened = this.#counted(await this.#openWatchOnce(way, target, { ...options, token }));
      const refused = !opened.ok && opened.failure.kind === "unauthorized";
      if (!refused || attempt > 0 || !way.token.renew(token)) return opened;
      token = way.token.current();
    }
  }

  async #openWatchOnce(
    way: Way,
    target: RequestTarget,
    options: { signal: AbortSignal; openMs: number; token: string | null },
  ): Promise<Outcome<Dispatcher.ResponseData>> {
    if (options.signal.aborted) return { ok: false, failure: abortFailure(target) };
    const deadline = new Deadline(options.openMs, options.signal);
    try {
      const { token } = options;
      const dispatch = this.#dispatch(way, { request: target, token }, deadline.signal);
      const response = await way.connections.watches.request(dispatch);
      if (response.statusCode === 200) return success(response);
      const { text } = await readBody(response.body, ERROR_BYTES_MAX);
      const answer = { status: response.statusCode, headers: response.headers, body: text };
      return { ok: false, failure: classifyAnswer(target, answer) };
    } catch (thrown) {
      if (deadline.expired) {
        return { ok: false, failure: timeoutFailure(target, serverOf(way), options.openMs) };
      }
      const about = { server: serverOf(way), during: "headers" } as const;
      const failure = classifyThrown(target, thrown, about);
      return { ok: false, failure };
    } finally {
      deadline.release();
    }
  }

  #dispatch(
    way: Way,
    { request, token }: { request: Dispatched; token: string | null },
    signal: AbortSignal,
  ): Dispatcher.RequestOptions {
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": `lbd/${this.#options.version ?? "dev"}`,
    };
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (request.body !== undefined) {
      headers["content-type"] = request.contentType ?? "application/json";
    }
    return {
      method: request.method as Dispatcher.HttpMethod,
      path: way.kubeconfig.basePath + request.path + queryString(request.query),
      headers,
      signal,
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    };
  }

  /** Cuts all connections; what is under way fails. */
  async close(): Promise<void> {
    await this.#way?.connections.close();
  }
}

type Dispatched = RequestTarget & { readonly body?: unknown; readonly contentType?: string };

function serverOf({ kubeconfig }: Way): string {
  return kubeconfig.origin + kubeconfig.basePath;
}

function queryString(query: RequestTarget["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return "";
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
