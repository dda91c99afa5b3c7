// One trial: everything is well, a fault strikes the owner, another one answers or the same goes
// on, everything is healed. Who owns is asked each time on the wire.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import { type Blackout, twoAnsweredMs } from "../lab/blackout.ts";
import type { LabNode } from "../lab/node.ts";
import type { Prober } from "../lab/prober.ts";

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

type Struck = Omit<Trial, "spent">;

/** What is frozen, slow or late has shown itself by then. */
export const WATCH_MS = 2_000;

/** Throws when the trial cannot be measured; the fault is healed then, too. */
export async function runTrial(prober: Prober, fault: Fault): Promise<Trial> {
  const startedAt = bootTimeMs();
  await fault.prepare();
  const owner = await prober.begin(fault.address);
  // Faults come at any time between two beacons or advertisements.
  await sleep(Math.random() * 1_000);
  const struckAt = bootTimeMs();
  let struck: Struck;
  let watchedAt: number;
  try {
    struck = await strike(prober, fault, owner);
    watchedAt = bootTimeMs();
  } finally {
    await fault.heal(owner);
  }
  const spent = [struckAt - startedAt, watchedAt - struckAt, bootTimeMs() - watchedAt] as const;
  return { ...struck, spent };
}

async function strike(prober: Prober, fault: Fault, owner: LabNode): Promise<Struck> {
  const moment: Moment = { at: bootTimeMs(), wallAt: Date.now() };
  await fault.strike(owner);
  const { watchMs, keepsOwner } = fault;
  const watched = await prober.end({ owner, at: moment.at, watchMs, keepsOwner });
  const { recording, blackout, next } = watched;
  const nodes = next === owner ? [owner] : [owner, next];
  const story = await fault.explain(nodes, moment);
  const joinedAt = fault.joinedAt();
  const twoMs = joinedAt === null ? null : twoAnsweredMs(recording, joinedAt);
  return { blackout, twoMs, owner, next, fault: moment, story };
}
