// A process that lives in the lab. Its pid is that of the command itself: the programs in front of
// it (setpriv, ip netns exec) replace themselves by it, so signals and exit status are the
// command's.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { eventually, GivenUp } from "./eventually.ts";
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  processState,
  signalProcess,
} from "./process-identity.ts";

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface SpawnPlan extends SpawnOptions {
  readonly name: string;
  readonly argv: readonly string[];
  /** Standard output and error, in the order they are written. */
  readonly logFile: string;
  /** False: the process is killed by the kernel when its maker dies, however it dies. */
  readonly outlivesOwner: boolean;
}

const WAIT_MS_DEFAULT = 10_000;
const LOG_TAIL_LINES = 15;

export class LabProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly identity: ProcessIdentity;
  readonly #logStart: number;
  #end: ProcessEnd | null = null;

  constructor(child: ChildProcess, plan: SpawnPlan & { readonly logStart: number }) {
    const identity = child.pid === undefined ? null : identifyProcess(child.pid);
    if (identity === null) throw new Error(`Cannot start '${plan.argv.join(" ")}'`);
    this.name = plan.name;
    this.pid = identity.pid;
    this.logFile = plan.logFile;
    this.identity = identity;
    this.#logStart = plan.logStart;
    child.on("exit", (code, signal) => {
      this.#end = { code, signal };
    });
    // A lab that nobody disposed must not keep its test process from ending and cleaning up.
    child.unref();
  }

  /** How it ended, or null while it runs. */
  get end(): ProcessEnd | null {
    return this.#end;
  }

  get isRunning(): boolean {
    return this.#end === null && isAlive(this.identity);
  }

  /** All that it has printed; not what one of the same name printed before it in the same file. */
  log(): string {
    return readFileSync(this.logFile).subarray(this.#logStart).toString();
  }

  signal(signal: NodeJS.Signals): boolean {
    return signalProcess(this.identity, signal);
  }

  /** Stops it as a whole (SIGSTOP); returns when the kernel says it is stopped. */
  async freeze(): Promise<void> {
    this.signal("SIGSTOP");
    const options = { until: (state: string | null) => state === "T", intervalMs: 1 };
    await eventually(`${this.name} to stop`, () => processState(this.pid), options);
  }

  thaw(): void {
    this.signal("SIGCONT");
  }

  /** Ends it by the signal and waits for the end. Thaws it first unless the signal is SIGKILL. */
  async kill(signal: NodeJS.Signals = "SIGKILL", timeoutMs = WAIT_MS_DEFAULT): Promise<ProcessEnd> {
    this.signal(signal);
    if (signal !== "SIGKILL") this.thaw();
    return this.waitForEnd(timeoutMs);
  }

  async waitForEnd(timeoutMs = WAIT_MS_DEFAULT): Promise<ProcessEnd> {
    const end = await eventually(`${this.name} to end`, () => this.#end, {
      timeoutMs,
      intervalMs: 2,
    });
    return end ?? { code: null, signal: null };
  }

  /** The first match of `pattern` in its output; fails at once when the process ends before. */
  async waitForOutput(pattern: RegExp, timeoutMs = WAIT_MS_DEFAULT): Promise<RegExpExecArray> {
    const what = `${this.name} to print ${pattern}`;
    const check = () => this.whileRunning(what, () => pattern.exec(this.log()));
    const match = await eventually(what, check, { timeoutMs });
    if (match === null) throw new Error(`No match for ${pattern}`);
    return match;
  }

  /** `check()`, or an error with the end of the log when the process has ended. */
  whileRunning<T>(what: string, check: () => T): T {
    if (this.#end === null) return check();
    const how = this.#end.signal ?? `status ${this.#end.code}`;
    const tail = this.log().trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
    throw new GivenUp(`${this.name} ended (${how}) while waiting for ${what}:\n${tail}`);
  }
}

/** Starts the command in the namespace. `ip netns exec` also gives it a /sys of that namespace. */
export function spawnInNamespace(namespace: string, plan: SpawnPlan): LabProcess {
  return spawnLogged({ ...plan, argv: ["ip", "netns", "exec", namespace, ...plan.argv] });
}

/** Starts the command where its maker is. */
export function spawnLogged(plan: SpawnPlan): LabProcess {
  const output = openSync(plan.logFile, "a");
  const logStart = fstatSync(output).size;
  const argv = plan.outlivesOwner ? plan.argv : ["setpriv", "--pdeathsig", "KILL", ...plan.argv];
  const [program = "", ...rest] = argv;
  try {
    const child = spawn(program, rest, {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...plan.env },
      // A session of its own: Ctrl-C on the terminal reaches the maker, who ends it in order.
      detached: true,
      ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
    });
    // Reported by the constructor, which finds no pid.
    child.on("error", () => {});
    return new LabProcess(child, { ...plan, logStart });
  } finally {
    closeSync(output);
  }
}
