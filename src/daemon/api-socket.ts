// The socket that lbctl asks, as the node file has it.

import type { ApiCommands, ApiSource } from "../api/routes.ts";
import { ApiServer } from "../api/server.ts";
import type { NodeFile } from "../config/node-file.ts";
import type { Logger } from "./logger.ts";

/** Listens already. */
export async function listen(
  { socket, socketGroup }: Pick<NodeFile, "socket" | "socketGroup">,
  log: Pick<Logger, "error" | "warn">,
  answers: { readonly source: ApiSource; readonly commands: ApiCommands },
): Promise<ApiServer> {
  const server = new ApiServer({
    ...{ path: socket, group: socketGroup, ...answers },
    onError: (error) => log.error({ event: "api-handler", err: error }, "handler failed"),
  });
  await server.listen();
  if (server.notice !== null) log.warn({ event: "api-socket" }, server.notice);
  return server;
}
