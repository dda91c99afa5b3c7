// lbctl history: every change of owner that this node saw, with its cause.

import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../../config/duration.ts";
import { wallClock } from "../clock.ts";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addHistory(program: Command, context: MakeContext): void {
  program
    .command("history")
    .description("Changes of owner as this node saw them, newest first")
    .argument("[address]", "only this address")
    .option("--vip <address>", "the same")
    .option("-n, --limit <rows>", "how many rows, 1 to 10000", "100")
    .option("--node <name>", "only rows about this node")
    .option("--since <time>", "only rows since then: 90s, 2h30m, or 2026-01-31T09:10:00Z", sinceOf)
    .action(async (address: string | undefined, options: Options, command: Command) => {
      const { client, show } = context(command);
      const { limit, node, since, vip = address } = options;
      show(await client.get("/v1/history", { address: vip, node, since, limit }), ({ items }) =>
        formatTable(items, [
          { title: "AT", value: (row) => row.at },
          { title: "ADDRESS", value: (row) => row.address },
          { title: "CHANGE", value: (row) => row.change },
          { title: "NODE", value: (row) => row.node ?? "-" },
          { title: "EPOCH", value: (row) => row.epoch },
          { title: "CAUSE", value: (row) => row.cause },
          { title: "DETAIL", value: (row) => row.detail },
        ]),
      );
    });
}

interface Options {
  readonly limit: string;
  readonly vip?: string;
  readonly node?: string;
  readonly since?: string;
}

/** A point in time, from one or from a duration until now. */
function sinceOf(text: string): string {
  const duration = parseDuration(text);
  const at = duration === null ? Date.parse(text) : wallClock() - duration;
  if (Number.isNaN(at)) {
    throw new InvalidArgumentError("Expected a duration (90s, 2h30m) or a time (RFC 3339).");
  }
  return new Date(at).toISOString();
}
