// The one way into the daemon, for lbctl and for tests. Whatever goes wrong becomes an AppError
// whose text says what to do.

import { request } from "node:http";
import type { ErrorCode } from "../core/errors.ts";
import { AppError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { EventReader } from "./event-reader.ts";
import type {
  ApiErrorBody,
  ApiErrorKind,
  CommandPath,
  Commands,
  ResourcePath,
  Resources,
  StreamEvent,
} from "./types.ts";
import { ALIVE_EVERY_MS, SCHEMA } from "./types.ts";

/** The daemon answers from memory: later than this it hangs. */
const TIMEOUT_MS = 5_000;

const CODE_OF: Readonly<Record<ApiErrorKind, ErrorCode>> = {
  "not-found": "NOT_FOUND",
  "bad-request": "USAGE",
  "method-not-allowed": "USAGE",
  forbidden: "DAEMON_FORBIDDEN",
  refused: "REFUSED",
  // It runs, and still gives no answer.
  internal: "DAEMON_UNREACHABLE",
};

export class ApiClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, options: { timeoutMs?: number } = {}) {
    this.#socketPath = socketPath;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Throws AppError: DAEMON_UNREACHABLE, DAEMON_FORBIDDEN, DAEMON_TIMEOUT and the like. */
  async get<P extends ResourcePath>(
    path: P,
    query: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Resources[P]> {
    const defined = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]);
    const search = new URLSearchParams(defined).toString();
    const answer = await this.#exchange("GET", search === "" ? path : `${path}?${search}`);
    return contentOf(answer) as Resources[P];
  }

  /** Has the daemon do something. Throws as `get`, and REFUSED when it will not. */
  async post<P extends CommandPath>(
    path: P,
    body: Commands[P]["body"],
  ): Promise<Commands[P]["answer"]> {
    return contentOf(await this.#exchange("POST", path, JSON.stringify(body)));
  }

  /**
   * Calls `tell` for all that happens, until `signal` aborts. Throws as `get`; DAEMON_UNREACHABLE
   * when the daemon ends, DAEMON_TIMEOUT when it says nothing for long.
   */
  async follow(tell: (event: StreamEvent) => void, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const outgoing = request({ socketPath: this.#socketPath, path: "/v1/events" });
    const fail = (error: unknown): void => {
      reject(error);
      outgoing.destroy();
    };
    const timer = setTimeout(() => fail(timeoutError(this.#quietMs)), this.#quietMs);
    signal?.addEventListener("abort", () => {
      resolve();
      outgoing.destroy();
    });
    outgoing.once("close", () => clearTimeout(timer));
    outgoing.on("error", (error) => reject(this.#explain(error)));
    outgoing.once("response", (response) => {
      const reader = new EventReader();
      let refusal = "";
      response.setEncoding("utf8");
      response.on("error", (error) => reject(this.#explain(error)));
      response.on("data", (chunk: string) => {
        timer.refresh();
        if (response.statusCode !== 200) refusal += chunk;
        else attempt(() => reader.take(chunk).forEach(tell), fail);
      });
      response.once("end", () => {
        const version = String(response.headers["x-lbd-version"] ?? "");
        const { statusCode: status = 0 } = response;
        const answer = { status, version, body: refusal };
        if (status === 200)
          reject(this.#explain(Object.assign(new Error(), { code: "ECONNRESET" })));
        else attempt(() => contentOf(answer), reject);
      });
    });
    outgoing.end();
    return promise;
  }

  /** Of a stream: the daemon says that it lives three times in this. */
  get #quietMs(): number {
    return 3 * Math.max(this.#timeoutMs, ALIVE_EVERY_MS);
  }

  #exchange(method: "GET" | "POST", path: string, sent?: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const outgoing = request({ socketPath: this.#socketPath, method, path });
    // For all of the answer: one that drips is late, too.
    const timer = setTimeout(() => {
      const error = timeoutError(this.#timeoutMs);
      reject(error);
      outgoing.destroy(error);
    }, this.#timeoutMs);
    outgoing.once("close", () => clearTimeout(timer));
    outgoing.on("error", (error) => reject(this.#explain(error)));
    outgoing.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", (error) => reject(this.#explain(error)));
      response.once("end", () => {
        const version = String(response.headers["x-lbd-version"] ?? "");
        const body = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, version, body });
      });
    });
    outgoing.end(sent);
    return promise;
  }

  #explain(error: Error): AppError {
    if (error instanceof AppError) return error;
    const path = this.#socketPath;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EACCES" || code === "EPERM") {
      const message = `Cannot open "${path}": run as root, or as a member of the group lbd`;
      return new AppError("DAEMON_FORBIDDEN", message, { cause: error });
    }
    const reason = reasonOf(code ?? "");
    const message =
      `Cannot reach the daemon at "${path}": ${reason}; ` +
      'see "systemctl status lbd", and "journalctl -u lbd" for why it stopped';
    return new AppError("DAEMON_UNREACHABLE", message, { cause: error });
  }
}

function attempt(run: () => void, fail: (thrown: unknown) => void): void {
  try {
    run();
  } catch (thrown) {
    fail(thrown);
  }
}

interface Answer {
  readonly status: number;
  readonly version: string;
  readonly body: string;
}

function contentOf(answer: Answer): never {
  checkVersion(answer.version);
  const body = parse(answer.body);
  if (answer.status === 200) return body as never;
  throw errorOf(body);
}

function reasonOf(code: string): string {
  if (code === "ENOENT") return "there is no such socket";
  if (code.startsWith("HPE_")) return "what answers there does not speak HTTP";
  if (code === "EINVAL" || code === "ENAMETOOLONG") return "the path is too long for a socket";
  return code === "ECONNRESET" ? "it hung up" : "nobody answers on it";
}

function timeoutError(timeoutMs: number): AppError {
  const message =
    `Cannot get an answer from the daemon within ${timeoutMs / 1_000} s; ` +
    'see "journalctl -u lbd", and restart it with "systemctl restart lbd"';
  return new AppError("DAEMON_TIMEOUT", message);
}

function checkVersion(daemon: string): void {
  if (daemon === VERSION) return;
  const shown = daemon === "" ? "of another kind" : daemon;
  const message =
    `Cannot talk to the daemon: it is ${shown} and this lbctl is ${VERSION}; ` +
    'restart it with "systemctl restart lbd" so that both are of one version';
  throw new AppError("VERSION_MISMATCH", message);
}

/** What says that it is of our schema is taken for it. */
function parse(text: string): object {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    const message = "Cannot read the daemon's answer: it is not JSON";
    throw new AppError("DAEMON_UNREACHABLE", message, { cause });
  }
  if (typeof body === "object" && body !== null && "schema" in body) {
    if (body.schema === SCHEMA) return body;
  }
  const message = `Cannot read the daemon's answer: it is not of schema "${SCHEMA}"`;
  throw new AppError("DAEMON_UNREACHABLE", message);
}

function errorOf(body: object): AppError {
  const { kind, message } = (body as Partial<ApiErrorBody>).error ?? {};
  const code = kind === undefined ? undefined : CODE_OF[kind];
  const next = kind === "internal" ? '; see "journalctl -u lbd"' : "";
  return new AppError(code ?? "DAEMON_UNREACHABLE", `${message ?? "Cannot answer"}${next}`);
}
