// One simulated node: a process around the shipped machine and responder that can crash, freeze as
// a whole, or stall in its main loop alone while the responder thread goes on.

import type { PeerNews } from "../../../src/beacon/news.ts";
import type { Ip } from "../../../src/core/address.ts";
import { prefixOf } from "../../../src/core/address.ts";
import type { Ownership } from "../../../src/ownership/machine.ts";
import type { Segment as Network, OwnershipEvent, VipSpec } from "../../../src/ownership/types.ts";
import type { Change, Lease } from "./api.ts";
import { ApiLink } from "./api-link.ts";
import type { NodeClock } from "./clock.ts";
import { Driver } from "./driver.ts";
import { cheapHash, sha256 } from "./hashes.ts";
import { Inbox } from "./inbox.ts";
import type { NodeOptions } from "./node-options.ts";
import { Proof } from "./proof.ts";
import { INTERFACE, ipOfPort, macOfPort, ResponderModel } from "./responder-model.ts";
import type { Frame } from "./segment.ts";
import { SimTimer } from "./timer.ts";
import { Violation } from "./violation.ts";

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
const MESSAGE_MS_MAX = 0.3;
const MULTIPLIER = 3;
const CLUSTER = "00".repeat(8);
const KEY = new Uint8Array(32);
/** Whoever simulates an attacker counts; here nobody does. */
const NO_HMAC = new Uint8Array(32);

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
  #frozenAt = 0;
  #mustFreeze = false;
  #upSince = 0;
  #startedAt = 0;
  #isStopping = false;
  #isStalled = false;
  #isStepping = false;
  #messageAt = 0;
  readonly #mainTimer: SimTimer;
  readonly #threadTimer: SimTimer;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.clock = options.clock;
    this.#mainTimer = new SimTimer(options.queue, options.clock);
    this.#threadTimer = new SimTimer(options.queue, options.clock);
    const { api, queue, prng, segment } = options;
    this.port = segment.attach({ receive: (frame, from) => this.#receive(frame, from) });
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

  /** When, in true time, the process began. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Since when, in true time, it runs without a pause and its link to the API is sound. */
  get soundSince(): number {
    if (this.isStalled) return Number.POSITIVE_INFINITY;
    return Math.max(this.#upSince, this.link.soundSince);
  }

  get isStopping(): boolean {
    return this.#isStopping;
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
    this.#upSince = this.#options.queue.now;
    this.#startedAt = this.#upSince;
    this.#isStopping = false;
    this.#incarnation += 1;
    this.#process = this.#spawn(this.#incarnation);
    this.link.reset();
    const { machine, driver, responder } = this.#process;
    const { engine } = responder;
    engine.setCluster(CLUSTER, this.clock.now());
    engine.setKeys(KEY, [KEY], this.clock.now());
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
    this.#mainTimer.clear();
    this.#threadTimer.clear();
    this.link.reset();
  }

  stop(): void {
    this.#isStopping = true;
    this.post("signal", () => {
      const responder = this.#process?.responder;
      responder?.perform(responder.engine.setState("stopping", this.clock.now()));
      this.#step({ type: "stop" });
    });
  }

  freeze(): void {
    if (!this.#isFrozen) this.#frozenAt = this.clock.now();
    this.#isFrozen = true;
    this.#mustFreeze = false;
  }

  /** Freezes between a send and the kernel's answer to it. */
  freezeAtNextSend(): void {
    this.#mustFreeze = true;
  }

  stall(): void {
    this.#isStalled = true;
  }

  /** Goes on after a freeze or a stall; timers, frames and the main loop in any order. */
  wake(): void {
    if (this.#process === null) return;
    const { prng, onWoken } = this.#options;
    if (this.isStalled) this.#upSince = this.#options.queue.now;
    const wasFrozen = this.#isFrozen;
    this.#isFrozen = false;
    this.#isStalled = false;
    this.#mustFreeze = false;
    const now = this.clock.now();
    if (wasFrozen) this.#process.proof.woke(now, now - this.#frozenAt);
    onWoken();
    const isTimerFirst = prng.chance(0.5);
    if (isTimerFirst) this.#process?.responder.wake();
    if (prng.chance(0.5)) this.#inbox.deliver(prng);
    this.#frames.deliver(prng);
    this.#process?.responder.wake();
    this.#inbox.deliver(prng);
    this.#arm();
  }

  tellSegments(): void {
    const { queue, prng, segment } = this.#options;
    queue.after(prng.between(0, NETLINK_MS_MAX), () => {
      this.post("netlink", () => {
        const segments = segment.hasCarrier(this.port) ? NETWORK : [];
        this.#tellEngine(segments.length > 0);
        this.#step({ type: "segments", segments });
      });
    });
  }

  #tellEngine(hasCarrier: boolean): void {
    const process = this.#process;
    if (process === null) return;
    const { responder } = process;
    const address = ipOfPort(this.port);
    const mac = macOfPort(this.port);
    const { gateway } = this.#options;
    const about = { interface: INTERFACE, mac, address, gateway };
    responder.perform(responder.engine.setSegments(hasCarrier ? [about] : [], this.clock.now()));
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
    const { code, timings, api, segment, onAnsweringChanged } = this.#options;
    const proof = new Proof(timings, this.clock.now());
    const machine = new code.Ownership({ node: this.name, timings, sha256 });
    const settings = { intervalMs: timings.holdMs / MULTIPLIER, multiplier: MULTIPLIER };
    const engine = new code.BeaconEngine({
      node: this.name,
      incarnation,
      settings,
      hmac: () => NO_HMAC,
      sha256: cheapHash,
    });
    const parts = { responder: new code.ArpResponder(), engine };
    const responder = new ResponderModel(parts, {
      now: () => this.clock.now(),
      send: (frame, to) => segment.send(frame, this.port, to),
      onBeaconSent: (sentAt, report) => {
        proof.beaconSent(sentAt);
        this.#afterSend(report);
      },
      onHeard: (address, from) => this.#fromThread(() => this.#onHeard(address, from)),
      onPeer: (news) => this.#fromThread(() => this.#onPeer(news)),
      onAnsweringChanged,
    });
    const driver = new Driver({
      node: this.name,
      incarnation,
      api,
      link: this.link,
      responder,
      timeoutMs: timings.writeTimeoutMs,
      localNow: () => this.clock.now(),
      post: (source, work) => this.#postTo(incarnation, source, work),
      step: (event) => this.#step(event),
      onAnsweringChanged,
      onStopped: () => this.#onStopped(incarnation),
    });
    return { machine, responder, driver, proof };
  }

  /** The kernel's answer to a send comes in a later turn; a freeze may come between. */
  #afterSend(report: () => void): void {
    const { queue, prng } = this.#options;
    const process = this.#process;
    if (this.#mustFreeze) this.freeze();
    queue.after(prng.between(0.01, 0.1), () => {
      if (this.#process !== process) return;
      if (this.#isFrozen) this.#frames.push("sent", report);
      else report();
    });
  }

  /** A message of the responder thread: it arrives a little later, in order. */
  #fromThread(work: () => void): void {
    const { queue, prng } = this.#options;
    const process = this.#process;
    this.#messageAt = Math.max(this.#messageAt, queue.now + prng.between(0.01, MESSAGE_MS_MAX));
    queue.after(this.#messageAt - queue.now, () => {
      if (this.#process === process) this.post("responder", work);
    });
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
    const effects = process.machine.step(event, now);
    if (effects.length > 0) this.#noteStep(event, effects);
    this.#isStepping = false;
    process.driver.perform(effects);
    process.responder.engine.setProbeTargets(process.machine.probeTargets(now));
    if (event.type === "tick" && process.machine.nextDeadline(now) <= now) {
      throw new Violation("no-busy-loop", `${this.name} is due again at once`);
    }
  }

  #noteStep(event: OwnershipEvent, effects: readonly { type: string }[]): void {
    const names = effects.map((effect) => effect.type).join(" ");
    this.#options.note(`${this.name} ${event.type} -> ${names}`);
  }

  #receive(frame: Frame, from: number): void {
    const process = this.#process;
    if (process === null) return;
    const look = (): void => {
      if (this.#process === process) process.responder.receive(frame, from);
    };
    if (this.#isFrozen) this.#frames.push("wire", look);
    else {
      look();
      this.#arm();
    }
  }

  #onHeard(address: Ip, from: number): void {
    this.#step({ type: "heard", address, interface: INTERFACE, mac: macOfPort(from) });
  }

  #onPeer(news: PeerNews): void {
    if (news.type !== "name-conflict") this.#step(news);
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
    this.#mainTimer.arm(process.machine.nextDeadline(this.clock.now()), () =>
      this.post("timer", () => this.#step({ type: "tick" })),
    );
    this.#threadTimer.arm(process.responder.nextDeadline(), () => {
      if (this.#isFrozen) return;
      process.responder.wake();
      this.#arm();
    });
  }
}
