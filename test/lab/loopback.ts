// A way from the test process into the lab: a TCP port on 127.0.0.1, forwarded over a unix socket
// (which no network namespace confines) to a port of a host. A connection that the host refuses is
// accepted and closed here; everything else passes as it is.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { LabHost } from "./host.ts";
import { forwardTo } from "./loopback-forward.ts";

const RELAY = join(import.meta.dirname, "loopback-relay.ts");

/** Returns the port on 127.0.0.1. It is open as long as the test process and the host live. */
export async function openOnLoopback(host: LabHost, port: number): Promise<number> {
  const path = join(host.folder, `port-${port}.sock`);
  const relay = host.spawn(`relay-${port}`, [process.execPath, RELAY, path, String(port)]);
  await relay.waitForOutput(/listening/);
  const server = createServer((socket) => forwardTo(socket, { path }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return (server.address() as AddressInfo).port;
}
