// lbctl move: hands one address over to a node of one's choice, and waits for it.

import type { Command } from "commander";
import type { ItemView, MoveView } from "../../api/types.ts";
import { AppError } from "../../core/errors.ts";
import type { MakeContext } from "../context.ts";
import { lookUntil } from "../until.ts";

/** An offer stands for a second, and the record follows. */
const TIMEOUT_MS = 5_000;

export function addMove(program: Command, context: MakeContext): void {
  program
    .command("move")
    .description("Hand an address of this node over to another node, without a gap")
    .argument("<address>", "an address that this node answers for")
    .argument("<node>", "the node that should")
    .action(async (address: string, node: string, _options: unknown, command: Command) => {
      const { client, show } = context(command);
      const answer = await client.post("/v1/move", { address, node });
      const ownerOf = async (): Promise<string | null> => {
        const { items } = await client.get("/v1/vips");
        return items.find((vip) => vip.address === answer.item.address)?.owner ?? null;
      };
      const owner = await lookUntil(ownerOf, (name) => name === node, TIMEOUT_MS);
      if (owner !== node) {
        const message =
          `Cannot move ${address} to "${node}": it did not take it, and "${answer.item.from}" ` +
          `goes on; see "lbctl explain ${address}", and "journalctl -u lbd" on ${node}`;
        throw new AppError("REFUSED", message);
      }
      show(answer, moveText);
    });
}

function moveText({ item }: ItemView<MoveView>): string {
  return `${item.address} has moved from ${item.from} to ${item.to}\n`;
}
