// The command line of lbd as a value. Importing it runs nothing, so that the man page is made from
// what --help prints.

import { Command } from "commander";
import { VERSION } from "../core/version.ts";

export interface ProgramOptions {
  readonly config: string;
  readonly check?: true;
  readonly printDefault?: true;
}

export function buildProgram(run: (options: ProgramOptions) => Promise<void>): Command {
  return new Command("lbd")
    .description("Answers for the external addresses of a bare-metal Kubernetes cluster")
    .version(VERSION)
    .option("--config <file>", "the node file", "/etc/lbd/config.yaml")
    .option("--check", "only say whether lbd can start with the node file and the state file")
    .option("--print-default", "only print a node file with every setting and its default")
    .exitOverride()
    .showHelpAfterError('(see "lbd --help")')
    .action(run);
}
