// How fast the responder thread of lbd answers, against others that answer on the same interface of
// one lab node, in rounds that take turns. Each round ends before the next responder begins, and
// only the responder under test has a socket open then.
//
// Placement. On a veth the sender's system call is the wire, the NIC's interrupt and the receiver's
// soft interrupt in one, so the kernel's responder answers within the sender's send() and never
// leaves its core. For a program, what is measured depends on the core that it runs on:
//
// - The same core as the load generator: the request's soft interrupt, the responder and the
//   generator take turns on one core. This is a host whose NIC interrupts the core on which the
//   responder runs, and it measures the way to user space and back. "arp latency" is this one.
// - Another core: that core sleeps between two requests, and waking it (an interrupt between cores,
//   on a virtual machine an exit to the hypervisor) takes several times longer than all the rest,
//   for the C program just as for lbd. "arp latency, other core" shows it.
// - None pinned: the scheduler moves between the two, and one measures which it happened to choose.
//
// For the rate the generator keeps 64 requests in flight, and the responder has a core of its own,
// or the figure would be that of a core shared with the generator. There a real-time thread on the
// generator's core would be woken for each single frame before the next one is sent.
//
// lbd runs with the arguments of Node that keep its memory small (scripts/bundle.ts). Its thread
// sets SCHED_FIFO itself, as in production; the C program runs with the same priority.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { MEMORY_ENVIRONMENT, NODE_ARGUMENTS } from "../../scripts/bundle.ts";
import type { Ip } from "../../src/core/address.ts";
import { hostLinks } from "../../src/daemon/host-links.ts";
import { run } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { AnsweringNode } from "../netns/support/answering.ts";
import { type BenchRow, compared, figuresOfRates, figuresOfRounds, information } from "./rows.ts";

const REQUESTS_A_ROUND = 2_000;
const RATE_SECONDS = "0.5";
const REALTIME_PRIORITY = "10";
const LATENCY_KERNEL_TARGET = 4;

export type Who = "kernel" | "c" | "lbd";
export type Placement = "same" | "other";

/** What is asked for. */
export interface BenchedProtocol {
  readonly name: "arp" | "ndp";
  /** Of the load generator, among the C programs. */
  readonly generator: string;
  readonly kernelAddress: string;
  /** With its prefix length, and what else `ip addr add` is told. */
  readonly kernelAddressArguments: readonly string[];
  /** Of the C responder; null: there is none. */
  readonly cAddress: string | null;
  readonly vip: Ip;
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly lost: number;
}

export interface Round {
  readonly latency: Record<Placement, ReadonlyMap<Who, Latency>>;
  readonly rate: ReadonlyMap<Who, number>;
}

export interface ResponderBenchOptions {
  /** Folder of the C programs. */
  readonly programs: string;
  readonly rounds: number;
  readonly onProgress: (text: string) => void;
}

export async function measureResponders(
  lab: Lab,
  protocol: BenchedProtocol,
  options: ResponderBenchOptions,
): Promise<readonly Round[]> {
  const bench = new ResponderBench(lab, protocol, options.programs);
  await bench.prepare();
  const rounds: Round[] = [];
  for (let i = 0; i < options.rounds; i++) {
    options.onProgress(`${protocol.name}: round ${i + 1} of ${options.rounds}`);
    rounds.push(await bench.round(i));
  }
  await bench.end();
  return rounds;
}

export function latencyRow(
  name: string,
  rounds: readonly Round[],
  of: { who: Who; placement: Placement },
): BenchRow {
  const all = rounds.flatMap((round) => round.latency[of.placement].get(of.who) ?? []);
  return information(name, "ms", { figures: figuresOfRounds(all), runs: rounds.length });
}

/** lbd's, held against the kernel's own, which stands beside it. */
export function latencyAgainstKernel(
  { name }: BenchedProtocol,
  rounds: readonly Round[],
): { lbd: BenchRow; kernel: BenchRow } {
  const place = { placement: "same" } as const;
  const lbd = latencyRow(`${name} latency`, rounds, { who: "lbd", ...place });
  const kernel = latencyRow(`${name} latency of the kernel`, rounds, { who: "kernel", ...place });
  const target = `<= ${LATENCY_KERNEL_TARGET}x the kernel`;
  const isMet = (ratio: number): boolean => ratio <= LATENCY_KERNEL_TARGET;
  return { lbd: compared(lbd, { baseline: kernel.p50, target, isMet }), kernel };
}

export function rateRow(name: string, rounds: readonly Round[], who: Who): BenchRow {
  const figures = figuresOfRates(rounds.flatMap((round) => round.rate.get(who) ?? []));
  return information(name, "1/s", { figures, runs: rounds.length });
}

class ResponderBench {
  readonly #lab: Lab;
  readonly #protocol: BenchedProtocol;
  readonly #programs: string;
  #lbd: AnsweringNode | null = null;

  constructor(lab: Lab, protocol: BenchedProtocol, programs: string) {
    this.#lab = lab;
    this.#protocol = protocol;
    this.#programs = programs;
  }

  async prepare(): Promise<void> {
    const node = this.#lab.node(1);
    await node.run(["ip", "addr", "add", ...this.#protocol.kernelAddressArguments]);
    const options = { nodeArguments: NODE_ARGUMENTS, env: MEMORY_ENVIRONMENT };
    this.#lbd = await AnsweringNode.start(this.#lab, node, options);
    // Until its code is compiled.
    for (let i = 0; i < 3; i++) await this.#rate("lbd");
  }

  async end(): Promise<void> {
    await this.#lbd?.stop();
  }

  /** The order changes from round to round, so that none profits from its place. */
  async round(number: number): Promise<Round> {
    const all: readonly Who[] =
      this.#protocol.cAddress === null ? ["kernel", "lbd"] : ["kernel", "c", "lbd"];
    const order = all.map((_, i) => all[(i + number) % all.length] ?? "lbd");
    const latency = { same: new Map<Who, Latency>(), other: new Map<Who, Latency>() };
    const rate = new Map<Who, number>();
    for (const who of order) latency.same.set(who, await this.#latency(who, "same"));
    for (const who of order) latency.other.set(who, await this.#latency(who, "other"));
    for (const who of order) rate.set(who, await this.#rate(who));
    return { latency, rate };
  }

  async #latency(who: Who, placement: Placement): Promise<Latency> {
    const mode = ["latency", String(REQUESTS_A_ROUND)];
    const said = await this.#load(who, placement, mode);
    return { p50: ms(said.p50), p99: ms(said.p99), worst: ms(said.worst), lost: said.lost ?? 0 };
  }

  async #rate(who: Who): Promise<number> {
    return (await this.#load(who, "other", ["rate", RATE_SECONDS])).perSecond ?? Number.NaN;
  }

  async #load(who: Who, placement: Placement, mode: readonly string[]): Promise<Said> {
    const core = placement === "same" ? CORES.generator : CORES.other;
    const { kernelAddress, cAddress, vip, generator } = this.#protocol;
    const target = { kernel: kernelAddress, c: cAddress ?? "", lbd: vip }[who];
    const program = ["taskset", "-c", CORES.generator, join(this.#programs, generator)];
    const ask = async () =>
      JSON.parse(await this.#lab.client.run([...program, "eth0", target, ...mode])) as Said;
    if (who === "c") return this.#withC(core, ask);
    return who === "lbd" ? this.#withLbd(core, ask) : ask();
  }

  async #withC(core: string, ask: () => Promise<Said>): Promise<Said> {
    const policy = ["taskset", "-c", core, "chrt", "-f", REALTIME_PRIORITY];
    const argv = [
      ...policy,
      join(this.#programs, "responder"),
      "eth0",
      this.#protocol.cAddress ?? "",
    ];
    const responder = this.#lab.node(1).spawn("c-responder", argv);
    await responder.waitForOutput(/ready/);
    try {
      return await ask();
    } finally {
      await responder.kill();
    }
  }

  /**
   * Its socket is open only while it is measured; the filter lets its own address through. What was
   * granted goes with the interface, and the tenure begins with a beacon.
   */
  async #withLbd(core: string, ask: () => Promise<Said>): Promise<Said> {
    const lbd = this.#lbd;
    if (lbd === null) throw new Error("The bench was not prepared");
    await run(["taskset", "-cp", core, String(realtimeThreadOf(lbd.pid))]);
    const links = hostLinks(lbd.interfaces, { exclude: [], promiscuous: [] }).answering.filter(
      ({ name }) => name === "eth0",
    );
    lbd.tell({ type: "interfaces", interfaces: links });
    await lbd.beaconsLeave();
    lbd.own({ address: this.#protocol.vip });
    await lbd.settle();
    try {
      return await ask();
    } finally {
      lbd.tell({ type: "interfaces", interfaces: [] });
      await lbd.settle();
    }
  }
}

/** sched(7): SCHED_FIFO, and where /proc/<pid>/stat has the policy, counted behind the name. */
const SCHED_FIFO = "1";
const POLICY_FIELD = 38;

/**
 * The responder thread. Only this one is placed: threads that compile or collect for it run where
 * there is room, and would starve on the core of a real-time thread that is never idle.
 */
function realtimeThreadOf(pid: number): number {
  const isRealtime = (thread: string): boolean => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[POLICY_FIELD] === SCHED_FIFO;
  };
  const thread = readdirSync(`/proc/${pid}/task`).find(isRealtime);
  if (thread === undefined) throw new Error("The responder thread has no real-time priority");
  return Number(thread);
}

/** What a load generator prints; latencies in microseconds. */
interface Said {
  readonly p50?: number;
  readonly p99?: number;
  readonly worst?: number;
  readonly lost?: number;
  readonly perSecond?: number;
}

const CORES = { generator: "0", other: availableParallelism() > 1 ? "1" : "0" };

function ms(microseconds: number | undefined): number {
  return (microseconds ?? Number.NaN) / 1_000;
}
