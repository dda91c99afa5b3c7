// What a scenario is played on: a simulated cluster with one VIP and the shipped code, chance
// switched off, and what is seen of it: who answers, and what the Lease says, from outside.

import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import { Calm } from "./calm.ts";
import { Cluster } from "./cluster.ts";
import { portOfMac } from "./lan.ts";
import type { SimNode } from "./node.ts";
import { Trace } from "./scenario-trace.ts";
import type { Segment } from "./segment.ts";
import { oneSegment, type VipPlan } from "./topology.ts";
import { watchedCode } from "./watched-code.ts";

/** Who answers is looked at this often: less than a frame takes, so that the order shows. */
const LOOK_EVERY_MS = 0.02;
/** Past the start hold, and everything is written and heard. */
const SETTLE_MS = 6_000;
/** What is left of the owner's tenure then: its last beacon left 40 ms ago. */
const SETTLED_TENURE_MS = 250;

/** The cluster that is played with, and what was seen of it. */
export class Stage {
  readonly #trace = new Trace();
  #cluster: Cluster | null = null;
  #answering: readonly string[] = [];
  #since = 0;

  get cluster(): Cluster {
    if (this.#cluster === null) throw new Error('"cluster" comes first');
    return this.#cluster;
  }

  get segment(): Segment {
    const [segment] = this.cluster.segments;
    if (segment === undefined) throw new Error("there is no segment");
    return segment;
  }

  build(nodes: number, hasGateway: boolean): void {
    const code = watchedCode({
      note: (node, what) => this.#note(node, what),
      nodeOf: (mac) => this.cluster.nodes[portOfMac(mac)]?.name ?? mac,
    });
    const topology = oneSegment(nodes, 1);
    const calm = { seed: 0, prng: new Calm(), rateError: 0 };
    this.#cluster = new Cluster({ ...calm, topology, hasGateway, code });
    this.#answering = [];
    this.#since = 0;
    this.cluster.api.watch(({ after }) => {
      if (after?.kind !== "vip") return;
      this.#note("Lease", `${after.record.owner ?? "nobody"}, epoch ${after.record.epoch}`);
    });
    this.cluster.startAll();
  }

  run(ms: number): void {
    const { queue } = this.cluster;
    const end = queue.now + ms;
    this.#look();
    while (queue.now < end) {
      this.cluster.run(Math.min(LOOK_EVERY_MS, end - queue.now));
      this.#look();
    }
  }

  /** Starts a story from one owner and always the same moment, whatever led there. */
  settle(): void {
    this.run(SETTLE_MS);
    const { name, clock, proof } = this.node("owner");
    const isRecent = (): boolean =>
      proof !== null && proof.tenureMax(0) - clock.now() > SETTLED_TENURE_MS;
    this.#runUntil(isRecent);
    this.#runUntil(() => !isRecent());
    this.#trace.take(0);
    this.#since = this.cluster.queue.now;
    const record = this.cluster.api.vip(this.#vip.address);
    this.#note(name, `is the owner, the Lease says epoch ${record?.epoch}`);
  }

  partition(one: readonly string[], other: readonly string[]): void {
    const { nodes } = this.cluster;
    const named = [...one, ...other].sort().join(" ");
    const all = nodes.map(({ name }) => name).join(" ");
    if (named !== all) throw new Error(`each of ${all} must be on one side`);
    this.segment.partition(nodes.map(({ name }) => (one.includes(name) ? 0 : 1)));
  }

  /** By its name, or the owner: who answers, or, when nobody does, whom the Lease names. */
  node(name: string): SimNode {
    if (name !== "owner") return this.cluster.node(name);
    const owner = this.#answers()[0] ?? this.cluster.api.vip(this.#vip.address)?.owner;
    if (owner == null) throw new Error("the VIP has no owner");
    return this.cluster.node(owner);
  }

  beginBlock(): void {
    this.#since = this.#cluster?.queue.now ?? 0;
  }

  takeTrace(): string[] {
    return this.#trace.take(this.#since);
  }

  get #vip(): VipPlan {
    const [vip] = this.cluster.vips;
    if (vip === undefined) throw new Error("there is no VIP");
    return vip;
  }

  #answers(): string[] {
    return this.cluster.answering(this.#vip);
  }

  #runUntil(isSo: () => boolean): void {
    const { queue } = this.cluster;
    const end = queue.now + DEFAULT_TIMINGS.holdMs;
    while (!isSo()) {
      if (queue.now >= end) throw new Error("the owner sends no beacons");
      this.run(LOOK_EVERY_MS);
    }
  }

  #look(): void {
    const before = this.#answering;
    const now = this.#answers();
    for (const name of now) if (!before.includes(name)) this.#note(name, "answers");
    for (const name of before) if (!now.includes(name)) this.#note(name, "answers no more");
    this.#answering = now;
  }

  #note(who: string, what: string): void {
    this.#trace.note(this.cluster.queue.now, who, what);
  }
}
