// Runs a program of the host to its end and says what it printed, or why there is nothing.

import { execFile } from "node:child_process";
import { type Known, known, unknown } from "../doctor/facts.ts";

/** A program that hangs, as on a dead disk, is left behind. */
const TIMEOUT_MS = 5_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Where administrators' programs lie; a user's PATH may lack it. */
const PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin";

export interface ToolOptions {
  readonly timeoutMs?: number;
  /** Exit statuses that are no failure; default: 0. */
  readonly statuses?: readonly number[];
}

export function tool(argv: readonly string[], options: ToolOptions = {}): Promise<Known<string>> {
  const [program = "", ...rest] = argv;
  const { promise, resolve } = Promise.withResolvers<Known<string>>();
  const limits = { timeout: options.timeoutMs ?? TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  // In words that are known: a translated "yes" is not.
  const env = { PATH: `${process.env.PATH ?? ""}:${PATH}`, LC_ALL: "C" };
  execFile(program, rest, { ...limits, env, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
    const status = error?.code ?? 0;
    if ((options.statuses ?? [0]).includes(status as number)) return resolve(known(stdout));
    resolve(unknown(whyFailed(program, { status, wasKilled: error?.killed === true, stderr })));
  });
  return promise;
}

function whyFailed(
  program: string,
  what: { readonly status: unknown; readonly wasKilled: boolean; readonly stderr: string },
): string {
  if (what.status === "ENOENT") return `${program} is not installed`;
  if (what.wasKilled) return `${program} does not end`;
  const said = what.stderr.trim().split("\n")[0] ?? "";
  return `${program} ended with ${String(what.status)}${said === "" ? "" : `: ${said}`}`;
}
