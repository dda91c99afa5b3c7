// A Kubernetes API server for tests: real HTTP or HTTPS on 127.0.0.1, objects in memory, watches
// with bookmarks, and faults on demand. Stores whatever it is given: it does not validate objects,
// default fields or run controllers, and its RBAC is a list of what is forbidden.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import {
  type Fault,
  type FaultRule,
  FaultScript,
  sendStatus,
  showFault,
} from "./fake-api-server-faults.ts";
import { FakeApiHandlers } from "./fake-api-server-handlers.ts";
import { parseRoute } from "./fake-api-server-routes.ts";
import {
  FakeStore,
  type JsonObject,
  StatusError,
  type StoredObject,
} from "./fake-api-server-store.ts";
import { FakeWatches, type WatchEnd } from "./fake-api-server-watches.ts";

export interface FakeApiServerOptions {
  /** Serves HTTPS; client certificates are asked for and accepted when the `ca` signed them. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Accepted bearer tokens; everybody is let in when absent. */
  readonly tokens?: string[];
  readonly bookmarkMs?: number;
}

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

export class FakeApiServer {
  readonly store = new FakeStore();
  readonly requests: SeenRequest[] = [];
  /** May be changed while running. */
  tokens: string[] | null;
  readonly #faults = new FaultScript();
  readonly #forbidden: { verb: string; resource: string }[] = [];
  readonly #options: FakeApiServerOptions;
  readonly #watches: FakeWatches;
  readonly #handlers: FakeApiHandlers;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;
  #frozen: (() => void)[] | null = null;

  private constructor(options: FakeApiServerOptions) {
    this.#options = options;
    this.tokens = options.tokens ?? null;
    this.#watches = new FakeWatches(this.store, { bookmarkMs: options.bookmarkMs ?? 1_000 });
    this.#handlers = new FakeApiHandlers(this.store);
  }

  static async start(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
    const server = new FakeApiServer(options);
    await server.listen();
    return server;
  }

  get url(): string {
    return `${this.#options.tls ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  /** Starts again after stop(), on the same port and with the same objects. */
  async listen(): Promise<void> {
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch((thrown: unknown) => sendThrown(response, thrown));
    };
    const { tls } = this.#options;
    const server = tls
      ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, handle)
      : createServer(handle);
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    const port = this.#port;
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Cuts all connections and refuses new ones. */
  async stop(): Promise<void> {
    this.thaw();
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    this.#watches.endAll("cut");
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Creates or replaces, whatever the version; returns the object as stored. */
  put(path: string, object: JsonObject & { metadata: JsonObject & { name: string } }) {
    const route = parseRoute(path);
    if (route === null) throw new Error(`no such resource: ${path}`);
    return this.#handlers.put(route, object as StoredObject);
  }

  remove(path: string): void {
    const route = parseRoute(path);
    if (route !== null) this.store.delete(route.ref);
  }

  /** The object at this path, or null. */
  get(path: string): StoredObject | null {
    const route = parseRoute(path);
    return route !== null && this.store.has(route.ref) ? this.store.get(route.ref) : null;
  }

  fault(rule: FaultRule): void {
    this.#faults.add(rule);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** 403 from now on for this verb ("*" = all) on this resource. */
  forbid(verb: string, resource: string): void {
    this.#forbidden.push({ verb, resource });
  }

  /** Forgets the history: open watches go on, older versions get 410. */
  compact(): void {
    this.store.compact();
    this.#handlers.expirePages();
  }

  dropWatches(end: WatchEnd = "cut"): void {
    this.#watches.endAll(end);
  }

  sendBookmarks(): void {
    this.#watches.bookmark();
  }

  /** Takes connections and requests and answers nothing, as a stopped process does. */
  freeze(): void {
    this.#frozen ??= [];
    this.#watches.paused = true;
  }

  thaw(): void {
    const waiting = this.#frozen ?? [];
    this.#frozen = null;
    this.#watches.paused = false;
    for (const resume of waiting) resume();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request);
    const url = new URL(request.url ?? "/", "http://fake");
    const method = request.method ?? "GET";
    const watch = url.searchParams.get("watch") === "true";
    this.requests.push({ method, url: request.url ?? "/", headers: request.headers, body });
    if (this.#frozen !== null) {
      await new Promise<void>((resume) => this.#frozen?.push(resume));
    }
    const fault = this.#faults.take({ method, url: request.url ?? "/", watch });
    if (fault !== null && !(await showFault(fault, response))) return;
    this.#authenticate(request);
    const route = parseRoute(url.pathname);
    if (route === null) throw new StatusError(404, "NotFound", "no such path");
    this.#authorize({ method, watch, single: route.single, ...named(route) });
    if (watch) {
      this.#watches.open(route, url.searchParams, response);
      return;
    }
    const answer = this.#handlers.answer({ method, route, query: url.searchParams, body });
    this.#send(response, answer, fault);
  }

  #send(
    response: ServerResponse,
    answer: { status: number; body: unknown },
    fault: Fault | null,
  ): void {
    if (fault?.kind === "lost-answer") {
      response.socket?.destroy();
      return;
    }
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer.body));
  }

  #authenticate(request: IncomingMessage): void {
    if (this.tokens === null) return;
    const socket = request.socket as Socket & { authorized?: boolean };
    if (socket.authorized === true) return;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined || !this.tokens.includes(token)) {
      throw new StatusError(401, "Unauthorized", "Unauthorized");
    }
  }

  #authorize(asked: { method: string; watch: boolean; single: boolean; resource: string }): void {
    const verb = verbOf(asked);
    const denied = this.#forbidden.some(
      (rule) => rule.resource === asked.resource && (rule.verb === "*" || rule.verb === verb),
    );
    if (!denied) return;
    const text = `User "lbd" cannot ${verb} resource "${asked.resource}"`;
    throw new StatusError(403, "Forbidden", `${asked.resource} is forbidden: ${text}`);
  }
}

function named(route: { resource: string; subresource: string }): { resource: string } {
  const { resource, subresource } = route;
  return { resource: subresource === "" ? resource : `${resource}/${subresource}` };
}

function verbOf(asked: { method: string; watch: boolean; single: boolean }): string {
  if (asked.watch) return "watch";
  if (asked.method === "GET") return asked.single ? "get" : "list";
  const verbs: Record<string, string> = { POST: "create", PUT: "update", PATCH: "patch" };
  return verbs[asked.method] ?? "delete";
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? null : (JSON.parse(text) as unknown);
}

function sendThrown(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const error =
    thrown instanceof StatusError ? thrown : new StatusError(500, "InternalError", String(thrown));
  const { code: status, reason, message } = error;
  sendStatus(response, { status, reason, message });
}
