// Serves the status page on the loopback interface, and passes questions on to the daemon's socket.
// Whoever can open the port is not yet whoever may open the socket: a browser has to show the key
// that was printed for it, and pages of other origins are refused.

import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, errorText } from "../core/errors.ts";
import { errnoOf } from "../core/file-error.ts";
import { type PageFile, pageFiles } from "./page-files.ts";

const HOST = "127.0.0.1";
/** What the page asks the daemon. */
const PASSED_ON = new Set([
  ...["/v1/status", "/v1/nodes", "/v1/vips", "/v1/services", "/v1/pools"],
  ...["/v1/history", "/v1/explain", "/v1/events"],
]);
const TIMEOUT_MS = 5_000;

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
} as const;

export interface UiServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Of the daemon. */
  readonly socketPath: string;
  /** What a browser has to show; unguessable. */
  readonly key: string;
}

export class UiServer {
  readonly #options: UiServerOptions;
  readonly #server: Server;
  readonly #files: Readonly<Record<string, PageFile>> = pageFiles();

  constructor(options: UiServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  /** Where the page is, with the key. Throws AppError SOCKET_UNAVAILABLE. */
  async listen(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(this.#options.port, HOST, resolve);
    try {
      await promise;
    } catch (cause) {
      const isTaken = errnoOf(cause) === "EADDRINUSE";
      const why = isTaken
        ? "something listens there; choose another with --port"
        : errorText(cause);
      const message = `Cannot serve the page on ${HOST}:${this.#options.port}: ${why}`;
      throw new AppError("SOCKET_UNAVAILABLE", message, { cause });
    }
    return `http://${HOST}:${this.#port}/?key=${this.#options.key}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #serve(incoming: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const refusal = this.#refusal(incoming);
    if (refusal !== null) return refuse(response, 403, refusal);
    if (incoming.method !== "GET") return refuse(response, 405, "this page only reads");
    const url = URL.parse(incoming.url ?? "/", `http://${HOST}`);
    if (url === null) return refuse(response, 400, "the path cannot be read");
    const key = url.searchParams.get("key");
    if (url.pathname === "/" && key !== null) return this.#signIn(key, response);
    if (!this.#isSignedIn(incoming)) {
      return refuse(response, 401, 'open the address that "lbctl ui" printed, with its key');
    }
    const file = this.#files[url.pathname];
    if (file !== undefined) {
      response.setHeader("content-type", file.type);
      response.end(file.text);
    } else if (PASSED_ON.has(url.pathname)) this.#passOn(incoming, response);
    else refuse(response, 404, "there is no such page");
  }

  /** DNS rebinding comes with another Host, a page of another site with its origin. */
  #refusal({ headers }: IncomingMessage): string | null {
    const names = [HOST, "localhost"].map((name) => `${name}:${this.#port}`);
    if (!names.includes(headers.host ?? "")) {
      return `it is asked for as "${headers.host ?? ""}", and serves ${names.join(" and ")}`;
    }
    const { origin } = headers;
    const isOwn = origin === undefined || names.some((name) => origin === `http://${name}`);
    const site = headers["sec-fetch-site"] ?? "none";
    // Following a link from elsewhere brings no answer to whoever set it.
    const isNavigation = headers["sec-fetch-mode"] === "navigate";
    const isOurs = site === "none" || site === "same-origin" || isNavigation;
    return isOwn && isOurs ? null : "a page of another site asks";
  }

  /** The key leaves the address line, and stays with the browser until it is closed. */
  #signIn(key: string, response: ServerResponse): void {
    if (!this.#isKey(key)) return refuse(response, 401, "that is not the key of this page");
    const cookie = `${this.#cookieName}=${key}; HttpOnly; SameSite=Strict; Path=/`;
    response.writeHead(303, { "set-cookie": cookie, location: "/" });
    response.end();
  }

  #isSignedIn({ headers }: IncomingMessage): boolean {
    const prefix = `${this.#cookieName}=`;
    const cookies = (headers.cookie ?? "").split("; ");
    return cookies.some((one) => one.startsWith(prefix) && this.#isKey(one.slice(prefix.length)));
  }

  /** Cookies know no ports: several of these pages on one host each have their own. */
  get #cookieName(): string {
    return `lbd-ui-${this.#port}`;
  }

  #isKey(text: string): boolean {
    const [given, expected] = [Buffer.from(text), Buffer.from(this.#options.key)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #passOn(incoming: IncomingMessage, response: ServerResponse): void {
    const { socketPath } = this.#options;
    const outgoing = request({ socketPath, path: incoming.url ?? "/", timeout: TIMEOUT_MS });
    outgoing.once("response", (answer) => {
      const { "content-type": type = "application/json" } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, { "content-type": type });
      response.flushHeaders();
      answer.pipe(response);
      answer.once("error", () => response.destroy());
    });
    outgoing.once("timeout", () => {
      if (!response.headersSent) outgoing.destroy(new Error("the daemon does not answer in time"));
    });
    outgoing.once("error", (error) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 502, `the daemon cannot be reached: ${errorText(error)}`);
    });
    response.once("close", () => outgoing.destroy());
    outgoing.end();
  }
}

function refuse(response: ServerResponse, status: number, why: string): void {
  const message = `Cannot show this: ${why}`;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify({ error: { message } })}\n`);
}
