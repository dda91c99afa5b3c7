// A cluster on one segment with one API server, put together from its parts.

import type { Ip } from "../../../src/core/address.ts";
import type { Timings } from "../../../src/ownership/timings.ts";
import type { NodePlacement, Serving, VipSpec } from "../../../src/ownership/types.ts";
import { VirtualApi } from "./api.ts";
import { NodeClock } from "./clock.ts";
import type { Code } from "./code.ts";
import { SHIPPED } from "./code.ts";
import { EventQueue } from "./event-queue.ts";
import { Ledger, UNCOUNTED } from "./harm.ts";
import { SimNode } from "./node.ts";
import { Oracle } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { Segment } from "./segment.ts";
import { type Bounds, boundsOf, DEFAULT_SETTINGS, type Settings, timingsOf } from "./settings.ts";

export interface ClusterOptions {
  readonly seed: number;
  /** Where chance comes from instead of the seed. */
  readonly prng?: Prng;
  readonly nodes: number;
  readonly vips: number;
  readonly code?: Code;
  readonly settings?: Settings;
  /** Clocks run within 1 +- this of true time. */
  readonly rateError?: number;
  /** Whether the segment has a gateway that answers. */
  readonly hasGateway?: boolean;
}

const GATEWAY = "10.0.1.254" as Ip;

const PROBE_EVERY_MS = 100;
const TRACE_LINES_MAX = 60;
const HEALTHY: NodePlacement = { allowed: true, interfaces: null, unhealthy: null };

export class Cluster {
  readonly queue = new EventQueue();
  readonly prng: Prng;
  readonly api = new VirtualApi();
  readonly ledger = new Ledger(this.queue);
  readonly segment: Segment;
  readonly nodes: readonly SimNode[];
  readonly addresses: readonly Ip[];
  readonly oracle: Oracle;
  readonly hasGateway: boolean;
  readonly settings: Settings;
  readonly timings: Timings;
  readonly bounds: Bounds;
  readonly #placements = new Map<string, NodePlacement>();
  readonly #serving = new Map<Ip, Serving>();
  readonly #lines: string[] = [];
  #hash = 0x811c9dc5;
  #mustProbe = false;

  constructor(options: ClusterOptions) {
    const { nodes, vips, rateError = 0.05, settings = DEFAULT_SETTINGS } = options;
    this.settings = settings;
    this.timings = timingsOf(settings);
    this.bounds = boundsOf(settings, nodes, rateError);
    this.prng = options.prng ?? new Prng(options.seed);
    this.hasGateway = options.hasGateway === true;
    this.segment = new Segment(this.queue, this.prng);
    this.addresses = Array.from({ length: vips }, (_, index) => `10.0.0.${index + 1}` as Ip);
    const names = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    for (const name of names) this.#placements.set(name, HEALTHY);
    this.nodes = names.map((name) => this.#newNode(name, rateError, options));
    const { api, queue, segment, addresses, bounds } = this;
    const onMove = (): void => this.ledger.moved();
    this.oracle = new Oracle({ api, queue, segment, nodes: this.nodes, addresses, bounds, onMove });
    this.segment.onTrouble = () => {
      this.oracle.onTrouble();
      this.#mustProbe = true;
    };
    this.segment.onLate = () => this.oracle.onLate();
    if (this.hasGateway) this.#attachGateway();
    this.#probeRegularly();
  }

  /** It answers for itself and for nothing else. */
  #attachGateway(): void {
    const { segment } = this;
    const port = segment.attach({
      isListening: true,
      receive: (frame, from) => {
        if (frame.kind !== "probe" || frame.address !== GATEWAY) return;
        segment.send({ kind: "answer", address: GATEWAY }, port, from);
      },
    });
  }

  /** Lets `ms` of true time pass, looking at everybody whenever an answer may have changed. */
  run(ms: number): void {
    this.queue.runUntil(this.queue.now + ms, () => {
      if (!this.#mustProbe) return;
      this.#mustProbe = false;
      this.oracle.probe();
    });
  }

  startAll(): void {
    for (const node of this.nodes) node.start();
  }

  /** Everything works again and every process runs. */
  heal(): void {
    this.note("healed");
    this.ledger.endAll();
    this.segment.heal();
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

  setCarrier(node: SimNode, hasCarrier: boolean, harm = UNCOUNTED): void {
    this.segment.setCarrier(node.port, hasCarrier, harm);
    node.tellSegments();
  }

  setPlacement(name: string, placement: NodePlacement, harm = UNCOUNTED): void {
    this.#placements.set(name, placement);
    const specs = this.specs();
    for (const node of this.nodes) node.tellVips(specs, harm);
  }

  setServing(address: Ip, serving: Serving, harm = UNCOUNTED): void {
    this.#serving.set(address, serving);
    const specs = this.specs().filter((spec) => spec.address === address);
    for (const node of this.nodes) node.tellVips(specs, harm);
  }

  specs(): VipSpec[] {
    const placement = { pool: "pool", nodes: new Map(this.#placements) };
    return this.addresses.map((address) => {
      const serving = this.#serving.get(address) ?? "everywhere";
      return { address, rankBy: address, placement, serving };
    });
  }

  node(name: string): SimNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`Cannot find node "${name}"`);
    return found;
  }

  /** An answer that leads to the owner, from it or from whom stands in for it. */
  isAnswered(address: Ip): boolean {
    return this.nodes.some((node) => node.answers(address) || node.standsIn(address));
  }

  answering(address: Ip): string[] {
    return this.nodes.filter((node) => node.answers(address)).map((node) => node.name);
  }

  /** A number that two runs share only if they did the same. */
  get fingerprint(): number {
    return this.#hash >>> 0;
  }

  /** The last things that happened. */
  get trace(): readonly string[] {
    return this.#lines.slice(-TRACE_LINES_MAX);
  }

  note(text: string): void {
    const line = `${this.queue.now.toFixed(1)} ${text}`;
    for (let i = 0; i < line.length; i++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(i), 0x01000193);
    }
    this.#lines.push(line);
    if (this.#lines.length > 2 * TRACE_LINES_MAX) this.#lines.splice(0, TRACE_LINES_MAX);
  }

  #newNode(name: string, rateError: number, options: ClusterOptions): SimNode {
    const { queue, prng, api, segment } = this;
    const offset = prng.between(0, 1e6);
    const rate = prng.between(1 - rateError, 1 + rateError);
    return new SimNode({
      name,
      code: options.code ?? SHIPPED,
      settings: this.settings,
      timings: this.timings,
      api,
      queue,
      prng,
      segment,
      clock: new NodeClock(queue, { offset, rate }),
      vips: () => this.specs(),
      onAnsweringChanged: () => {
        this.#mustProbe = true;
      },
      onOffer: (address, from, to) => this.oracle.onOffer(address, from, to),
      onWoken: () => this.oracle.probe(),
      gateway: options.hasGateway === true ? GATEWAY : null,
      note: (text) => this.note(text),
    });
  }

  #probeRegularly(): void {
    this.#mustProbe = true;
    this.queue.after(PROBE_EVERY_MS, () => this.#probeRegularly());
  }
}
