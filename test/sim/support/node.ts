// One simulated node: a process around the shipped machine and responder that can crash, freeze as
// a whole, or stall in its main loop alone while the responder thread goes on.

import type { Ip } from "../../../src/core/address.ts";
import type { PeerState } from "../../../src/core/peer.ts";
import type { Ownership } from "../../../src/ownership/machine.ts";
import type { OwnershipEvent, VipSpec } from "../../../src/ownership/types.ts";
import { ApiLink } from "./api-link.ts";
import type { NodeClock } from "./clock.ts";
import { Interruption, UNCOUNTED } from "./harm.ts";
import { Inbox } from "./inbox.ts";
import { networkOf } from "./lan.ts";
import { eventsOf, eventsOfList } from "./lease-events.ts";
import { Network } from "./network.ts";
import type { NodeOptions } from "./node-options.ts";
import { type NodeProcess, newProcess } from "./node-process.ts";
import type { Proof } from "./proof.ts";
import type { Frame } from "./segment.ts";
import { SimTimer } from "./timer.ts";
import { Violation } from "./violation.ts";

const NETLINK_MS_MAX = 5;
const MESSAGE_MS_MAX = 0.3;

export class SimNode {
  readonly name: string;
  readonly clock: NodeClock;
  readonly link: ApiLink;
  readonly network: Network;
  readonly #options: NodeOptions;
  readonly #interruption = new Interruption();
  #stopHarm = UNCOUNTED;
  readonly #inbox = new Inbox();
  readonly #frames = new Inbox();
  #process: NodeProcess | null = null;
  #incarnation = 0;
  #isFrozen = false;
  #frozenAt = 0;
  #mustFreeze = false;
  #upSince = 0;
  #pausedAt = 0;
  #startedAt = 0;
  #isStopping = false;
  #isDraining = false;
  /** It is drained of what nobody takes, too. */
  #isForced = false;
  #isStalled = false;
  #isStepping = false;
  #messageAt = 0;
  readonly #mainTimer: SimTimer;
  readonly #threadTimer: SimTimer;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.name = options.name;
    this.clock = options.clock;
    const tick = (): void => this.#step({ type: "tick" });
    this.#mainTimer = new SimTimer(options, () => this.post("timer", tick));
    this.#threadTimer = new SimTimer(options, () => this.#onThreadTimer());
    const { api, queue, prng, segments, on } = options;
    const isListening = (): boolean => this.#process !== null;
    const receive = this.#receive.bind(this);
    this.network = new Network({ segments, on, isListening, receive });
    this.link = new ApiLink({
      api,
      queue,
      prng,
      isListening,
      onChange: (change) =>
        this.post("watch", () => this.#stepAll(eventsOf(change), change.byHand ?? UNCOUNTED)),
      onReplaced: (leases) =>
        this.post("watch", () => {
          const known = this.#process?.machine.views.records() ?? [];
          this.#stepAll(eventsOfList(leases, known));
        }),
    });
  }

  get port(): number {
    return this.network.port;
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

  /** It began while this one did not run: they may not have met yet. */
  hasMissedStartOf(other: SimNode): boolean {
    return other.startedAt > this.#pausedAt && other.startedAt < this.#upSince;
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

  /** Whether the node answers for the address on the segment at this very moment. */
  answers(address: Ip, segment: number): boolean {
    return !this.#isFrozen && this.#process?.responder.answers(address, segment) === true;
  }

  /** Whether it answers in place of an owner that restarts. */
  standsIn(address: Ip, segment: number): boolean {
    return !this.#isFrozen && this.#process?.responder.standsInWith(address, segment) != null;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** For how long, in true time, its process knows that it is drained; negative: it does not. */
  get drainedForMs(): number {
    return this.#options.queue.now - (this.#process?.drainedAt ?? Number.POSITIVE_INFINITY);
  }

  start(): void {
    this.network.hasPower = true;
    if (this.#process !== null) return;
    this.#interruption.end(this.clock.now());
    this.#upSince = this.#options.queue.now;
    this.#startedAt = this.#upSince;
    this.#isStopping = false;
    this.#incarnation += 1;
    this.#process = this.#spawn(this.#incarnation);
    this.link.reset();
    const { machine, driver } = this.#process;
    driver.perform(machine.start(this.clock.now()));
    this.tellSegments();
    this.tellVips(this.#options.vips());
    if (this.#isDraining) this.setDraining(true);
    this.#arm();
  }

  crash(harm = UNCOUNTED): void {
    this.network.hasPower = false;
    this.kill(harm);
  }

  /** The process is replaced by another one, which begins `downMs` after the end of the first. */
  restart(downMs: number, harm = UNCOUNTED): void {
    const { queue, timings } = this.#options;
    const process = this.#process;
    this.#tellState("restarting");
    const replace = (): void => {
      if (process === null || this.#process !== process) return;
      this.kill(harm);
      queue.after(downMs, () => {
        if (this.network.hasPower) this.start();
      });
    };
    queue.after(timings.holdMs, () => this.post("exit", () => queue.after(0, replace)));
  }

  setDraining(isDraining: boolean, force = this.#isForced, harm = UNCOUNTED): void {
    this.#isDraining = isDraining;
    this.#isForced = force;
    this.#tellState(isDraining ? "draining" : "live");
    const event = isDraining ? ({ type: "drain", force } as const) : { type: "undrain" };
    this.post("socket", () => {
      const drainedAt = isDraining ? this.#options.queue.now : Number.POSITIVE_INFINITY;
      if (this.#process !== null) this.#process.drainedAt = drainedAt;
      this.#step(event as OwnershipEvent, harm);
    });
  }

  move(address: Ip, to: string, harm = UNCOUNTED): void {
    this.post("socket", () => this.#step({ type: "move", address, to }, harm));
  }

  #tellState(state: PeerState): void {
    this.post("signal", () => {
      const responder = this.#process?.responder;
      responder?.perform(responder.engine.setState(state, this.clock.now()));
    });
  }

  /** SIGKILL: the host goes on. */
  kill(harm = UNCOUNTED): void {
    if (this.#process !== null) {
      const { machine, responder } = this.#process;
      const dueAt = Math.min(machine.nextDeadline(this.clock.now()), responder.nextDeadline());
      this.#interruption.replace(harm, dueAt);
    }
    this.#process = null;
    this.#isFrozen = false;
    this.#isStalled = false;
    this.#mustFreeze = false;
    this.#inbox.clear();
    this.#frames.clear();
    this.#mainTimer.clear();
    this.#threadTimer.clear();
    this.link.reset();
  }

  stop(harm = UNCOUNTED): void {
    this.#stopHarm = harm;
    this.#isStopping = true;
    this.#tellState("stopping");
    this.post("signal", () => this.#step({ type: "stop" }));
  }

  freeze(harm = UNCOUNTED): void {
    this.#interruption.begin(harm);
    if (!this.#isFrozen) this.#frozenAt = this.clock.now();
    if (!this.isStalled) this.#pausedAt = this.#options.queue.now;
    this.#isFrozen = true;
    this.#mustFreeze = false;
  }

  /** Freezes between a send and the kernel's answer to it. */
  freezeAtNextSend(harm = UNCOUNTED): void {
    this.#interruption.begin(harm);
    this.#mustFreeze = true;
  }

  stall(harm = UNCOUNTED): void {
    this.#interruption.begin(harm);
    if (!this.isStalled) this.#pausedAt = this.#options.queue.now;
    this.#isStalled = true;
  }

  /** Goes on after a freeze or a stall; timers, frames and the main loop in any order. */
  wake(): void {
    if (this.#process === null) return;
    this.#interruption.end(this.clock.now());
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
    const { queue, prng, hasGateway } = this.#options;
    queue.after(prng.between(0, NETLINK_MS_MAX), () => {
      this.post("netlink", () => {
        const carriers = this.network.carriers();
        this.#process?.responder.setCarriers(carriers, hasGateway);
        this.#step({ type: "segments", segments: networkOf(carriers) });
      });
    });
  }

  tellVips(changed: readonly VipSpec[], harm = UNCOUNTED): void {
    const { queue, prng } = this.#options;
    queue.after(prng.between(0, NETLINK_MS_MAX), () => {
      this.post("services", () => this.#step({ type: "vips", changed, freed: [] }, harm));
    });
  }

  /** Runs `work` in the main loop of this process, when that runs. */
  post(source: string, work: () => void): void {
    const process = this.#process;
    if (process === null) return;
    if (!this.isStalled) {
      work();
      return this.#arm();
    }
    this.#inbox.push(source, () => {
      if (this.#process === process) work();
    });
    this.#interruption.met();
  }

  #spawn(incarnation: number): NodeProcess {
    return newProcess(this.#options, {
      incarnation,
      clock: this.clock,
      link: this.link,
      network: this.network,
      afterSend: (report) => this.#afterSend(report),
      fromThread: (work) => this.#fromThread(work),
      post: (source, work) => this.#postTo(incarnation, source, work),
      step: (event) => this.#step(event),
      onStopped: () => this.#onStopped(incarnation),
    });
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
      if (incarnation === this.#incarnation) this.kill(this.#stopHarm);
    });
  }

  #step(event: OwnershipEvent, harm = UNCOUNTED): void {
    const process = this.#process;
    if (process === null) return;
    if (this.#isStepping) throw new Violation("effects-in-order", `${this.name} steps in a step`);
    this.#isStepping = true;
    const now = this.clock.now();
    const effects = process.machine.step(event, now);
    if (effects.length > 0) {
      harm.hit();
      const names = effects.map((effect) => effect.type).join(" ");
      this.#options.note(`${this.name} ${event.type} -> ${names}`);
    }
    this.#isStepping = false;
    process.driver.perform(effects);
    process.responder.engine.setProbeTargets(process.machine.views.probeTargets(now));
    if (event.type === "tick" && process.machine.nextDeadline(now) <= now) {
      throw new Violation("no-busy-loop", `${this.name} is due again at once`);
    }
  }

  #stepAll(events: readonly OwnershipEvent[], harm = UNCOUNTED): void {
    for (const event of events) this.#step(event, harm);
  }

  #receive(segment: number, frame: Frame, from: number): void {
    const process = this.#process;
    if (process === null || this.#isFrozen) this.#interruption.met();
    if (process === null) return;
    if (this.#isFrozen) {
      this.#frames.push("wire", () => {
        if (this.#process === process) process.responder.receive(segment, frame, from);
      });
      return;
    }
    process.responder.receive(segment, frame, from);
    this.#arm();
  }

  #arm(): void {
    const process = this.#process;
    if (process === null) return;
    this.#mainTimer.arm(process.machine.nextDeadline(this.clock.now()));
    this.#threadTimer.arm(process.responder.nextDeadline());
  }

  #onThreadTimer(): void {
    if (this.#isFrozen) return this.#interruption.met();
    this.#process?.responder.wake();
    this.#arm();
  }
}
