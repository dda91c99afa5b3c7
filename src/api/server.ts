// HTTP+JSON on the unix socket. The file mode admits root and the group; what changes something
// asks the kernel who is at the other end (SO_PEERCRED) and admits root alone.

import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { peerCredentials } from "../../native/index.ts";
import { AppError, errorText } from "../core/errors.ts";
import { errnoOf } from "../core/file-error.ts";
import { VERSION } from "../core/version.ts";
import { EventStreams } from "./event-streams.ts";
import { readBody } from "./read-body.ts";
import type { ApiCommands, ApiSource, Route } from "./routes.ts";
import { ROUTES } from "./routes.ts";
import type { ApiErrorKind } from "./types.ts";
import { SCHEMA } from "./types.ts";

const STATUS_OF: Readonly<Record<ApiErrorKind, number>> = {
  "bad-request": 400,
  forbidden: 403,
  "not-found": 404,
  refused: 409,
  "method-not-allowed": 405,
  internal: 500,
};

export interface ApiServerOptions {
  readonly path: string;
  /** The group that may read; when the system has none of this name, root alone may: `notice`. */
  readonly group: string;
  readonly source: ApiSource;
  readonly commands: ApiCommands;
  /** A handler threw: a bug, told to the log. */
  readonly onError: (error: unknown) => void;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #server: Server;
  readonly #streams: EventStreams;
  #notice: string | null = null;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.#streams = new EventStreams((tell) => options.source.subscribe(tell));
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  /** After `listen()`: why nobody but root may ask, though a group was named; or null. */
  get notice(): string | null {
    return this.#notice;
  }

  /** Throws AppError ALREADY_RUNNING when a daemon answers there, SOCKET_UNAVAILABLE otherwise. */
  async listen(): Promise<void> {
    const { path, group } = this.#options;
    if (await isAnswering(path)) {
      const message = `Cannot listen on "${path}": another lbd on this host answers there`;
      throw new AppError("ALREADY_RUNNING", message);
    }
    try {
      if (!existsSync(dirname(path))) mkdirSync(dirname(path));
      removeStale(path);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
      await promise;
      chmodSync(path, 0o660);
      const gid = groupId(group);
      this.#notice = gid === null ? noGroup(group) : giveToGroup(path, { gid, group });
    } catch (cause) {
      const message = `Cannot listen on "${path}": ${errorText(cause)}`;
      throw new AppError("SOCKET_UNAVAILABLE", message, { cause });
    }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("x-lbd-version", VERSION);
    const url = URL.parse(request.url ?? "/", "http://lbd");
    if (url === null) return sendError(response, "bad-request", "Cannot read the path");
    const routes = ROUTES.filter((candidate) => candidate.path === url.pathname);
    if (routes.length === 0) {
      return sendError(response, "not-found", `Cannot find "${url.pathname}": no such path`);
    }
    const route = routes.find((candidate) => candidate.method === request.method);
    if (route === undefined) {
      const methods = routes.map(({ method }) => method);
      response.setHeader("allow", methods.join(", "));
      const served = `${methods.join(" and ")} ${methods.length === 1 ? "is" : "are"} served`;
      const message = `Cannot ${request.method} "${url.pathname}": only ${served}`;
      return sendError(response, "method-not-allowed", message);
    }
    if (!mayUse(route, request.socket)) {
      const why = "only root may change anything; run it as root";
      const message = `Cannot ${request.method} "${url.pathname}": ${why}`;
      return sendError(response, "forbidden", message);
    }
    if (route.answer.kind === "stream") this.#serveStream(response);
    else void this.#handle(route, url.searchParams, request, response);
  }

  #serveStream(response: ServerResponse): void {
    if (!this.#streams.isFull) return this.#streams.serve(response);
    const message = "Cannot follow the events: too many do already";
    return sendError(response, "refused", message);
  }

  async #handle(
    route: Route,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    try {
      const body = route.method === "GET" ? undefined : await readBody(request);
      if (body instanceof Error) return sendError(response, "bad-request", body.message);
      await this.#options.source.refresh();
      const result = await route.handle(this.#options, { query, body });
      if (result.ok) sendJson(response, 200, result.value);
      else sendError(response, result.kind, result.message);
    } catch (thrown) {
      this.#options.onError(thrown);
      sendError(response, "internal", `Cannot answer: ${errorText(thrown)}`);
    }
  }
}

/** Whether the other end of the socket may use the route; what cannot be asked may not. */
export function mayUse(route: Pick<Route, "access">, socket: Socket): boolean {
  if (route.access === "read") return true;
  const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) return false;
  try {
    return peerCredentials(fd).uid === 0;
  } catch {
    return false;
  }
}

function sendError(response: ServerResponse, kind: ApiErrorKind, message: string): void {
  sendJson(response, STATUS_OF[kind], { schema: SCHEMA, error: { kind, message } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  // First the text, which may throw: once the head is sent, no other answer can be.
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(text);
}

/** A socket left behind by a daemon that was killed. Anything else is not ours to remove. */
function removeStale(path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return;
  if (!entry.isSocket()) throw new Error("there is something else, which is no socket");
  rmSync(path, { force: true });
}

async function isAnswering(path: string): Promise<boolean> {
  const socket = connect(path);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("connect", () => resolve(true));
  // A daemon that hangs, its backlog full, is one, too.
  socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAGAIN"));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** The number of a group in group(5), or null. */
function groupId(name: string): number | null {
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const number = line?.split(":")[2] ?? "";
  return /^\d+$/.test(number) ? Number(number) : null;
}

/** Null: its members may use it. A daemon that is not root's gives only to groups that it is in. */
function giveToGroup(
  path: string,
  { gid, group }: { readonly gid: number; readonly group: string },
): string | null {
  // The daemon's own group already, where it is not root's: it need not be allowed to change any.
  if (lstatSync(path).gid === gid) return null;
  try {
    chownSync(path, process.getuid?.() ?? 0, gid);
    return null;
  } catch (thrown) {
    if (errnoOf(thrown) !== "EPERM") throw thrown;
    const user = userInfo().username;
    return (
      `Cannot let group "${group}" use lbctl: the daemon's user "${user}" is no member of it, so ` +
      `only root may; usermod --append --groups ${group} ${user}`
    );
  }
}

function noGroup(name: string): string {
  return `Cannot let group "${name}" use lbctl: /etc/group has no such group, so only root may`;
}
