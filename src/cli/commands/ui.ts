// lbctl ui: the status page, on this host's loopback interface, until interrupted.

import { randomBytes } from "node:crypto";
import { type Command, InvalidArgumentError } from "commander";
import { UiServer } from "../../ui/server.ts";
import type { MakeContext } from "../context.ts";

const PORT = 7_475;
const PORT_MAX = 65_535;
const KEY_BYTES = 24;

const HELP = `
The page is for whoever has the address with its key, on this host only. To see
it from another one, forward the same port: ssh -L 7475:127.0.0.1:7475 NODE`;

export function addUi(program: Command, context: MakeContext): void {
  program
    .command("ui")
    .description("A page that shows who answers for what, and what happens, until interrupted")
    .option("-p, --port <port>", "on 127.0.0.1; 0: any that is free", portOf, PORT)
    .addHelpText("after", HELP)
    .action(async ({ port }: { port: number }, command: Command) => {
      const { client, write, say } = context(command);
      // Whoever may not open the socket learns it here.
      await client.get("/v1/status");
      const { socket: socketPath } = command.optsWithGlobals<{ socket: string }>();
      const key = randomBytes(KEY_BYTES).toString("base64url");
      const server = new UiServer({ port, socketPath, key });
      write(`${await server.listen()}\n`);
      say("serving until interrupted (Ctrl-C)");
      await new Promise<void>((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
      });
      await server.close();
    });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Expected a port, 0 to ${PORT_MAX}.`);
}
