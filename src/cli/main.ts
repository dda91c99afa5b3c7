// lbctl: asks the daemon of this host what it does and why. Exit status: 0 ok, 1 degraded or a
// negative answer, 2 usage, 3 daemon unreachable, 4 not found, 5 refused, 6 timeout.

import { CommanderError } from "commander";
import { AppError, errorText } from "../core/errors.ts";
import { buildProgram } from "./program.ts";

const EXIT_USAGE = 2;

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
