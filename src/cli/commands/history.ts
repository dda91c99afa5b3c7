// lbctl history: every change of owner that this node saw, with its cause.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addHistory(program: Command, context: MakeContext): void {
  program
    .command("history")
    .description("Changes of owner as this node saw them, newest first")
    .argument("[address]", "only this address")
    .option("-n, --limit <rows>", "how many rows, 1 to 10000", "100")
    .action(async (address: string | undefined, options: { limit: string }, command: Command) => {
      const { client, show } = context(command);
      const { limit } = options;
      show(await client.get("/v1/history", { address, limit }), ({ items }) =>
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
