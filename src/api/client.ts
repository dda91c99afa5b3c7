// The one way into the daemon, for lbctl and for tests. Whatever goes wrong becomes an AppError
// whose text says what to do.

import { request } from "node:http";
import { AppError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import type { ApiErrorBody, ResourcePath, Resources } from "./types.ts";

/** The daemon answers from memory: later than this it hangs. */
const TIMEOUT_MS = 5_000;

export class ApiClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Throws AppError: DAEMON_UNREACHABLE, DAEMON_FORBIDDEN, DAEMON_TIMEOUT, VERSION_MISMATCH, .... */
  async get<P extends ResourcePath>(
    path: P,
    query: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Resources[P]> {
    const defined = Object.entries(query).filter((pair): pair is [string, string] => !!pair[1]);
    const search = new URLSearchParams(defined).toString();
    const answer = await this.#exchange(search === "" ? path : `${path}?${search}`);
    checkVersion(answer.version);
    if (answer.status === 200) return parse<Resources[P]>(answer.body);
    const { kind, message } = parse<ApiErrorBody>(answer.body).error;
    throw new AppError(kind === "not-found" ? "NOT_FOUND" : "USAGE", message);
  }

  #exchange(path: string): Promise<{ status: number; version: string; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      status: number;
      version: string;
      body: string;
    }>();
    const outgoing = request({ socketPath: this.#socketPath, path, timeout: TIMEOUT_MS });
    outgoing.once("timeout", () => outgoing.destroy(timeoutError()));
    outgoing.once("error", (error) => reject(this.#explain(error)));
    outgoing.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", (error) => reject(this.#explain(error)));
      response.once("end", () => {
        const version = String(response.headers["x-lbd-version"] ?? "");
        const body = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, version, body });
      });
    });
    outgoing.end();
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
    const reason = code === "ENOENT" ? "there is no such socket" : "nobody answers on it";
    const message =
      `Cannot reach the daemon at "${path}": ${reason}; ` +
      'see "systemctl status lbd", and "journalctl -u lbd" for why it stopped';
    return new AppError("DAEMON_UNREACHABLE", message, { cause: error });
  }
}

function timeoutError(): AppError {
  const message =
    `Cannot get an answer from the daemon within ${TIMEOUT_MS / 1_000} s; ` +
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

function parse<T>(body: string): T {
  try {
    return JSON.parse(body) as T;
  } catch (cause) {
    const message = "Cannot read the daemon's answer: it is not JSON";
    throw new AppError("DAEMON_UNREACHABLE", message, { cause });
  }
}
