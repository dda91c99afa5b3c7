// ARP answers: lbd's responder thread against the kernel's own responder and a C program, all on
// one interface of one lab node, in rounds that take turns. Each round ends before the next
// responder begins, and only the responder under test has a socket open then.
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
import { hostLinks } from "../../src/daemon/host-links.ts";
import { run } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { AnsweringNode, VIP } from "../netns/support/answering.ts";
import { type BenchRow, compared, figuresOfRates, figuresOfRounds, information } from "./rows.ts";

const KERNEL_ADDRESS = "192.168.100.201";
const C_ADDRESS = "192.168.100.202";
const REQUESTS_A_ROUND = 2_000;
const RATE_SECONDS = "0.5";
const REALTIME_PRIORITY = "10";

const LATENCY_KERNEL_TARGET = 4;
const LATENCY_C_TARGET = 1.5;
const RATE_C_TARGET = 0.8;

type Who = "kernel" | "c" | "lbd";
type Placement = "same" | "other";

interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  readonly lost: number;
}

interface Round {
  readonly latency: Record<Placement, Record<Who, Latency>>;
  readonly rate: Record<Who, number>;
}

export interface ArpBenchOptions {
  /** Folder of the C programs. */
  readonly programs: string;
  readonly rounds: number;
  readonly onProgress: (text: string) => void;
}

export async function arpRows(lab: Lab, options: ArpBenchOptions): Promise<BenchRow[]> {
  const bench = new ArpBench(lab, options.programs);
  await bench.prepare();
  const rounds: Round[] = [];
  for (let i = 0; i < options.rounds; i++) {
    options.onProgress(`arp: round ${i + 1} of ${options.rounds}`);
    rounds.push(await bench.round(i));
  }
  await bench.end();
  return rowsOf(rounds);
}

class ArpBench {
  readonly #lab: Lab;
  readonly #programs: string;
  #lbd: AnsweringNode | null = null;

  constructor(lab: Lab, programs: string) {
    this.#lab = lab;
    this.#programs = programs;
  }

  async prepare(): Promise<void> {
    const node = this.#lab.node(1);
    await node.run(["ip", "addr", "add", `${KERNEL_ADDRESS}/32`, "dev", "eth0"]);
    const options = { nodeArguments: NODE_ARGUMENTS, env: MEMORY_ENVIRONMENT };
    const lbd = await AnsweringNode.start(this.#lab, node, options);
    this.#lbd = lbd;
    // Until its code is compiled.
    for (let i = 0; i < 3; i++) await this.#rate("lbd");
  }

  async end(): Promise<void> {
    await this.#lbd?.stop();
  }

  /** The order changes from round to round, so that none profits from its place. */
  async round(number: number): Promise<Round> {
    const all: readonly Who[] = ["kernel", "c", "lbd"];
    const order = all.map((_, i) => all[(i + number) % all.length] ?? "lbd");
    const latency = { same: newRecord<Latency>(), other: newRecord<Latency>() };
    const rate = newRecord<number>();
    for (const who of order) latency.same[who] = await this.#latency(who, "same");
    for (const who of order) latency.other[who] = await this.#latency(who, "other");
    for (const who of order) rate[who] = await this.#rate(who);
    return {
      latency: { same: complete(latency.same), other: complete(latency.other) },
      rate: complete(rate),
    };
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
    const target = { kernel: KERNEL_ADDRESS, c: C_ADDRESS, lbd: VIP }[who];
    const program = ["taskset", "-c", CORES.generator, join(this.#programs, "arp-load")];
    const ask = async () =>
      JSON.parse(await this.#lab.client.run([...program, "eth0", target, ...mode])) as Said;
    if (who === "c") return this.#withC(core, ask);
    return who === "lbd" ? this.#withLbd(core, ask) : ask();
  }

  async #withC(core: string, ask: () => Promise<Said>): Promise<Said> {
    const policy = ["taskset", "-c", core, "chrt", "-f", REALTIME_PRIORITY];
    const argv = [...policy, join(this.#programs, "responder"), "eth0", C_ADDRESS];
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
    lbd.own();
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

/** What arp-load prints; latencies in microseconds. */
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

function newRecord<T>(): Partial<Record<Who, T>> {
  return {};
}

function complete<T>(record: Partial<Record<Who, T>>): Record<Who, T> {
  const { kernel, c, lbd } = record;
  if (kernel === undefined || c === undefined || lbd === undefined) {
    throw new Error("A round has a figure for each responder");
  }
  return { kernel, c, lbd };
}

function rowsOf(rounds: readonly Round[]): BenchRow[] {
  const latency = (name: string, who: Who, placement: Placement): BenchRow => {
    const all = rounds.map((round) => round.latency[placement][who]);
    const figures = figuresOfRounds(all);
    return information(name, "ms", { figures, runs: rounds.length });
  };
  const rate = (name: string, who: Who): BenchRow => {
    const figures = figuresOfRates(rounds.map((round) => round.rate[who]));
    return information(name, "1/s", { figures, runs: rounds.length });
  };
  const atMost = (limit: number) => (ratio: number) => ratio <= limit;
  const lbd = latency("arp latency", "lbd", "same");
  const kernel = latency("arp latency of the kernel", "kernel", "same");
  const c = latency("arp latency of the C responder", "c", "same");
  const lbdOther = latency("arp latency, other core", "lbd", "other");
  const cOther = latency("arp latency of the C responder, other core", "c", "other");
  const cRate = rate("arp rate of the C responder", "c");
  return [
    compared(lbd, {
      baseline: kernel.p50,
      target: `<= ${LATENCY_KERNEL_TARGET}x the kernel`,
      isMet: atMost(LATENCY_KERNEL_TARGET),
    }),
    compared(
      { ...lbd, name: "arp latency against C" },
      {
        baseline: c.p50,
        target: `<= ${LATENCY_C_TARGET}x C`,
        isMet: atMost(LATENCY_C_TARGET),
      },
    ),
    kernel,
    c,
    compared(lbdOther, {
      baseline: cOther.p50,
      target: `<= ${LATENCY_C_TARGET}x C`,
      isMet: atMost(LATENCY_C_TARGET),
    }),
    cOther,
    compared(rate("arp rate", "lbd"), {
      baseline: cRate.p50,
      target: `>= ${RATE_C_TARGET}x C`,
      isMet: (ratio) => ratio >= RATE_C_TARGET,
    }),
    cRate,
    rate("arp rate of the kernel", "kernel"),
  ];
}
