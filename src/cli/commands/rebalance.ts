// lbctl rebalance: hands over, one after the other, the addresses that rank first elsewhere.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { lookUntil } from "../until.ts";
import { planText } from "./plan.ts";

/** A move takes some ten milliseconds; they are a tenth of a second apart. */
const TIMEOUT_BASE_MS = 5_000;
const TIMEOUT_EACH_MS = 200;

export function addRebalance(program: Command, context: MakeContext): void {
  program
    .command("rebalance")
    .description('Hand this node\'s part of "lbctl plan rebalance" over, without a gap')
    .action(async (_options: unknown, command: Command) => {
      const { client, show, exitWith } = context(command);
      const moves = await client.post("/v1/rebalance", {});
      const waiting = new Set(moves.items.map(({ address }) => address));
      const look = async () => {
        const { items } = await client.get("/v1/vips");
        return items.filter((vip) => waiting.has(vip.address) && vip.here === "owning").length;
      };
      const timeoutMs = TIMEOUT_BASE_MS + TIMEOUT_EACH_MS * waiting.size;
      const left = await lookUntil(look, (count) => count === 0, timeoutMs);
      show(moves, planText);
      if (left > 0)
        process.stderr.write(`lbctl: ${left} of them did not move; see lbctl history\n`);
      exitWith(left === 0 ? 0 : 1);
    });
}
