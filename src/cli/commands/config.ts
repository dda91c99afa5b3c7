// lbctl config convert: MetalLB's old ConfigMap as custom resources. Asks no daemon.

import type { Command } from "commander";
import { stringify } from "yaml";
import type { ConvertedConfig } from "../../config/legacy-resources.ts";
import { formatProblem } from "../../core/problem.ts";
import type { MakeContext } from "../context.ts";
import { readInput, STDIN } from "../input.ts";

export function addConfig(program: Command, context: MakeContext): void {
  const config = program.command("config").description("What the cluster is configured with");
  config
    .command("convert")
    .description("Prints MetalLB's old ConfigMap (up to 0.12) as the custom resources of today")
    .option("-f, --file <file>", 'the ConfigMap, or the text of its key; "-": stdin', STDIN)
    .option("-n, --namespace <name>", "of the resources; default: the ConfigMap's")
    .action(async (options: { file: string; namespace?: string }, command: Command) => {
      const { show, say, exitWith } = context(command);
      // With its schemas it is larger than the rest of lbctl, whose commands do not wait for it.
      const { legacyResources } = await import("../../config/legacy-resources.ts");
      const converted = legacyResources(readInput(options.file), options.namespace);
      if (!converted.ok) {
        for (const problem of converted.problems) say(formatProblem(problem));
        exitWith(1);
        return;
      }
      for (const notice of converted.value.notices) say(notice);
      show({ apiVersion: "v1", kind: "List", items: converted.value.resources }, documents);
    });
}

function documents({ items }: { items: ConvertedConfig["resources"] }): string {
  return items.map((item) => stringify(item)).join("---\n");
}
