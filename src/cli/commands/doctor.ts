// lbctl doctor: what is wrong on this host, with or without the daemon, and how to mend it.

import type { Command } from "commander";
import { wallClock } from "../clock.ts";
import type { Context, MakeContext } from "../context.ts";
import { doctorText } from "../doctor-text.ts";

const HELP = `
Works before the daemon is installed for good, and while it runs or has failed:
what the daemon knows is asked for where it answers. As root, since most of it
is for root to see. Nothing is changed.
Exit status: 0 nothing was found, 1 something was. -o wide shows why what is
well is well.`;

interface Options {
  readonly config: string;
}

export function addDoctor(program: Command, context: MakeContext): void {
  program
    .command("doctor")
    .description("What is wrong on this host, each with its cause and the fix")
    .option("--config <file>", "the node file", "/etc/lbd/config.yaml")
    .addHelpText("after", HELP)
    .action((options: Options, command: Command) =>
      doctor({ ...options, socket: socketOf(command) }, context(command)),
    );
}

/** Null: nobody has named one, so the node file does. */
export function socketOf(command: Command): string | null {
  const isDefault = command.parent?.getOptionValueSource("socket") === "default";
  return isDefault ? null : command.optsWithGlobals<{ socket: string }>().socket;
}

async function doctor(
  { config, socket }: Options & { readonly socket: string | null },
  { show, exitWith }: Context,
): Promise<void> {
  // lbctl's other commands do not wait for a client of the Kubernetes API.
  const [{ gatherFacts }, { diagnose }] = await Promise.all([
    import("../../host-facts/gather.ts"),
    import("../../doctor/doctor.ts"),
  ]);
  const report = diagnose(await gatherFacts({ config, socket, now: wallClock() }));
  show({ schema: "lbd/v1", item: report }, doctorText);
  exitWith(report.findings.length === 0 ? 0 : 1);
}
