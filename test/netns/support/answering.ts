// A responder in a node of the lab, as tests handle it: started, told, asked, frozen; and a raw
// sender of any frame on a host.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Ip, IpRange } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import type { ResponderReport, ToResponder } from "../../../src/daemon/responder-messages.ts";
import type { HostInterface } from "../../../src/link/host-interface.ts";
import { eventually } from "../../lab/eventually.ts";
import type { LabHost } from "../../lab/host.ts";
import type { Lab } from "../../lab/lab.ts";
import { identifyProcess, processState, signalProcess } from "../../lab/process-identity.ts";
import type { ChildCommand, ChildMessage } from "./responder-child.ts";

export const VIP = "192.168.100.200" as Ip;
export const VIP6 = "fd00:100::c8" as Ip;
const POOL6_START = 0xfd00_0100n << 96n;
/** 192.168.100.200 to 192.168.100.220, and fd00:100::c8 to fd00:100::dc. */
export const POOL: readonly IpRange[] = [
  { family: 4, start: 0xc0a864c8n, end: 0xc0a864dcn },
  { family: 6, start: POOL6_START + 0xc8n, end: POOL6_START + 0xdcn },
];
/** Of the beacons: they are sent this long after an interface is there, and held for as long. */
export const HOLD_MS = 300;
/** The node's eth0 and mgmt0. */
const SEGMENTS = 2;
const KEY = new Uint8Array(32).fill(7);
const CLUSTER = "0123456789abcdef";

const CHILD = fileURLToPath(new URL("responder-child.ts", import.meta.url));

type MessageOf<K extends ChildMessage["kind"]> = ChildMessage & { readonly kind: K };

export interface AnsweringOptions {
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class AnsweringNode {
  readonly host: LabHost;
  readonly #process: ChildProcess;
  readonly #identity: ReturnType<typeof identifyProcess>;
  readonly #messages: ChildMessage[] = [];
  /** What the link watcher said last. */
  interfaces: readonly HostInterface[] = [];
  /** Tenures that have ended, of which a grant must know. */
  lapses = 0;

  private constructor(lab: Lab, host: LabHost, options: AnsweringOptions) {
    this.host = host;
    const { nodeArguments = [], env = {} } = options;
    const program = [process.execPath, ...nodeArguments, CHILD];
    const space = ["ip", "netns", "exec", host.namespace, ...program];
    // The kernel ends it when this process ends, also while it is frozen.
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", ...space], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
      env: { ...process.env, ...env },
    });
    this.#identity = identifyProcess(this.pid);
    if (this.#identity !== null) lab.context.ledger.addProcess(this.#identity);
    this.#process.on("message", (message: ChildMessage) => {
      if (message.kind === "interfaces") this.interfaces = message.interfaces;
      else if (message.kind !== "peer") this.#messages.push(message);
      else if (message.news.type === "lapsed") this.lapses = message.news.lapses;
    });
    // It would keep the test process waiting for a lab that nobody disposed.
    this.#process.unref();
    this.#process.channel?.unref();
  }

  /** Returns when the thread runs, the interfaces are known and the tenures have begun. */
  static async start(
    lab: Lab,
    host: LabHost,
    options: AnsweringOptions = {},
  ): Promise<AnsweringNode> {
    const node = new AnsweringNode(lab, host, options);
    await node.take("ready");
    node.tell({ type: "ranges", ranges: POOL });
    node.tell({ type: "cluster", cluster: CLUSTER });
    node.allowBeacons(true);
    await node.beaconsLeave();
    return node;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  tell(message: ToResponder): void {
    this.#send({ kind: "tell", message });
  }

  /** Grant and announcement, as a claim brings them. */
  own(options: { interfaces?: readonly string[]; address?: Ip } = {}): void {
    const { interfaces = ["eth0"], address = VIP } = options;
    const { lapses } = this;
    this.tell({ type: "grant", address, epoch: epochOf(1), interfaces, lapses });
    this.tell({ type: "announce", address });
  }

  /** Without a key no beacon leaves, and the tenures end. */
  allowBeacons(isAllowed: boolean): void {
    const sending = isAllowed ? KEY : null;
    this.tell({ type: "beacon-keys", sending, accepted: [KEY] });
  }

  /** Waits until beacons have left on all segments since now. */
  async beaconsLeave(): Promise<void> {
    const before = await this.count("beacon-sent");
    await eventually("beacons to leave", () => this.count("beacon-sent"), {
      intervalMs: 5,
      until: (count) => count >= before + SEGMENTS,
    });
    await this.settle();
  }

  async report(): Promise<ResponderReport> {
    this.#send({ kind: "report" });
    return (await this.take("report")).report;
  }

  async count(name: string): Promise<number> {
    return (await this.report()).counters[name] ?? Number.NaN;
  }

  /** Waits until everything told so far is done. */
  async settle(): Promise<void> {
    await this.report();
  }

  block(milliseconds: number): void {
    this.#send({ kind: "block", milliseconds });
  }

  /** Whether a message of that kind has come and was not taken. */
  has(kind: ChildMessage["kind"]): boolean {
    return this.#messages.some((message) => message.kind === kind);
  }

  /** The oldest message of that kind. */
  async take<K extends ChildMessage["kind"]>(kind: K): Promise<MessageOf<K>> {
    const find = () => this.#messages.findIndex((message) => message.kind === kind);
    const options = { intervalMs: 2, timeoutMs: 10_000, until: (at: number) => at >= 0 };
    const index = await eventually(`the child to say '${kind}'`, find, options);
    const [found] = this.#messages.splice(index, 1);
    return found as MessageOf<K>;
  }

  async freeze(): Promise<void> {
    this.#signal("SIGSTOP");
    const { pid } = this;
    const options = { until: (state: string | null) => state === "T", intervalMs: 1 };
    await eventually("the child to stop", () => processState(pid), options);
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Ends it in order; returns its exit status. */
  async stop(): Promise<number | null> {
    const ended = new Promise<number | null>((resolve) => this.#process.once("exit", resolve));
    this.#process.ref();
    this.#send({ kind: "stop" });
    return ended;
  }

  #send(command: ChildCommand): void {
    this.#process.send(command);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#identity !== null) signalProcess(this.#identity, signal);
  }
}

const SEND_SCRIPT = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for text in sys.argv[2:]: s.send(bytes.fromhex(text))
`;

/** Sends frames, given in hexadecimal, as they are. */
export async function sendRaw(
  host: LabHost,
  frames: readonly string[],
  device = "eth0",
): Promise<void> {
  await host.run(["python3", "-c", SEND_SCRIPT, device, ...frames]);
}

// It lives on for a moment: what it printed is read while it runs.
const SEND_WHEN_FROZEN_SCRIPT = `
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
print("ready", flush=True)
while open("/proc/" + sys.argv[2] + "/stat").read().rsplit(") ", 1)[1][0] != "T": pass
for text in sys.argv[3:]: s.send(bytes.fromhex(text))
print("sent", flush=True)
time.sleep(1)
`;

/** Sends the frames as soon as the process is frozen; call the result to wait until they left. */
export async function sendWhenFrozen(
  host: LabHost,
  pid: number,
  frames: readonly string[],
): Promise<() => Promise<void>> {
  const argv = ["python3", "-c", SEND_WHEN_FROZEN_SCRIPT, "eth0", String(pid), ...frames];
  const sender = host.spawn("sender", argv);
  await sender.waitForOutput(/ready/);
  return async () => void (await sender.waitForOutput(/sent/));
}

/** A broadcast ARP request for `target` from `host`, padded with zeros to `bytes`. */
export function requestFrom(host: LabHost, target: string = VIP, bytes = 42): string {
  const mac = host.mac().replaceAll(":", "");
  const hex = (address: string) => Buffer.from(address.split(".").map(Number)).toString("hex");
  const arp = `0001080006040001${mac}${hex(host.address())}000000000000${hex(target)}`;
  return `ffffffffffff${mac}0806${arp}`.padEnd(bytes * 2, "0").slice(0, bytes * 2);
}

/** The MAC in the kernel's neighbour table, without asking anybody; null: none. */
export async function knownMac(host: LabHost, address: string = VIP): Promise<string | null> {
  const rows = await host.neighbours(address);
  return rows.find((row) => row.lladdr !== undefined)?.lladdr ?? null;
}

/** Makes the kernel believe that the address is at `mac`. */
export async function remember(host: LabHost, mac: string, address: string = VIP): Promise<void> {
  const entry = [address, "lladdr", mac, "dev", "eth0", "nud", "stale"];
  await host.run(["ip", "neigh", "replace", ...entry]);
}
