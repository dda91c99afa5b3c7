// lbctl plan: what would be done, before it is.

import type { Command } from "commander";
import type { ListView, MoveView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addPlan(program: Command, context: MakeContext): void {
  const plan = program.command("plan").description("Shows what a command would do");
  plan
    .command("rebalance")
    .description("Addresses that are not with the node that ranks first for them")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/plan/rebalance"), planText);
    });
}

export function planText({ items }: ListView<MoveView>): string {
  if (items.length === 0) {
    return "Nothing would move: each address is with the best of the nodes that could have it\n";
  }
  return movesTable(items);
}

export function movesTable(items: readonly MoveView[]): string {
  return formatTable(items, [
    { title: "ADDRESS", value: (move) => move.address },
    { title: "FROM", value: (move) => move.from },
    { title: "TO", value: (move) => move.to },
  ]);
}
