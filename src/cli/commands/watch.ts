// lbctl watch: what happens, as it happens.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { StreamEvent } from "../../api/types.ts";
import { unreachable } from "../../core/invariant.ts";
import { isAway } from "../away.ts";
import type { Context, MakeContext } from "../context.ts";

const HELP = `
Each line is one change of owner, or what is wrong whenever that changes. With
-o json each line is one JSON object. It ends when the daemon does; --reconnect
goes on with the next one.`;

/** Between two attempts to reach a daemon that restarts. */
const RETRY_MS = 1_000;

export function addWatch(program: Command, context: MakeContext): void {
  program
    .command("watch")
    .description("What happens, as it happens, until interrupted")
    .argument("[text]", "only changes about it: an address, a node, a cause")
    .option("--reconnect", "wait for the next daemon when this one ends")
    .addHelpText("after", HELP)
    .action((text: string | undefined, options: { reconnect?: true }, command: Command) =>
      watch(text ?? "", options.reconnect === true, context(command)),
    );
}

async function watch(
  text: string,
  mustReconnect: boolean,
  { client, line, say }: Context,
): Promise<void> {
  const tell = (event: StreamEvent): void => {
    if (isAbout(event, text)) line(event, eventText);
  };
  for (;;) {
    try {
      return await client.follow(tell);
    } catch (thrown) {
      if (!mustReconnect || !isAway(thrown)) throw thrown;
      say(`${thrown.message}; trying again`);
      await sleep(RETRY_MS);
    }
  }
}

function isAbout(event: StreamEvent, text: string): boolean {
  if (text === "" || event.type !== "change") return true;
  const { address, node, change, cause } = event.change;
  return [address, node, change, cause].includes(text);
}

export function eventText(event: StreamEvent): string {
  switch (event.type) {
    case "change": {
      const { at, address, change, node, epoch, cause, detail } = event.change;
      const about = `${at} ${address} ${change} ${node ?? "-"} epoch ${epoch}: ${cause}`;
      return `${about}${detail === "" ? "" : `, ${detail}`}`;
    }
    case "health": {
      const what = event.findings.map((finding) => finding.what).join("; ");
      return `health ${event.health}${what === "" ? "" : `: ${what}`}`;
    }
    case "dropped":
      return `${event.count} events are missing here: see "lbctl history"`;
    default:
      return unreachable(event);
  }
}
