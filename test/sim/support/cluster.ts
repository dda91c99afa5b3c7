// A cluster on one to three segments with one API server, put together from its parts.

import type { Ip } from "../../../src/core/address.ts";
import type { Timings } from "../../../src/ownership/timings.ts";
import type { NodePlacement, Serving, VipSpec } from "../../../src/ownership/types.ts";
import { VirtualApi } from "./api.ts";
import { Client } from "./client.ts";
import { NodeClock } from "./clock.ts";
import type { Code } from "./code.ts";
import { SHIPPED } from "./code.ts";
import { EventQueue } from "./event-queue.ts";
import { ForeignHost } from "./foreign-host.ts";
import { type Harm, Ledger, UNCOUNTED } from "./harm.ts";
import { gatewayIp, interfaceOn, macOfPort } from "./lan.ts";
import { SimNode } from "./node.ts";
import { Oracle } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { Segment } from "./segment.ts";
import { type Bounds, boundsOf, DEFAULT_SETTINGS, type Settings, timingsOf } from "./settings.ts";
import type { Topology, VipPlan } from "./topology.ts";

export interface ClusterOptions {
  readonly seed: number;
  /** Where chance comes from instead of the seed. */
  readonly prng?: Prng;
  readonly topology: Topology;
  readonly code?: Code;
  readonly settings?: Settings;
  /** Clocks run within 1 +- this of true time. */
  readonly rateError?: number;
  /** Whether each segment has a gateway that answers. */
  readonly hasGateway?: boolean;
}

const PROBE_EVERY_MS = 100;
const TRACE_LINES_MAX = 60;
const HEALTHY: NodePlacement = { allowed: true, interfaces: null, unhealthy: null };

const NOT_SELECTED: NodePlacement = { allowed: false, reason: "no L2Advertisement selects it" };

export class Cluster {
  readonly queue = new EventQueue();
  readonly prng: Prng;
  readonly api = new VirtualApi();
  readonly ledger = new Ledger(this.queue);
  readonly segments: readonly Segment[];
  /** By segment. */
  readonly clients: readonly Client[];
  /** By segment. */
  readonly foreigners: readonly ForeignHost[];
  readonly vips: readonly VipPlan[];
  /** Those whose owner counted as mute some time. */
  readonly muted = new Set<Ip>();
  readonly nodes: readonly SimNode[];
  readonly addresses: readonly Ip[];
  readonly oracle: Oracle;
  readonly hasGateway: boolean;
  readonly settings: Settings;
  readonly timings: Timings;
  readonly bounds: Bounds;
  readonly #placements = new Map<string, NodePlacement>();
  /** By pool: the nodes that its advertisements select, where not all. */
  readonly #pools = new Map<string, readonly string[]>();
  /** What the foreign hosts do is put down to it. */
  foreignHarm: Harm = UNCOUNTED;
  readonly #serving = new Map<Ip, Serving>();
  readonly #lines: string[] = [];
  /** All faults, with their times: the lines forget. */
  readonly schedule: string[] = [];
  #hash = 0x811c9dc5;
  #mustProbe = false;

  constructor(options: ClusterOptions) {
    const { topology, rateError = 0.05, settings = DEFAULT_SETTINGS } = options;
    this.settings = settings;
    this.timings = timingsOf(settings);
    this.bounds = boundsOf(settings, topology.nodes.length, rateError);
    this.prng = options.prng ?? new Prng(options.seed);
    this.hasGateway = options.hasGateway === true;
    const { queue, prng } = this;
    this.segments = Array.from({ length: topology.segments }, () => new Segment(queue, prng));
    this.vips = topology.vips;
    this.addresses = this.vips.map(({ address }) => address);
    this.nodes = topology.nodes.map((on, index) => {
      this.#placements.set(`n${index + 1}`, HEALTHY);
      return this.#newNode(`n${index + 1}`, on, rateError, options);
    });
    if (this.hasGateway) this.segments.forEach(attachGateway);
    this.clients = this.segments.map((segment, index) => this.#newClient(segment, index));
    this.foreigners = this.segments.map((segment, index) => this.#newForeigner(segment, index));
    this.oracle = this.#newOracle();
    this.segments.forEach((segment, index) => {
      segment.onTrouble = () => {
        this.oracle.onTrouble(index);
        this.#mustProbe = true;
      };
      segment.onLost = () => this.oracle.onTrouble(index);
      segment.onLate = () => this.oracle.onLate(index);
    });
    this.#probeRegularly();
  }

  /** Lets `ms` of true time pass, looking at everybody whenever an answer may have changed. */
  run(ms: number): void {
    const probe = (): void => {
      if (!this.#mustProbe) return;
      this.#mustProbe = false;
      this.oracle.probe();
    };
    // What was done to it since it ran last happened now, not with its next event.
    probe();
    this.queue.runUntil(this.queue.now + ms, probe);
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
  }

  /** Everything works again and every process runs. */
  heal(): void {
    this.note("healed");
    this.ledger.endAll();
    for (const segment of this.segments) segment.heal();
    for (const foreigner of this.foreigners) foreigner.end();
    for (const { pool } of this.vips) this.setPool(pool, null);
    for (const address of this.addresses) this.setServing(address, "everywhere");
    for (const node of this.nodes) {
      this.setPlacement(node.name, HEALTHY);
      if (node.isDraining) node.setDraining(false);
      node.link.heal();
      node.wake();
      node.start();
      node.tellSegments();
      // One that was asked to stop before does so first.
      for (const ms of [2_000, 6_000, 12_000]) this.queue.after(ms, () => node.start());
    }
  }

  setCarrier(node: SimNode, segment: number, hasCarrier: boolean, harm = UNCOUNTED): void {
    this.segments[segment]?.setCarrier(node.port, hasCarrier, harm);
    node.tellSegments();
  }

  setPlacement(name: string, placement: NodePlacement, harm = UNCOUNTED): void {
    this.#placements.set(name, placement);
    const specs = this.specs();
    for (const node of this.nodes) node.tellVips(specs, harm);
  }

  /** What the advertisements of a pool say: only these nodes; null: all. */
  setPool(pool: string, nodes: readonly string[] | null, harm = UNCOUNTED): void {
    if (nodes === null) this.#pools.delete(pool);
    else this.#pools.set(pool, nodes);
    const specs = this.specs().filter(({ placement }) => placement.pool === pool);
    for (const node of this.nodes) node.tellVips(specs, harm);
  }

  setServing(address: Ip, serving: Serving, harm = UNCOUNTED): void {
    this.#serving.set(address, serving);
    const specs = this.specs().filter((spec) => spec.address === address);
    for (const node of this.nodes) node.tellVips(specs, harm);
  }

  specs(): VipSpec[] {
    return this.vips.map((plan) => {
      const { address, rankBy, pool } = plan;
      const serving = this.#serving.get(address) ?? "everywhere";
      return { address, rankBy, placement: { pool, nodes: this.#placed(plan) }, serving };
    });
  }

  #placed({ isNamed, segments, pool }: VipPlan): Map<string, NodePlacement> {
    const selected = this.#pools.get(pool);
    const interfaces = isNamed ? segments.map(interfaceOn) : null;
    const placements = [...this.#placements].map(([name, placement]) => {
      const isSelected = selected?.includes(name) !== false;
      if (!isSelected) return [name, NOT_SELECTED] as const;
      return [name, placement.allowed ? { ...placement, interfaces } : placement] as const;
    });
    return new Map(placements);
  }

  node(name: string): SimNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`Cannot find node "${name}"`);
    return found;
  }

  /** On each of its segments an answer leads to the owner, by it or by whom stands in for it. */
  isAnswered({ address, segments }: VipPlan): boolean {
    return segments.every((segment) =>
      this.nodes.some((node) => node.answers(address, segment) || node.standsIn(address, segment)),
    );
  }

  /** It has an interface where the VIP is answered. */
  canHave({ network }: SimNode, { segments }: VipPlan): boolean {
    return segments.some((segment) => network.on.includes(segment));
  }

  /** The nodes that answer for it, wherever. */
  answering({ address, segments }: VipPlan): string[] {
    const isOne = (node: SimNode): boolean => segments.some((one) => node.answers(address, one));
    return this.nodes.filter(isOne).map((node) => node.name);
  }

  /** A number that two runs share only if they did the same. */
  get fingerprint(): number {
    return this.#hash >>> 0;
  }

  /** The last things that happened. */
  get trace(): readonly string[] {
    return this.#lines.slice(-TRACE_LINES_MAX);
  }

  noteFault(text: string): void {
    this.schedule.push(`${this.queue.now.toFixed(1)} ${text}`);
    this.note(`fault ${text}`);
  }

  note(text: string): void {
    const line = `${this.queue.now.toFixed(1)} ${text}`;
    for (let i = 0; i < line.length; i++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    }
    this.#lines.push(line);
    if (this.#lines.length > 2 * TRACE_LINES_MAX) this.#lines.splice(0, TRACE_LINES_MAX);
  }

  #newNode(
    name: string,
    on: readonly number[],
    rateError: number,
    options: ClusterOptions,
  ): SimNode {
    const { queue, prng, api, segments } = this;
    const offset = prng.between(0, 1e6);
    const rate = prng.between(1 - rateError, 1 + rateError);
    return new SimNode({
      ...{ name, api, queue, prng, segments, on },
      code: options.code ?? SHIPPED,
      settings: this.settings,
      timings: this.timings,
      clock: new NodeClock(queue, { offset, rate }),
      vips: () => this.specs(),
      onAnsweringChanged: () => {
        this.#mustProbe = true;
      },
      onOffer: (address, from, to) => this.oracle.onOffer(address, from, to),
      onWoken: () => this.oracle.probe(),
      onAnnounced: (address, segment, node) => this.oracle.onAnnounced(address, segment, node),
      onMute: (address) => this.muted.add(address),
      hasGateway: this.hasGateway,
      note: (text) => this.note(text),
    });
  }

  #newClient(segment: Segment, index: number): Client {
    const { queue, prng } = this;
    const vips = this.vips.filter(({ segments }) => segments.includes(index));
    return new Client({ queue, prng, segment, vips: vips.map(({ address }) => address) });
  }

  #newForeigner(segment: Segment, index: number): ForeignHost {
    const { queue } = this;
    const onFrame = (address: Ip, port: number): void => {
      if (this.oracle.onForeign(address, index, port)) this.foreignHarm.hit();
    };
    return new ForeignHost({ queue, segment, index, onFrame });
  }

  #newOracle(): Oracle {
    const { api, queue, segments, clients, nodes, vips, bounds } = this;
    const onMove = (): void => this.ledger.moved();
    const { muted } = this;
    return new Oracle({ api, queue, segments, clients, nodes, vips, bounds, muted, onMove });
  }

  #probeRegularly(): void {
    this.#mustProbe = true;
    this.queue.after(PROBE_EVERY_MS, () => this.#probeRegularly());
  }
}

/** It answers for itself and for nothing else. */
function attachGateway(segment: Segment, index: number): void {
  const address = gatewayIp(index);
  const port = segment.attach({
    isListening: true,
    takesDatagrams: false,
    receive: (frame, from) => {
      if (frame.kind !== "probe" || frame.address !== address) return;
      segment.send({ kind: "answer", address, mac: macOfPort(index, port) }, port, from);
    },
  });
}
