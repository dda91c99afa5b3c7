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
    .description(
      "Hand an address, and the other of its Service, over to another node, without a gap",
    )
    .argument("<address>", "an address that this node answers for")
    .argument("<node>", "the node that should")
    .action(async (address: string, node: string, _options: unknown, command: Command) => {
      const { client, show, say } = context(command);
      const answer = await client.post("/v1/move", { address, node });
      const { from } = answer.item;
      const look = async (): Promise<Place> => {
        const { items } = await client.get("/v1/vips");
        const vip = items.find((candidate) => candidate.address === answer.item.address);
        return { owner: vip?.owner ?? null, isHere: vip?.here === "owning" };
      };
      const isOver = ({ owner, isHere }: Place): boolean =>
        owner === node || (owner !== from && !isHere);
      const { owner, isHere } = await lookUntil(look, isOver, TIMEOUT_MS);
      const problem = whyNotMoved({ owner, isHere }, { from, to: node });
      if (problem !== null) {
        const message =
          `Cannot move ${address} to "${node}": ${problem}; ` +
          `see "lbctl explain ${address}", and "journalctl -u lbd" on ${node}`;
        throw new AppError("REFUSED", message);
      }
      show(answer, moveText);
      if (owner !== node) say(`its Lease still names ${from}: see "lbctl status"`);
    });
}

/** Where an address is: by its Lease, and whether this node answers for it. */
interface Place {
  readonly owner: string | null;
  readonly isHere: boolean;
}

/** Who hands over goes on until it hears that the other answers, be the Lease written or not. */
function whyNotMoved(
  { owner, isHere }: Place,
  { from, to }: { readonly from: string; readonly to: string },
): string | null {
  if (owner === to) return null;
  if (isHere) return `it did not take it, and "${from}" goes on`;
  if (owner === from) return null;
  return owner === null ? "nobody has it now" : `"${owner}" has taken it instead`;
}

function moveText({ item }: ItemView<MoveView>): string {
  return `${item.address} has moved from ${item.from} to ${item.to}\n`;
}
