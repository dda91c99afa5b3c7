// A machine of the lab: a network namespace with its cables, in which commands are run and
// processes live.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, run, tryRun } from "./command.ts";
import type { LabContext } from "./context.ts";
import { eventually } from "./eventually.ts";
import { type LabProcess, type SpawnOptions, spawnInNamespace } from "./lab-process.ts";
import type { Link } from "./link.ts";
import { SEGMENT_PLANS, type SegmentName } from "./segment.ts";

export interface HostPlan {
  readonly name: string;
  /** Last number of its addresses: 11 is 192.168.100.11 and fd00:100::11. */
  readonly number: number;
  readonly links: ReadonlyMap<SegmentName, Link>;
}

/** One row of `ip neigh`. */
export interface Neighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state: readonly string[];
}

export function namespaceOf(context: LabContext, hostName: string): string {
  return `lbd-${context.id}-${hostName}`;
}

export class LabHost {
  readonly name: string;
  readonly number: number;
  readonly namespace: string;
  /** Files of this host. */
  readonly folder: string;
  readonly processes: LabProcess[] = [];
  protected readonly context: LabContext;
  readonly #links: ReadonlyMap<SegmentName, Link>;

  constructor(context: LabContext, plan: HostPlan) {
    this.context = context;
    this.name = plan.name;
    this.number = plan.number;
    this.namespace = namespaceOf(context, plan.name);
    this.folder = join(context.folder, plan.name);
    this.#links = plan.links;
    mkdirSync(this.folder, { recursive: true });
  }

  /** IPv4 address on the data segment, or another one. */
  address(segment: SegmentName = "data"): string {
    return `${SEGMENT_PLANS[segment].prefix4}.${this.number}`;
  }

  address6(segment: "data" | "data2" = "data"): string {
    return `${SEGMENT_PLANS[segment].prefix6}:${this.number}`;
  }

  mac(segment: SegmentName = "data"): string {
    return macOf(segment, this.number);
  }

  linkOn(segment: SegmentName): Link {
    const link = this.#links.get(segment);
    if (link === undefined) throw new Error(`${this.name} has no cable on segment '${segment}'`);
    return link;
  }

  get links(): Link[] {
    return [...this.#links.values()];
  }

  /** Cable on the data segment. */
  get dataLink(): Link {
    return this.linkOn("data");
  }

  /** Runs a command in this host to its end; throws unless it exits with 0. */
  run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run(["ip", "netns", "exec", this.namespace, ...argv], options);
  }

  tryRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return tryRun(["ip", "netns", "exec", this.namespace, ...argv], options);
  }

  /** Starts a process that lives in this host until it ends, is killed, or the lab is removed. */
  spawn(name: string, argv: readonly string[], options: SpawnOptions = {}): LabProcess {
    const process = spawnInNamespace(this.namespace, {
      ...options,
      name: `${this.name}/${name}`,
      argv,
      logFile: join(this.folder, `${name}.log`),
      outlivesOwner: this.context.outlivesOwner,
    });
    this.context.ledger.addProcess(process.identity);
    this.processes.push(process);
    return process;
  }

  /** The kernel's neighbour table, or its rows for one address. */
  async neighbours(address?: string): Promise<Neighbour[]> {
    const only = address === undefined ? [] : ["to", address];
    const json = await run(["ip", "-n", this.namespace, "-j", "neigh", "show", ...only]);
    return JSON.parse(json === "" ? "[]" : json) as Neighbour[];
  }

  /**
   * Asks the wire for the MAC of an address, with the kernel's neighbour table as the judge:
   * forgets the entry, sends a datagram to the address, reads what was resolved. Null: nobody
   * answered.
   */
  async arping(address: string, timeoutMs = 1_500): Promise<string | null> {
    await tryRun(["ip", "-n", this.namespace, "neigh", "flush", "to", address]);
    // Any datagram makes the kernel resolve; the discard port is as good as another.
    await this.tryRun(["bash", "-c", `echo > /dev/udp/${address}/9`]);
    const settled = (rows: Neighbour[]) =>
      rows.some((row) => row.lladdr !== undefined || row.state.includes("FAILED"));
    try {
      const options = { timeoutMs, intervalMs: 2, until: settled };
      const rows = await eventually("an answer", () => this.neighbours(address), options);
      return rows.find((row) => row.lladdr !== undefined)?.lladdr ?? null;
    } catch {
      return null;
    }
  }

  /** The MACs of all who answer an ARP request for an IPv4 address: more than one is a conflict. */
  async whoAnswers(address: string, options: { waitMs?: number } = {}): Promise<string[]> {
    const device = SEGMENT_PLANS[this.#segmentOf(address)].interfaceName;
    const seconds = String(Math.ceil((options.waitMs ?? 1_000) / 1_000));
    // -b: by broadcast, also after the first answer.
    const argv = ["arping", "-b", "-c", "3", "-w", seconds, "-I", device, address];
    const { stdout } = await this.tryRun(argv);
    const macs = stdout.matchAll(/\[([0-9A-F:]{17})\]/gi);
    return [...new Set([...macs].map((match) => (match[1] ?? "").toLowerCase()))].sort();
  }

  #segmentOf(address: string): SegmentName {
    const isHere = (name: SegmentName) => address.startsWith(`${SEGMENT_PLANS[name].prefix4}.`);
    return [...this.#links.keys()].find(isHere) ?? "data";
  }
}

/** MACs say which segment and host they belong to, so that a capture can be read. */
export function macOf(segment: SegmentName, number: number): string {
  const octet = { data: "64", data2: "65", management: "30" }[segment];
  return `02:00:00:00:${octet}:${number.toString(16).padStart(2, "0")}`;
}
