// One trial: everything is well, a fault strikes the owner, another one answers or the same goes
// on, everything is healed. Who owns is asked each time on the wire.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { arpProbeArguments } from "./arp-probe.ts";
import { BenchChild } from "./child.ts";
import { type Blackout, blackoutOf, type Recording, twoAnsweredMs } from "./failover-blackout.ts";
import type { ProberAnswer, ProberQuestion } from "./failover-prober.ts";

export interface Fault {
  readonly name: string;
  readonly contender: "lbd" | "keepalived";
  readonly address: string;
  /** The address stays where it is. */
  readonly keepsOwner: boolean;
  /** Healed, it takes its contender many seconds until everything is well. */
  readonly isSlowToHeal: boolean;
  /** How long it is watched at least, from the fault on. */
  readonly watchMs: number;
  /** Until everything is well; what belongs to the fault but does not strike the owner. */
  prepare(): Promise<void>;
  strike(owner: LabNode): Promise<void>;
  heal(owner: LabNode): Promise<void>;
  /**
   * Boot clock: when hosts that had been cut off from each other were joined again, while it was
   * watched; null: that is no part of the fault.
   */
  joinedAt(): number | null;
  /** What the parties wrote down about it, for people: a line each. */
  explain(nodes: readonly LabNode[], fault: Moment): Promise<string[]>;
}

export interface Moment {
  /** On the boot clock. */
  readonly at: number;
  /** By the wall clock. */
  readonly wallAt: number;
}

export interface Trial {
  readonly blackout: Blackout;
  /** How long two hosts answered after they could hear each other again; null: see `joinedAt`. */
  readonly twoMs: number | null;
  readonly owner: LabNode;
  readonly next: LabNode;
  readonly fault: Moment;
  readonly story: readonly string[];
  /** How many ms it took to get ready, to watch, and to heal. */
  readonly spent: readonly [ready: number, watch: number, heal: number];
}

type Watched = Omit<Trial, "spent">;

const BEGIN_TIMEOUT_MS = 20_000;
/** More than the Lease's 15 s, the read that confirms it, and a slow machine. */
const END_TIMEOUT_MS = 40_000;
/** What is frozen, slow or late has shown itself by then. */
export const WATCH_MS = 2_000;

export type Prober = BenchChild<ProberQuestion, ProberAnswer>;

export async function startProber(lab: Lab): Promise<Prober> {
  const program = join(import.meta.dirname, "failover-prober.ts");
  const argv = [program, ...(await arpProbeArguments(lab.client))];
  return new BenchChild<ProberQuestion, ProberAnswer>(lab, lab.client, argv);
}

/** Throws when the trial cannot be measured; the fault is healed then, too. */
export async function runTrial(lab: Lab, prober: Prober, fault: Fault): Promise<Trial> {
  const { address } = fault;
  const startedAt = bootTimeMs();
  await fault.prepare();
  const mac = await prober.ask({ kind: "begin", address, timeoutMs: BEGIN_TIMEOUT_MS });
  if (typeof mac !== "string") throw new Error(`${fault.name}: nobody answers for ${address}`);
  const owner = nodeOf(lab, mac);
  // Faults come at any time between two beacons or advertisements.
  await sleep(Math.random() * 1_000);
  const struckAt = bootTimeMs();
  let watched: Watched;
  let watchedAt: number;
  try {
    watched = await watch(lab, prober, { fault, owner });
    watchedAt = bootTimeMs();
  } finally {
    await fault.heal(owner);
  }
  const spent = [struckAt - startedAt, watchedAt - struckAt, bootTimeMs() - watchedAt] as const;
  return { ...watched, spent };
}

async function watch(
  lab: Lab,
  prober: Prober,
  { fault, owner }: { readonly fault: Fault; readonly owner: LabNode },
): Promise<Watched> {
  const moment: Moment = { at: bootTimeMs(), wallAt: Date.now() };
  await fault.strike(owner);
  const recording = (await prober.ask({
    kind: "end",
    at: moment.at + fault.watchMs,
    unless: fault.keepsOwner ? null : owner.mac(),
    timeoutMs: fault.watchMs + END_TIMEOUT_MS,
  })) as Recording;
  const blackout = blackoutOf(recording, { at: moment.at, owner: owner.mac() });
  if (blackout === null) throw new Error(`${fault.name}: nobody answered after the fault`);
  const next = nodeOf(lab, blackout.next);
  if (next === owner && !fault.keepsOwner) throw new Error(`${fault.name}: nobody took over`);
  const nodes = next === owner ? [owner] : [owner, next];
  const story = await fault.explain(nodes, moment);
  const joinedAt = fault.joinedAt();
  const twoMs = joinedAt === null ? null : twoAnsweredMs(recording, joinedAt);
  return { blackout, twoMs, owner, next, fault: moment, story };
}

function nodeOf(lab: Lab, mac: string): LabNode {
  const node = lab.nodes.find((candidate) => candidate.mac() === mac);
  if (node === undefined) throw new Error(`${mac}, which answers, is no node of the lab`);
  return node;
}
