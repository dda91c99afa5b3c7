// lbctl nodes: every node, whether lbd runs there, and what it owns.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addNodes(program: Command, context: MakeContext): void {
  program
    .command("nodes")
    .description("Every node, whether it takes part, and how many addresses it owns")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/nodes"), ({ items }) =>
        formatTable(items, [
          { title: "NODE", value: (node) => node.node },
          { title: "MEMBER", value: (node) => node.member },
          { title: "DAEMON", value: (node) => node.daemon ?? "-" },
          { title: "OWNED", value: (node) => node.owned },
          { title: "EXCLUDED", value: (node) => node.excluded ?? "-" },
        ]),
      );
    });
}
