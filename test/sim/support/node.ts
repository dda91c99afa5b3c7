// One simulated node: a process around the shipped machine and responder that can crash, freeze as
// a whole, or stall in its main loop alone while the responder thread goes on.

import { createHash } from "node:crypto";
import type { Ip } from "../../../src/core/address.ts";
import { prefixOf } from "../../../src/core/address.ts";
import type { Ownership } from "../../../src/ownership/machine.ts";
import type { Timings } from "../../../src/ownership/timings.ts";
import type { Segment as Network, OwnershipEvent, VipSpec } from "../../../src/ownership/types.ts";
import type { Change, Lease, VirtualApi } from "./api.ts";
import { ApiLink } from "./api-link.ts";
import type { NodeClock } from "./clock.ts";
import type { Code } from "./code.ts";
import { Driver } from "./driver.ts";
import type { EventQueue } from "./event-queue.ts";
import { Inbox } from "./inbox.ts";
import type { Prng } from "./prng.ts";
import { Proof } from "./proof.ts";
import { INTERFACE, ResponderModel } from "./responder-model.ts";
import type { Segment } from "./segment.ts";
import { Violation } from "./violation.ts";

export interface NodeOptions {
  readonly name: string;
  readonly code: Code;
  readonly timings: Timings;
  readonly api: VirtualApi;
  readonly queue: EventQueue;
  readonly prng: Prng;
  readonly segment: Segment;
  readonly clock: NodeClock;
  readonly vips: () => readonly VipSpec[];
  readonly onAnsweringChanged: () => void;
  readonly onClaimSent: (node: string, address: Ip, proof: Proof) => void;
  readonly note: (text: string) => void;
}

/** Everything that dies with the process. */
interface Process {
  readonly machine: Ownership;
  readonly responder: ResponderModel;
  readonly driver: Driver;
  readonly proof: Proof;
}

const NETWORK: readonly Network[] = [
  { interface: INTERFACE, prefixes: [prefixOf("10.0.0.0" as Ip, 24)] },
];
const NETLINK_MS_MAX = 5;
/** The same text is hashed over and over; a simulation asks for few. */
const HASHES = new Map<string, string>();

export class SimNode {
  readonly name: string;
  readonly clock: NodeClock;
  readonly link: ApiLink;
  readonly port: number;
  readonly #options: NodeOptions;
  readonly #inbox = new Inbox();
  readonly #frames = new Inbox();
  #process: Process | null = null;
  #incarnation = 0;
  #isFrozen = false;
  #isStalled = false;
  #isStepping = false;
  #timerAt = Number.POSITIVE_INFINITY;
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.clock = options.clock;
    const { api, queue, prng, segment } = options;
    this.port = segment.attach({ receive: (address, from) => this.#receive(address, from) });
    this.link = new ApiLink({
      api,
      queue,
      prng,
      onChange: (change) => this.post("watch", () => this.#onChange(change)),
      onReplaced: (leases) => this.post("watch", () => this.#onReplaced(leases)),
    });
  }

  get isUp(): boolean {
    return this.#process !== null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get isStalled(): boolean {
    return this.#isStalled || this.#isFrozen;
  }

  get proof(): Proof | null {
    return this.#process?.proof ?? null;
  }

  get machine(): Ownership | null {
    return this.#process?.machine ?? null;
  }

  /** Whether the node answers for the address at this very moment. */
  answers(address: Ip): boolean {
    return !this.#isFrozen && this.#process?.responder.answers(address) === true;
  }

  start(): void {
    if (this.#process !== null) return;
    this.#incarnation += 1;
    this.#process = this.#spawn(this.#incarnation);
    this.link.reset();
    const { machine, driver, proof } = this.#process;
    proof.steps(this.clock.now(), this.#options.queue.now);
    driver.perform(machine.start(this.clock.now()));
    this.tellSegments();
    this.tellVips(this.#options.vips());
    this.#arm();
  }

  /** SIGKILL, or power. */
  crash(): void {
    this.#process = null;
    this.#isFrozen = false;
    this.#isStalled = false;
    this.#inbox.clear();
    this.#frames.clear();
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.link.reset();
  }

  stop(): void {
    this.post("signal", () => this.#step({ type: "stop" }));
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  stall(): void {
    this.#isStalled = true;
  }

  /** Goes on after a freeze or a stall: frames first, as the responder thread has its own loop. */
  wake(): void {
    if (this.#process === null) return;
    this.#isFrozen = false;
    this.#isStalled = false;
    this.#options.onAnsweringChanged();
    this.#frames.deliver(this.#options.prng);
    this.#process.responder.wake();
    this.#inbox.deliver(this.#options.prng);
    this.#arm();
  }

  tellSegments(): void {
    const { queue, prng, segment } = this.#options;
    queue.after(prng.between(0, NETLINK_MS_MAX), () => {
      this.post("netlink", () => {
        const segments = segment.hasCarrier(this.port) ? NETWORK : [];
        this.#step({ type: "segments", segments });
      });
    });
  }

  tellVips(changed: readonly VipSpec[], freed: readonly Ip[] = []): void {
    const { queue, prng } = this.#options;
    queue.after(prng.between(0, NETLINK_MS_MAX), () => {
      this.post("services", () => this.#step({ type: "vips", changed, freed }));
    });
  }

  /** Runs `work` in the main loop of this process, when that runs. */
  post(source: string, work: () => void): void {
    const process = this.#process;
    if (process === null) return;
    const mine = (): void => {
      if (this.#process === process) work();
    };
    if (this.isStalled) this.#inbox.push(source, mine);
    else {
      mine();
      this.#arm();
    }
  }

  #spawn(incarnation: number): Process {
    const { code, timings, api, queue, segment, onAnsweringChanged } = this.#options;
    const proof = new Proof(timings);
    const machine = new code.Ownership({ node: this.name, timings, sha256 });
    const responder = new ResponderModel(new code.ArpResponder(), {
      now: () => this.clock.now(),
      send: (address) => segment.broadcast(address, this.port),
      onHeard: (address, from) => this.post("responder", () => this.#onHeard(address, from)),
    });
    const driver = new Driver({
      node: this.name,
      incarnation,
      api,
      link: this.link,
      responder,
      proof,
      timeoutMs: timings.writeTimeoutMs,
      trueNow: () => queue.now,
      localNow: () => this.clock.now(),
      post: (source, work) => this.#postTo(incarnation, source, work),
      step: (event) => this.#step(event),
      onAnsweringChanged,
      onStopped: () => this.#onStopped(incarnation),
      onClaimSent: (address) => this.#options.onClaimSent(this.name, address, proof),
    });
    return { machine, responder, driver, proof };
  }

  /** An answer to a request of an earlier process reaches nobody. */
  #postTo(incarnation: number, source: string, work: () => void): void {
    if (incarnation === this.#incarnation) this.post(source, work);
  }

  #onStopped(incarnation: number): void {
    this.#options.note(`${this.name} stopped`);
    this.#options.queue.after(0, () => {
      if (incarnation === this.#incarnation) this.crash();
    });
  }

  #step(event: OwnershipEvent): void {
    const process = this.#process;
    if (process === null) return;
    if (this.#isStepping) throw new Violation("effects-in-order", `${this.name} steps in a step`);
    this.#isStepping = true;
    const now = this.clock.now();
    process.proof.steps(now, this.#options.queue.now);
    const effects = process.machine.step(event, now);
    if (effects.length > 0) this.#noteStep(event, effects);
    process.driver.perform(effects);
    this.#isStepping = false;
    if (event.type === "tick" && process.machine.nextDeadline(now) <= now) {
      throw new Violation("no-busy-loop", `${this.name} is due again at once`);
    }
  }

  #noteStep(event: OwnershipEvent, effects: readonly { type: string }[]): void {
    const names = effects.map((effect) => effect.type).join(" ");
    this.#options.note(`${this.name} ${event.type} -> ${names}`);
  }

  #receive(address: Ip, from: number): void {
    const process = this.#process;
    if (process === null) return;
    const look = (): void => {
      if (this.#process === process) process.responder.receive(address, from);
    };
    if (this.#isFrozen) this.#frames.push("wire", look);
    else look();
  }

  #onHeard(address: Ip, from: number): void {
    this.#process?.proof.heard(address, this.clock.now(), this.#options.queue.now);
    const mac = `02:00:00:00:00:${from.toString(16).padStart(2, "0")}` as never;
    this.#step({ type: "heard", address, interface: INTERFACE, mac });
  }

  #onChange({ before, after }: Change): void {
    if (after !== null) this.#onLease(after);
    else if (before?.kind === "member") {
      this.#step({ type: "member-gone", node: before.record.node });
    } else if (before?.kind === "vip") {
      this.#step({ type: "vip-record-gone", address: before.record.address });
    }
  }

  #onLease(lease: Lease): void {
    if (lease.kind === "member") this.#step({ type: "member", record: lease.record });
    else if (lease.kind === "vip") this.#step({ type: "vip-record", record: lease.record });
  }

  #onReplaced(leases: readonly Lease[]): void {
    for (const lease of leases) this.#onLease(lease);
    const known = this.#process?.machine.records() ?? [];
    const isListed = (address: Ip): boolean =>
      leases.some((lease) => lease.kind === "vip" && lease.record.address === address);
    for (const { address } of known) {
      if (!isListed(address)) this.#step({ type: "vip-record-gone", address });
    }
  }

  #arm(): void {
    const process = this.#process;
    if (process === null) return;
    const now = this.clock.now();
    this.#timerAt = this.#armAt(process.machine.nextDeadline(now), this.#timerAt, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.post("timer", () => this.#step({ type: "tick" }));
    });
    this.#wakeAt = this.#armAt(process.responder.nextDeadline(), this.#wakeAt, () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      if (this.#isFrozen) return;
      process.responder.wake();
      this.#arm();
    });
  }

  /** One timer a purpose, as in Node: whole milliseconds, and a later wish replaces an earlier. */
  #armAt(deadline: number, armedAt: number, run: () => void): number {
    const { queue } = this.#options;
    const local = deadline - this.clock.now();
    if (!Number.isFinite(local)) return armedAt;
    const wait = this.clock.trueMs(Math.max(0, Math.ceil(local)));
    const at = queue.now + wait;
    // An earlier timer looks again by itself; two of one moment are one.
    if (armedAt <= at + 1e-6) return armedAt;
    const incarnation = this.#incarnation;
    queue.after(wait, () => {
      if (incarnation === this.#incarnation && this.#process !== null) run();
    });
    return at;
  }
}

function sha256(text: string): string {
  let hash = HASHES.get(text);
  if (hash === undefined) {
    hash = createHash("sha256").update(text).digest("hex");
    HASHES.set(text, hash);
  }
  return hash;
}
