// lbctl rebalance: hands over, one after the other, the addresses that rank first elsewhere.

import type { Command } from "commander";
import type { ListView, MoveView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { lookUntil } from "../until.ts";
import { movesTable } from "./plan.ts";

/** A move takes some ten milliseconds; they are a tenth of a second apart. */
const TIMEOUT_BASE_MS = 5_000;
const TIMEOUT_EACH_MS = 200;

export function addRebalance(program: Command, context: MakeContext): void {
  program
    .command("rebalance")
    .description('Hand this node\'s part of "lbctl plan rebalance" over, without a gap')
    .action(async (_options: unknown, command: Command) => {
      const { client, show, say, exitWith } = context(command);
      const moves = await client.post("/v1/rebalance", {});
      const waiting = new Set(moves.items.map(({ address }) => address));
      const look = async (): Promise<string[]> => {
        const { items } = await client.get("/v1/vips");
        const here = items.filter((vip) => vip.here === "owning");
        return here.map(({ address }) => address).filter((address) => waiting.has(address));
      };
      const timeoutMs = TIMEOUT_BASE_MS + TIMEOUT_EACH_MS * waiting.size;
      const left = await lookUntil(look, ({ length }) => length === 0, timeoutMs);
      show(moves, rebalanceText);
      if (left.length > 0) {
        const why = `see "lbctl explain ${left[0]}", and run it again`;
        say(`did not move, and still answered here: ${left.join(", ")}; ${why}`);
      }
      exitWith(left.length === 0 ? 0 : 1);
    });
}

function rebalanceText({ items }: ListView<MoveView>): string {
  if (items.length > 0) return movesTable(items);
  return 'Nothing to move from this node; "lbctl plan rebalance" has the moves of all nodes\n';
}
