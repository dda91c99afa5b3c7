// Hosts of a lab that boot Debian, on which the package is installed, as an administrator would do
// it: by apt, from a file, with no archive in reach.

import { basename } from "node:path";
import type { CommandResult } from "../../lab/command.ts";
import { Container } from "../../lab/container.ts";
import { eventually } from "../../lab/eventually.ts";
import type { LabNode } from "../../lab/node.ts";

export const UNIT = "lbd.service";
/** Where the container sees the folder of the packages. */
const PLACE = "/packages";
/** Of the slowest of machines, with a package of Node's size. */
const APT_MS_MAX = 120_000;
const UP_MS_MAX = 20_000;

export class DebianHost {
  readonly node: LabNode;
  readonly container: Container;

  private constructor(node: LabNode, container: Container) {
    this.node = node;
    this.container = container;
  }

  /** `packages`: the folder in which they lie. */
  static async boot(node: LabNode, packages: string): Promise<DebianHost> {
    const container = await Container.boot({ host: node, binds: { [PLACE]: packages } });
    return new DebianHost(node, container);
  }

  /** apt, with the answer that keeps a file which was changed here; whatever becomes of it. */
  async apt(...args: readonly string[]): Promise<CommandResult> {
    const options = ["--yes", "--option=Dpkg::Options::=--force-confold", "--allow-downgrades"];
    const argv = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...options, ...args];
    const done = await this.container.tryRun(argv, { timeoutMs: APT_MS_MAX });
    if (done.code === 0) return done;
    throw new Error(`"apt-get ${args.join(" ")}": ${done.code}: ${done.stdout}${done.stderr}`);
  }

  install(deb: string): Promise<CommandResult> {
    return this.apt("install", `${PLACE}/${basename(deb)}`);
  }

  async version(): Promise<string> {
    const row = await this.container.run(["dpkg-query", "--show", "lbd"]);
    return row.split("\t")[1]?.trim() ?? "";
  }

  property(name: string): Promise<string> {
    return this.container.property(UNIT, name);
  }

  lbctl(...args: readonly string[]): Promise<CommandResult> {
    return this.container.tryRun(["lbctl", ...args], { timeoutMs: APT_MS_MAX });
  }

  systemctl(verb: string): Promise<CommandResult> {
    return this.container.tryRun(["systemctl", "--no-pager", verb, UNIT]);
  }

  journal(): Promise<string> {
    return this.container.run(["journalctl", "--no-pager", "--output=cat", "--unit", UNIT]);
  }

  /** Until `lbctl status` says something that matches. */
  untilStatus(pattern: RegExp): Promise<string> {
    const read = async () => (await this.lbctl("status")).stdout;
    return eventually(`status ${pattern} of ${this.node.name}`, read, {
      timeoutMs: UP_MS_MAX,
      intervalMs: 300,
      until: (text) => pattern.test(text),
    });
  }

  /** Until another process than `before` runs, and is up. */
  async untilReplaced(before: string): Promise<void> {
    const pid = async () =>
      (await this.property("ActiveState")) === "active" ? this.property("MainPID") : before;
    await eventually(`another daemon on ${this.node.name}`, pid, {
      timeoutMs: UP_MS_MAX,
      until: (now) => now !== before && now !== "0",
    });
  }
}
