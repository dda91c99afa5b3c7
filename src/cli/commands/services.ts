// lbctl services: every Service of type LoadBalancer with its addresses.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

export function addServices(program: Command, context: MakeContext): void {
  program
    .command("services")
    .description("Every Service of type LoadBalancer, its addresses and their owners")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/services"), ({ items }) =>
        formatTable(items, [
          { title: "SERVICE", value: (service) => service.service },
          { title: "ADDRESSES", value: (service) => service.addresses.join(",") || "pending" },
          { title: "POOL", value: (service) => service.pool ?? "-" },
          { title: "OWNERS", value: (s) => s.owners.map((owner) => owner ?? "nobody").join(",") },
          { title: "REQUESTED", value: (service) => service.requested.join(",") },
          { title: "PENDING", value: (service) => service.pending ?? "-" },
        ]),
      );
    });
}
