// lbctl join: this node's credentials, for a cluster that was bootstrapped on another node; or,
// with --print, those of a node that has no administrator's kubeconfig, for its own lbctl join.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { NODE_FILE } from "../node-settings.ts";

const HELP = `
Where only the first node has an administrator's kubeconfig, run there:
  sudo lbctl join --print node2 --server https://HOST:6443 |
    ssh node2 sudo lbctl join -
Exit status: 0 done, 1 the daemon does not reach the API yet, 3 the API cannot
be reached, 5 refused: no rights, or this host belongs to another cluster.`;

export function addJoin(program: Command, context: MakeContext): void {
  program
    .command("join")
    .description("Join this node to a cluster that was bootstrapped: on further nodes, as root")
    .argument("[credentials]", 'a file that "lbctl join --print" printed; "-": stdin')
    .option("--kubeconfig <file>", "of an administrator; default: KUBECONFIG, or kubectl's own")
    .option("--context <name>", "of the kubeconfig")
    .option("--server <url>", "the API server as the node reaches it")
    .option("--node <name>", "default: as the node file or the host name says")
    .option("--token-life <duration>", "asked for: 1h, 24h; it is renewed in its middle")
    .option("--certificate", "a client certificate instead of a token; nobody renews it")
    .option("--print <node>", "print the credentials of another node, and change nothing here")
    .option("--config <file>", "the node file", NODE_FILE)
    .addHelpText("after", HELP)
    .action(async (file: string | undefined, options: object, command: Command) => {
      const { join } = await import("../join-node.ts");
      await join(file, options as Parameters<typeof join>[1], context(command));
    });
}
