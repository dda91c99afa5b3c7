// Serves the metrics over HTTP, to everybody who can reach the address. One that cannot be bound is
// tried again for ever; the rest of the daemon does not depend on it.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../core/errors.ts";

export interface MetricsServerOptions {
  readonly address: string;
  /** 0: nothing is served. */
  readonly port: number;
  /** In the format that the reader asks for by its Accept header. */
  readonly answer: (accept: string) => Promise<{ contentType: string; text: string }>;
  /** Once for each reason why nothing is served, and null when it is again. */
  readonly onProblem: (problem: string | null) => void;
  /** A text could not be made: a bug, told to the log. */
  readonly onError: (error: unknown) => void;
  /** Resolves after that time, or on abort. Missing: by a timer. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const PATH = "/metrics";
/** MetalLB's speaker may hold the port until it is removed. */
const RETRY_MS = 5_000;
/** A few Prometheus servers and a person; each scrape takes time from the main thread. */
const CONNECTIONS_MAX = 16;
/** A client that sends its request more slowly than this is no Prometheus. */
const REQUEST_TIMEOUT_MS = 5_000;

export class MetricsServer {
  readonly name = "metrics";
  readonly #options: MetricsServerOptions;
  #problem: string | null = null;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Why nothing is served though it should be, or null. */
  get problem(): string | null {
    return this.#problem;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (this.#options.port !== 0 && !signal.aborted) {
      const problem = await this.#serveUntilBroken(signal);
      if (problem === null) return;
      this.#setProblem(problem);
      await (this.#options.wait ?? timerWait)(RETRY_MS, signal);
    }
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  /** Resolves with null on abort, otherwise with what is wrong. */
  async #serveUntilBroken(signal: AbortSignal): Promise<string | null> {
    const { address, port } = this.#options;
    const server = this.#createServer();
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const stop = (): void => resolve(null);
    server.on("error", (error) => {
      resolve(`Cannot listen on ${address} port ${port}: ${errorText(error)}`);
    });
    signal.addEventListener("abort", stop);
    server.listen({ host: address, port }, () => this.#setProblem(null));
    const problem = await promise;
    signal.removeEventListener("abort", stop);
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    return problem;
  }

  #createServer(): Server {
    const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
      void this.#answer(request, response);
    });
    server.maxConnections = CONNECTIONS_MAX;
    return server;
  }

  #setProblem(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url, headers } = request;
    if (url?.split("?")[0] !== PATH) {
      return send(response, 404, `Cannot find that: only ${PATH} is served\n`);
    }
    if (method !== "GET") {
      response.setHeader("allow", "GET");
      return send(response, 405, `Cannot ${method} "${PATH}": only GET is served\n`);
    }
    try {
      const { contentType, text } = await this.#options.answer(headers.accept ?? "");
      response.setHeader("content-type", contentType);
      send(response, 200, text);
    } catch (thrown) {
      this.#options.onError(thrown);
      send(response, 500, "Cannot tell the metrics: see the log\n");
    }
  }
}

async function timerWait(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}

function send(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "text/plain");
  response.end(text);
}
