// Unix sockets of every kind for tests of the socket API: a server that follows a script, a socket
// whose server is dead, one bare HTTP request, and a look at it all as another user.

import { once } from "node:events";
import { renameSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:http";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { tempDir } from "./temp-dir.ts";

const NOBODY = 65_534;

/** The path of a socket where `script` has each connection; all are closed after the test. */
export async function scriptedServer(
  context: Pick<TestContext, "after">,
  script: (socket: Socket) => void,
): Promise<string> {
  const path = join(tempDir(context), "script.sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    script(socket);
  });
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(path);
  await once(server, "listening");
  return path;
}

/** Makes a socket file on which nobody listens, as a killed daemon leaves it. */
export async function makeDeadSocket(path: string): Promise<void> {
  const server = createServer();
  server.listen(`${path}.live`);
  await once(server, "listening");
  // Closing would remove the file under the name that it was made with.
  renameSync(`${path}.live`, path);
  server.close();
  await once(server, "close");
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** One request on a connection of its own, its JSON answer as it came. */
export async function rawRequest(
  socketPath: string,
  path: string,
  method = "GET",
  body?: string,
): Promise<RawAnswer> {
  const outgoing = request({ socketPath, path, method, agent: false });
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const { statusCode: status, headers } = response;
  return { status, headers, body: await json(response) };
}

/** Calls `act` with the rights of nobody; without root it has no more rights anyway. */
export function asNobody<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act();
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
