// lbd: the daemon. Reads its node file, runs until SIGTERM or SIGINT, and ends with a status of
// sysexits(3) and one clear message when it cannot.

import { hostname } from "node:os";
import { CommanderError } from "commander";
import { nodeFileText } from "../config/node-file-text.ts";
import { AppError, errorText } from "../core/errors.ts";
import { refuseNewer, storedSchema } from "../store/stored-schema.ts";
import { Daemon } from "./daemon.ts";
import { endReason } from "./end-reason.ts";
import { loadNodeFile } from "./load-node-file.ts";
import { createLogger } from "./logger.ts";
import { buildProgram, type ProgramOptions } from "./program.ts";
import { isStartedBySystemd, type StopReason, stopReason } from "./service-manager.ts";

/** sysexits(3): EX_USAGE. */
const EXIT_USAGE = 64;
/** sysexits(3): EX_SOFTWARE. */
const EXIT_SOFTWARE = 70;
/** sysexits(3): EX_TEMPFAIL. The unit starts it anew then (RestartForceExitStatus). */
const EXIT_AGAIN = 75;

async function main(options: ProgramOptions): Promise<void> {
  if (options.printDefault === true) {
    process.stdout.write(nodeFileText());
    return;
  }
  const file = loadNodeFile(options.config, hostname());
  if (options.check === true) {
    // Where the daemon that runs is the newer one: this one must not take its place.
    refuseNewer(file.stateFile, storedSchema(file.stateFile) ?? 0);
    process.stdout.write(`"${options.config}" is valid\n`);
    return;
  }
  const log = createLogger(file.logLevel, { node: file.nodeName });
  const stop = new AbortController();
  const end = (asked: StopReason): void => stop.abort(endReason(asked, options.config, hostname()));
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => void stopReason().then(end));
  }
  // Whoever replaces the daemon says so by this signal: `systemctl reload`, or somebody by hand.
  let isReplaced = false;
  process.on("SIGUSR2", () => {
    isReplaced = true;
    end("restart");
  });
  await new Daemon(file, log).run(stop.signal);
  if (isReplaced && isStartedBySystemd()) process.exitCode = EXIT_AGAIN;
}

/** The message goes where systemd and a terminal show it. */
function fail(thrown: unknown): never {
  // It has printed the message, or the help that was asked for.
  if (thrown instanceof CommanderError) process.exit(thrown.exitCode === 0 ? 0 : EXIT_USAGE);
  const isExpected = thrown instanceof AppError;
  const text = isExpected || !(thrown instanceof Error) ? errorText(thrown) : thrown.stack;
  process.stderr.write(`lbd: ${text}\n`);
  process.exit(isExpected ? thrown.exitStatus : EXIT_SOFTWARE);
}

await buildProgram(main)
  .parseAsync()
  .then(() => process.exit(), fail);
