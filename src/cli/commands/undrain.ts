// lbctl undrain: the node may own addresses again; nothing moves back by itself.

import type { Command } from "commander";
import type { DrainView, ItemView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { drainText } from "./drain.ts";

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

function undrainText(answer: ItemView<DrainView>): string {
  if (answer.item.cause !== "cordoned") return drainText(answer);
  const { node } = answer.item;
  return `${node} stays drained, as its Node is cordoned: kubectl uncordon ${node}\n`;
}
