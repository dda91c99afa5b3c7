// lbctl bootstrap: what the cluster needs for lbd, and this node's credentials. As often as you
// like: what is as it should be stays.

import type { Command } from "commander";
import type { MakeContext } from "../context.ts";
import { NODE_FILE } from "../node-settings.ts";

const HELP = `
Rights that the kubeconfig lacks are listed before anything is changed. The
node's token is renewed by the daemon; it ends with the Node object.
Exit status: 0 done, 1 the daemon does not reach the API yet, 3 the API cannot
be reached, 5 refused: no rights, or this host belongs to another cluster.`;

export function addBootstrap(program: Command, context: MakeContext): void {
  program
    .command("bootstrap")
    .description("Prepare the cluster for lbd, and join this node: on the first node, as root")
    .option("--kubeconfig <file>", "of an administrator; default: KUBECONFIG, or kubectl's own")
    .option("--context <name>", "of the kubeconfig")
    .option("--server <url>", "the API server as this node reaches it")
    .option("--node <name>", "default: as the node file or the host name says")
    .option("--token-life <duration>", "asked for: 1h, 24h; it is renewed in its middle")
    .option("--certificate", "a client certificate instead of a token; nobody renews it")
    .option("--config <file>", "the node file", NODE_FILE)
    .option("--dry-run", "only print the YAML of what the cluster would get")
    .addHelpText("after", HELP)
    .action(async (options: object, command: Command) => {
      // lbctl's other commands do not wait for a client of the Kubernetes API.
      const { bootstrap } = await import("../bootstrap-node.ts");
      await bootstrap(options as Parameters<typeof bootstrap>[0], context(command));
    });
}
