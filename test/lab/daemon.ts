// The daemon under test on a node of the lab, with configuration, state and socket in the node's
// own folder, and `lbctl` to ask it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { CommandResult } from "./command.ts";
import { eventually } from "./eventually.ts";
import type { LabHost } from "./host.ts";
import type { LabProcess } from "./lab-process.ts";

export interface DaemonOptions {
  /** Path of the kubeconfig file. */
  readonly kubeconfig: string;
  /** Keys of the node file that differ from the lab's. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A program to start it through, with its arguments: `unshare ...`. It must exec in the end. */
  readonly through?: readonly string[];
  /** Arguments of node before the program, for example `--inspect`. */
  readonly nodeArguments?: readonly string[];
  /** Default: src/daemon/main.ts. A bundle, for example, is another. */
  readonly program?: string;
  /** False: returns as soon as the process is started. */
  readonly waitUntilReady?: boolean;
}

const REPOSITORY = join(import.meta.dirname, "../..");
const DAEMON_MAIN = join(REPOSITORY, "src/daemon/main.ts");
const CLI_MAIN = join(REPOSITORY, "src/cli/main.ts");
const READY_MS_MAX = 20_000;

export class LabDaemon {
  readonly node: LabHost;
  readonly process: LabProcess;
  readonly configFile: string;
  readonly socket: string;

  constructor(node: LabHost, started: { process: LabProcess; configFile: string; socket: string }) {
    this.node = node;
    this.process = started.process;
    this.configFile = started.configFile;
    this.socket = started.socket;
  }

  /** Runs `lbctl` against this daemon; its exit status is part of the result. */
  lbctl(argv: readonly string[], timeoutMs = 10_000): Promise<CommandResult> {
    const command = [process.execPath, CLI_MAIN, "--socket", this.socket, ...argv];
    return this.node.tryRun(command, { timeoutMs });
  }

  /** Asks the daemon over its socket. Throws when it does not answer. */
  async get(path: string): Promise<{ status: number; body: string }> {
    const url = `http://lbd${path}`;
    const argv = ["curl", "-sS", "--max-time", "2", "--unix-socket", this.socket, url];
    const { code, stdout, stderr } = await this.node.tryRun([...argv, "-w", "\n%{http_code}"]);
    if (code !== 0) throw new Error(`Cannot ask ${this.process.name}: ${stderr.trim()}`);
    const split = stdout.lastIndexOf("\n");
    return { status: Number(stdout.slice(split + 1)), body: stdout.slice(0, split) };
  }

  /** What a list of its API has; a tenth of what `lbctl` takes. Throws like `get`. */
  async items<T>(path: string): Promise<T[]> {
    return (JSON.parse((await this.get(path)).body) as { items: T[] }).items;
  }

  /** Until the socket answers; fails with the end of the log when the daemon ends instead. */
  async waitUntilReady(timeoutMs = READY_MS_MAX): Promise<void> {
    const what = `${this.process.name} to answer on its socket`;
    await eventually(what, () => this.process.whileRunning(what, () => this.get("/")), {
      timeoutMs,
    });
  }

  freeze(): Promise<void> {
    return this.process.freeze();
  }

  thaw(): void {
    this.process.thaw();
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.process.kill(signal);
  }
}

/** Writes the node file and starts the daemon. State is kept between starts on the same node. */
export async function startDaemon(node: LabHost, options: DaemonOptions): Promise<LabDaemon> {
  const configFile = join(node.folder, "config.yaml");
  const config = {
    nodeName: node.name,
    kubeconfig: options.kubeconfig,
    namespace: "metallb-system",
    systemNamespace: "lbd-system",
    stateFile: join(node.folder, "state.db"),
    socket: join(node.folder, "lbd.sock"),
    socketGroup: "root",
    logLevel: "debug",
    ...options.config,
  };
  writeFileSync(configFile, stringify(config));
  const argv = [
    ...(options.nodeArguments ?? []),
    options.program ?? DAEMON_MAIN,
    "--config",
    configFile,
  ];
  const env = options.env === undefined ? {} : { env: options.env };
  const command = [...(options.through ?? []), process.execPath, ...argv];
  const daemonProcess = node.spawn("lbd", command, env);
  const started = { process: daemonProcess, configFile, socket: config.socket };
  const daemon = new LabDaemon(node, started);
  if (options.waitUntilReady !== false) await daemon.waitUntilReady();
  return daemon;
}
