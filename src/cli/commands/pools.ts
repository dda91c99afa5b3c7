// lbctl pools: every pool and how full it is.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addPools(program: Command, context: MakeContext): void {
  program
    .command("pools")
    .description("Every IPAddressPool and how full it is")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/pools"), ({ items }) =>
        formatTable(items, [
          { title: "POOL", value: (pool) => pool.pool },
          { title: "ADDRESSES", value: (pool) => pool.addresses.join(",") },
          { title: "AUTO-ASSIGN", value: (pool) => (pool.autoAssign ? "yes" : "no") },
          { title: "ASSIGNED", value: (pool) => pool.assigned },
          { title: "AVAILABLE", value: (pool) => pool.available },
          { title: "WITHHELD", value: (pool) => pool.withheld.length },
          {
            title: "ADVERTISED BY",
            value: (pool) => pool.advertisements.join(",") || "nothing: no L2Advertisement",
          },
        ]),
      );
    });
}
