// lbctl pools: every pool and how full it is.

import type { Command } from "commander";
import type { FamilyCounts } from "../../api/types.ts";
import { COUNT_MAX } from "../../api/types.ts";
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
          { title: "ASSIGNED", value: (pool) => countsText(pool.assigned) },
          { title: "AVAILABLE", value: (pool) => countsText(pool.available) },
          { title: "WITHHELD", value: (pool) => pool.withheld.length },
          {
            title: "ADVERTISED BY",
            value: (pool) =>
              pool.advertisements.join(",") || "nothing: no L2Advertisement, no BGPAdvertisement",
          },
        ]),
      );
    });
}

/** "11 IPv4, over 9e15 IPv6"; the number alone where the pool has one family. */
export function countsText({ ipv4, ipv6 }: FamilyCounts): string {
  if (ipv6 === null) return ipv4 === null ? "" : countText(ipv4);
  if (ipv4 === null) return countText(ipv6);
  return `${countText(ipv4)} IPv4, ${countText(ipv6)} IPv6`;
}

/** What is capped is said to be more, and not shown as if it were counted. */
function countText(count: number): string {
  return count >= COUNT_MAX ? "over 9e15" : String(count);
}
