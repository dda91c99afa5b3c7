// A small Debian with a real systemd, booted from an image that it does not change: what it writes
// lies in memory and is gone with it. It has no network but loopback, or that of a host of a lab.
// Removed by dispose, when its maker ends, or, after a SIGKILL, by the next lab or container that
// is made.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cgroupFolders, makeCgroups } from "./cgroup.ts";
import { removedAlready, removeOnExit, removeRecorded, sweepDeadLabs } from "./cleanup.ts";
import { type CommandOptions, type CommandResult, run, tryRun } from "./command.ts";
import { type LabContext, newContext } from "./context.ts";
import { eventually } from "./eventually.ts";
import { keepFolder } from "./keep.ts";
import { type LabProcess, spawnLogged } from "./lab-process.ts";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-identity.ts";
import { provided } from "./provided.ts";

export interface ContainerOptions {
  /** What of this machine is seen in the container, read-only: path there, path here. */
  readonly binds?: Readonly<Record<string, string>>;
  /** The host of a lab whose name and network it has; it must be removed before that lab. */
  readonly host?: { readonly name: string; readonly namespace: string };
}

/** Where the container sees the folder `shared`, and may write. */
export const SHARED = "/shared";

const BOOT_MS_MAX = 30_000;
const JOURNAL_MS_MAX = 5_000;
/** Not those of the machine that runs the tests. */
const ENVIRONMENT = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"];

export class Container {
  readonly id: string;
  /** Logs; kept after a failure. */
  readonly folder: string;
  /** Outlasts a reboot of the container, not its removal. */
  readonly shared: string;
  readonly #context: LabContext;
  readonly #nspawn: LabProcess;
  readonly #init: ProcessIdentity;
  #failure: string | null = null;
  #disposed = false;

  private constructor(context: LabContext, nspawn: LabProcess, init: ProcessIdentity) {
    this.id = context.id;
    this.folder = context.folder;
    this.shared = sharedFolder(context);
    this.#context = context;
    this.#nspawn = nspawn;
    this.#init = init;
  }

  /** Returns when systemd has nothing left to start. */
  static async boot(options: ContainerOptions = {}): Promise<Container> {
    if (process.getuid?.() !== 0) throw new Error("Cannot boot a container: only root may");
    const image = await provided("build-image.sh");
    sweepDeadLabs();
    const context = newContext(false);
    removeOnExit(context.id, () => context.ledger.record);
    try {
      const nspawn = startNspawn(context, image, options);
      const init = await initOf(nspawn);
      context.ledger.addProcess(init);
      const container = new Container(context, nspawn, init);
      await container.#waitUntilUp();
      return container;
    } catch (error) {
      removedAlready(context.id);
      removeRecorded(context.ledger.record);
      throw error;
    }
  }

  /** Runs a command in the container to its end; throws unless it exits with 0. */
  run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run(this.#inside(argv), options);
  }

  tryRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return tryRun(this.#inside(argv), options);
  }

  /** Writes a file, and the folders it is in. Default mode: 644. */
  async write(path: string, text: string, options: { mode?: string } = {}): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"';
    const argv = ["sh", "-c", script, "write", path, options.mode ?? "644"];
    await this.run(argv, { input: text });
  }

  /** A property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run(["systemctl", "show", "--property", name, "--value", unit])).trim();
  }

  /** Until it is switched off, or reboots: that ends it, too. */
  async waitForEnd(timeoutMs: number): Promise<void> {
    await this.#nspawn.waitForEnd(timeoutMs);
  }

  /** The journal and the container's log will be kept, and their place printed. */
  markFailed(why: string): void {
    this.#failure ??= why;
  }

  /** Removes everything, without shutting down. May be called twice. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#failure !== null) this.#keep(this.#failure);
    removedAlready(this.id);
    removeRecorded(this.#context.ledger.record);
  }

  async #waitUntilUp(): Promise<void> {
    const what = "the container to boot";
    const argv = this.#inside(["systemctl", "is-system-running"]);
    const state = () => this.#nspawn.whileRunning(what, () => tryRun(argv));
    // "degraded": something of the image does not work here; what is tested may all the same.
    const until = ({ stdout }: CommandResult) => /^(running|degraded)$/m.test(stdout);
    await eventually(what, state, { until, timeoutMs: BOOT_MS_MAX });
  }

  #inside(argv: readonly string[]): string[] {
    if (!isAlive(this.#init)) throw new Error(`Cannot run '${argv.join(" ")}': no container`);
    return ["nsenter", "--target", String(this.#init.pid), "--all", ...ENVIRONMENT, ...argv];
  }

  #keep(why: string): void {
    if (isAlive(this.#init)) {
      const [program = "", ...rest] = this.#inside(["journalctl", "--no-pager", "-o", "short-iso"]);
      const { stdout } = spawnSync(program, rest, { timeout: JOURNAL_MS_MAX });
      writeFileSync(join(this.folder, "journal.log"), stdout ?? "");
    }
    keepFolder(this.folder, this.id, why);
  }
}

function sharedFolder(context: LabContext): string {
  return join(context.folder, basename(SHARED));
}

function startNspawn(context: LabContext, image: string, options: ContainerOptions): LabProcess {
  const { ledger, outlivesOwner } = context;
  const machine = `lbd-${context.id}`;
  const cgroups = cgroupFolders(machine);
  ledger.addCgroups(cgroups);
  // nspawn leaves it when /run is on a disk.
  ledger.addFolder(`/run/systemd/nspawn/propagate/${machine}`);
  makeCgroups(cgroups);
  mkdirSync(sharedFolder(context));
  const binds = Object.entries(options.binds ?? {}).map(
    ([inside, outside]) => `--bind-ro=${outside}:${inside}`,
  );
  const nspawn = spawnLogged({
    name: "container",
    argv: [
      ...through(cgroups),
      "systemd-nspawn",
      "--quiet",
      "--boot",
      `--machine=${machine}`,
      `--directory=${image}`,
      // Changes go to memory; the image may be used by several at a time.
      "--volatile=overlay",
      ...networkArguments(options),
      // Neither needs nor asks a systemd of this machine.
      "--register=no",
      "--keep-unit",
      "--link-journal=no",
      "--resolv-conf=off",
      "--timezone=off",
      "--console=pipe",
      `--bind=${sharedFolder(context)}:${SHARED}`,
      ...binds,
    ],
    logFile: join(context.folder, "container.log"),
    outlivesOwner,
  });
  ledger.addProcess(nspawn.identity);
  return nspawn;
}

function networkArguments({ host }: ContainerOptions): readonly string[] {
  if (host === undefined) return ["--private-network"];
  // The path conflicts with --private-network, which it means.
  return [`--network-namespace-path=/run/netns/${host.namespace}`, `--hostname=${host.name}`];
}

/** A program that moves itself into the groups, and then is replaced by its arguments. */
function through(cgroups: readonly string[]): readonly string[] {
  const moves = cgroups.map((folder) => `echo $$ >${folder}/cgroup.procs`);
  return ["sh", "-e", "-c", [...moves, 'exec "$@"'].join("\n"), "container"];
}

/** Process 1 of the container, as soon as it is systemd and no longer a copy of nspawn. */
async function initOf(nspawn: LabProcess): Promise<ProcessIdentity> {
  const what = "the container's systemd";
  const children = `/proc/${nspawn.pid}/task/${nspawn.pid}/children`;
  const find = () => {
    const pids = readFileSync(children, "utf8").split(" ").filter(Boolean).map(Number);
    return pids.find(isInit);
  };
  const check = () => nspawn.whileRunning(what, find);
  const pid = await eventually(what, check, { timeoutMs: BOOT_MS_MAX });
  const init = identifyProcess(pid ?? 0);
  if (init === null) throw new Error("The container's systemd has ended");
  return init;
}

function isInit(pid: number): boolean {
  const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return name === "systemd" && /^NSpid:.*\s1$/m.test(status);
}
