// lbctl: asks the daemon of this host what it does and why. Exit status: 0 ok, 1 degraded or a
// negative answer, 2 usage, 3 daemon unreachable, 4 not found, 5 refused, 6 timeout.

import { Command, CommanderError, Option } from "commander";
import { AppError, errorText } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { addConfig } from "./commands/config.ts";
import { addDrain } from "./commands/drain.ts";
import { addExplain } from "./commands/explain.ts";
import { addHistory } from "./commands/history.ts";
import { addImport } from "./commands/import.ts";
import { addMove } from "./commands/move.ts";
import { addNodes } from "./commands/nodes.ts";
import { addPlan } from "./commands/plan.ts";
import { addPools } from "./commands/pools.ts";
import { addRebalance } from "./commands/rebalance.ts";
import { addServices } from "./commands/services.ts";
import { addStatus } from "./commands/status.ts";
import { addUndrain } from "./commands/undrain.ts";
import { addVips } from "./commands/vips.ts";
import { contextFor } from "./context.ts";
import { FORMATS } from "./output.ts";

const EXIT_USAGE = 2;

function buildProgram(): Command {
  const program = new Command("lbctl")
    .description("Asks the lbd daemon of this host what it does and why")
    .version(VERSION)
    .addOption(
      new Option("-o, --output <format>", "how to print").choices(FORMATS).default("table"),
    )
    .addOption(
      new Option("--socket <path>", "the daemon's socket")
        .env("LBD_SOCKET")
        .default("/run/lbd/lbd.sock"),
    )
    .exitOverride()
    .showHelpAfterError('(see "lbctl --help")');
  const read = [addStatus, addVips, addServices, addPools, addNodes, addHistory, addExplain];
  const change = [addDrain, addUndrain, addMove, addPlan, addRebalance];
  for (const addCommand of [...read, ...change, addConfig, addImport])
    addCommand(program, contextFor);
  for (const command of program.commands) {
    for (const inner of [command, ...command.commands]) inner.exitOverride();
  }
  return program;
}

function exitStatusOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : EXIT_USAGE;
  process.stderr.write(`lbctl: ${errorText(thrown)}\n`);
  return thrown instanceof AppError ? thrown.exitStatus : 1;
}

// A reader that stops early ("lbctl history | head") is no error, and changes no exit status.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await buildProgram().parseAsync();
} catch (thrown) {
  process.exitCode = exitStatusOf(thrown);
}
