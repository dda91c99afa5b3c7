// lbctl leave: takes this node out of the cluster: its addresses go to others, then its daemon
// stops, then what the cluster has of it and what it has of the cluster are removed.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { NODE_FILE } from "../node-settings.ts";

const HELP = `
Without an administrator's kubeconfig the node removes what it may, its Lease,
and prints the commands for the rest. The node file stays.
Exit status: 0 done, 1 addresses are left here and nothing was removed, 3 the
API cannot be reached, 5 refused.`;

export function addLeave(program: Command, context: MakeContext): void {
  program
    .command("leave")
    .description("Take this node out of the cluster: drain, stop, remove its account and files")
    .option("--kubeconfig <file>", "of an administrator, who may remove the node's account")
    .option("--context <name>", "of the kubeconfig")
    .option("--server <url>", "the API server as this node reaches it")
    .option("--force", "leave even when no other node takes an address, or the API is away")
    .option("--timeout <seconds>", "how long to wait for others to take the addresses", "30")
    .option("--config <file>", "the node file", NODE_FILE)
    .addHelpText("after", HELP)
    .action(async (options: object, command: Command) => {
      const { leave } = await import("../leave-node.ts");
      await leave(options as Parameters<typeof leave>[0], context(command));
    });
}
