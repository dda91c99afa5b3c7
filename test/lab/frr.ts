// Debian's FRR on a host of the lab: zebra, bgpd and bfdd, with a folder of sockets of their own,
// and vtysh to ask them. Nothing is installed on the machine.

import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Vtysh } from "../../src/bgp/vtysh.ts";
import { eventually } from "./eventually.ts";
import type { LabHost } from "./host.ts";
import type { LabProcess } from "./lab-process.ts";
import { provided } from "./provided.ts";

type Daemon = "zebra" | "bgpd" | "bfdd";

const DAEMONS: readonly Daemon[] = ["zebra", "bgpd", "bfdd"];
/** FRR's daemons look for a group that its package makes, and want their user to be in it. */
const GROUPS = "frrvty:x:60001:root\nfrr:x:60002:root\n";
/** The program sees a file of its own in place of the machine's. */
const WITH_GROUPS = 'mount --bind "$0" /etc/group && exec "$@"';

export class LabFrr {
  readonly host: LabHost;
  readonly folder: string;
  /** Path of a vtysh for this host, for the node file. */
  readonly vtysh: string;
  readonly #root: string;
  readonly #daemons = new Map<Daemon, LabProcess>();

  private constructor(host: LabHost, root: string) {
    this.host = host;
    this.#root = root;
    this.folder = join(host.folder, "frr");
    this.vtysh = join(this.folder, "vtysh");
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, "group"), readFileSync("/etc/group", "utf8") + GROUPS);
    writeFileSync(join(this.folder, "vtysh.conf"), "username root nopassword\n");
    this.useVtysh(`exec ${join(root, "usr/bin/vtysh")} --config_dir ${this.folder} "$@"`);
  }

  static async start(host: LabHost): Promise<LabFrr> {
    const frr = new LabFrr(host, await provided("provide-routing.sh"));
    await frr.startDaemons();
    return frr;
  }

  /** For the node file of a daemon on this host. */
  get settings(): { readonly vtysh: string; readonly vtySockets: string } {
    return { vtysh: this.vtysh, vtySockets: this.folder };
  }

  /** What stands in for vtysh from now on, as a line of shell. */
  useVtysh(line: string): void {
    writeFileSync(this.vtysh, `#!/bin/sh\n${this.#libraries()}\n${line}\n`);
    chmodSync(this.vtysh, 0o755);
  }

  useRealVtysh(): void {
    this.useVtysh(`exec ${join(this.#root, "usr/bin/vtysh")} --config_dir ${this.folder} "$@"`);
  }

  async startDaemons(daemons: readonly Daemon[] = DAEMONS): Promise<void> {
    for (const daemon of daemons) await this.#start(daemon);
  }

  async #start(daemon: Daemon): Promise<void> {
    const { folder } = this;
    const file = (name: string): string => join(folder, name);
    const own = daemon === "bfdd" ? ["--bfdctl", file("bfdd.sock")] : [];
    const argv = [
      ...["unshare", "--mount", "sh", "-c", WITH_GROUPS, file("group")],
      ...[join(this.#root, "usr/lib/frr", daemon), "-u", "root", "-g", "root"],
      ...["--vty_socket", folder, "-z", file("zserv.api"), "-i", file(`${daemon}.pid`)],
      ...["-f", "/dev/null", "-P", "0", "--log", `file:${file(`${daemon}.log`)}`, ...own],
    ];
    const env = { ...process.env, LD_LIBRARY_PATH: this.#libraryPath() };
    this.#daemons.set(
      daemon,
      this.host.spawn(daemon, argv, { env: env as Record<string, string> }),
    );
    const ask = () => this.ask([`show version`], daemon);
    await eventually(`${daemon} to answer`, ask, { until: (text) => text.includes("FRRouting") });
  }

  /** All of them, as if the package was upgraded, or one crashed. */
  async kill(daemons: readonly Daemon[] = DAEMONS): Promise<void> {
    const all = daemons.flatMap((daemon) => this.#daemons.get(daemon) ?? []);
    await Promise.all(all.map((one) => one.kill("SIGKILL")));
  }

  async freeze(): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((one) => one.freeze()));
  }

  thaw(): void {
    for (const one of this.#daemons.values()) one.thaw();
  }

  async ask(commands: readonly string[], daemon?: Daemon): Promise<string> {
    const only = daemon === undefined ? [] : ["-d", daemon];
    const argv = [this.vtysh, "--vty_socket", this.folder, ...only];
    return this.host.run([...argv, ...commands.flatMap((one) => ["-c", one])]);
  }

  /** As an administrator does it, line by line in configuration mode. */
  async configure(...lines: readonly string[]): Promise<void> {
    await this.ask(["configure terminal", ...lines]);
  }

  running(): Promise<string> {
    return this.ask(["show running-config"]);
  }

  async json<T>(command: string): Promise<T> {
    return JSON.parse(await this.ask([command])) as T;
  }

  /** For a driver in the test's own process. */
  vty(timeoutMs?: number): Vtysh {
    const { vtysh: program, folder } = this;
    const limits = timeoutMs === undefined ? {} : { timeoutMs };
    return new Vtysh({ program, sockets: folder, folder, ...limits });
  }

  #libraryPath(): string {
    const folders = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
    return [...folders, "usr/lib/x86_64-linux-gnu/frr"]
      .map((folder) => join(this.#root, folder))
      .join(":");
  }

  #libraries(): string {
    return `export LD_LIBRARY_PATH=${this.#libraryPath()}`;
  }
}
