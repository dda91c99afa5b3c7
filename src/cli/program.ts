// lbctl as a value: its commands and options. Importing it runs nothing, so that the man page and
// the completions are made from what --help prints.

import { Command, Option } from "commander";
import { VERSION } from "../core/version.ts";
import { addArp } from "./commands/arp.ts";
import { addBgp } from "./commands/bgp.ts";
import { addBootstrap } from "./commands/bootstrap.ts";
import { addBugreport } from "./commands/bugreport.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDrain } from "./commands/drain.ts";
import { addExplain } from "./commands/explain.ts";
import { addHistory } from "./commands/history.ts";
import { addImport } from "./commands/import.ts";
import { addJoin } from "./commands/join.ts";
import { addLeave } from "./commands/leave.ts";
import { addMove } from "./commands/move.ts";
import { addNodes } from "./commands/nodes.ts";
import { addPlan } from "./commands/plan.ts";
import { addPools } from "./commands/pools.ts";
import { addRebalance } from "./commands/rebalance.ts";
import { addServices } from "./commands/services.ts";
import { addStatus } from "./commands/status.ts";
import { addTop } from "./commands/top.ts";
import { addUi } from "./commands/ui.ts";
import { addUndrain } from "./commands/undrain.ts";
import { addVips } from "./commands/vips.ts";
import { addWatch } from "./commands/watch.ts";
import { contextFor } from "./context.ts";
import { FORMATS } from "./output.ts";

export function buildProgram(): Command {
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
  const read = [
    addStatus,
    addVips,
    addServices,
    addPools,
    addNodes,
    addBgp,
    addHistory,
    addExplain,
    addWatch,
    addTop,
    addUi,
    addArp,
  ];
  const change = [addDrain, addUndrain, addMove, addPlan, addRebalance];
  const member = [addBootstrap, addJoin, addLeave];
  const host = [addDoctor, addBugreport];
  for (const addCommand of [...read, ...change, ...member, ...host, addConfig, addImport])
    addCommand(program, contextFor);
  addCompletion(program);
  for (const command of program.commands) {
    for (const inner of [command, ...command.commands]) inner.exitOverride();
  }
  return program;
}
