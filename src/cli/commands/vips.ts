// lbctl vips: every external address and who answers for it.

import type { Command } from "commander";
import type { VipView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addVips(program: Command, context: MakeContext): void {
  program
    .command("vips")
    .description("Every external address, its owner and its epoch")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/vips"), ({ items }) =>
        formatTable(items, [
          { title: "ADDRESS", value: (vip) => vip.address },
          { title: "OWNER", value: ownerText },
          { title: "EPOCH", value: (vip) => vip.epoch },
          { title: "POOL", value: (vip) => vip.pool },
          { title: "SERVICES", value: (vip) => vip.services.join(",") },
          { title: "HERE", value: (vip) => vip.here },
          { title: "INTERFACES", value: (vip) => vip.interfaces.join(",") },
          { title: "ANSWERED", value: (vip) => vip.answered ?? "-" },
        ]),
      );
    });
}

/** What is announced by BGP needs nobody who answers on a segment. */
function ownerText({ owner, bgp }: VipView): string {
  return owner ?? (bgp.length > 0 ? "by BGP" : "nobody");
}
