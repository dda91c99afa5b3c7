// lbctl undrain: the node may own addresses again; nothing moves back by itself.

import type { Command } from "commander";
import type { DrainView, ItemView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";

export function addUndrain(program: Command, context: MakeContext): void {
  program
    .command("undrain")
    .description("Let this node own addresses again (nothing moves back by itself)")
    .action(async (_options: unknown, command: Command) => {
      const { client, show, exitWith } = context(command);
      const answer = await client.post("/v1/undrain", {});
      show(answer, undrainText);
      exitWith(answer.item.draining ? 1 : 0);
    });
}

function undrainText({ item }: ItemView<DrainView>): string {
  const { node, cause } = item;
  if (cause === "cordoned") {
    return `${node} stays drained, as its Node is cordoned: kubectl uncordon ${node}\n`;
  }
  return (
    `${node} is not drained: it may own addresses. ` +
    'Nothing moves back by itself; "lbctl plan rebalance" shows what could.\n'
  );
}
