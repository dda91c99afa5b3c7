// Drives the leadership: renews the Lease `lbd-controller`, and says when this node becomes and
// stops being the leader.

import type { Clock } from "../core/time.ts";
import type { LeaderRecord, Leadership, LeaderWrite } from "../ownership/leadership.ts";
import { LEADER_TIMINGS } from "../ownership/leadership.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import { MANAGED_BY } from "./ownership-driver.ts";
import { LEADER_LEASE, leaderRecord } from "./records.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface LeaderDriverOptions {
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly writer: LeaseWriter;
  /** False: another host has this node's name, and the Lease is not this one's to hold. */
  readonly mayLead: () => boolean;
  /** Called once with every change. */
  readonly onLeading: (isLeader: boolean) => void;
}

/** A host that must not lead asks again after this. */
const LOOK_AGAIN_MS = 1_000;

export class LeaderDriver implements Task {
  readonly name = "leadership";
  readonly #options: LeaderDriverOptions;
  #isLeading = false;
  #isRunning = false;
  #timer: NodeJS.Timeout | undefined;
  /** The renewal or acquisition in flight. */
  #writing: Promise<void> | null = null;

  constructor(options: LeaderDriverOptions) {
    this.#options = options;
  }

  get isLeading(): boolean {
    const { leadership, clock } = this.#options;
    return this.#isLeading && leadership.isLeader(clock.boot());
  }

  /** Who led before has not given it up: what was sent by them may still arrive. */
  get isAfterLapse(): boolean {
    return this.#options.leadership.isAfterLapse;
  }

  /** Who leads, as far as is known; the holder of the Lease is a node and its incarnation. */
  get status(): { node: string | null; isThisNode: boolean } {
    const node = this.#options.leadership.holder?.replace(/_[0-9a-f]*$/, "") ?? null;
    return { node, isThisNode: this.isLeading };
  }

  /** The Lease as a list or a watch shows it; null when there is none. */
  observe(record: LeaderRecord | null): void {
    this.#options.leadership.observe(record, this.#options.clock.boot());
    this.#step();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    this.#step();
    await aborted(signal);
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  /** Gives the Lease up, so that the next leader need not wait; what is being written, too. */
  async stop(): Promise<void> {
    const { leadership } = this.#options;
    let write = leadership.stop();
    this.#tellLeading();
    if (this.#writing !== null) {
      await this.#writing;
      write = leadership.stop();
    }
    if (write !== null) await this.#write(write);
  }

  #step(): void {
    const { leadership, clock } = this.#options;
    this.#tellLeading();
    if (!this.#isRunning) return;
    clearTimeout(this.#timer);
    if (!this.#options.mayLead()) {
      this.#timer = setTimeout(() => this.#step(), LOOK_AGAIN_MS);
      return;
    }
    const now = clock.boot();
    const write = leadership.takeWrite(now);
    if (write !== null) this.#writing = this.#writeAndStep(write);
    const wait = Math.max(0, leadership.nextDeadline(now) - now);
    if (Number.isFinite(wait)) this.#timer = setTimeout(() => this.#step(), Math.ceil(wait));
  }

  async #writeAndStep(write: LeaderWrite): Promise<void> {
    const { sentAt, outcome } = await this.#write(write);
    this.#writing = null;
    this.#options.leadership.written(sentAt, outcome, this.#options.clock.boot());
    this.#step();
  }

  #write(write: LeaderWrite) {
    const lease = {
      name: LEADER_LEASE,
      labels: MANAGED_BY,
      holderIdentity: write.holder ?? "",
      leaseDurationSeconds: LEADER_TIMINGS.leaseDurationMs / 1_000,
      leaseTransitions: write.transitions,
    };
    const { resourceVersion } = write;
    const request = { lease, resourceVersion, timeoutMs: LEADER_TIMINGS.writeTimeoutMs };
    return this.#options.writer.write(request, leaderRecord);
  }

  #tellLeading(): void {
    const { leadership, clock, onLeading } = this.#options;
    const isLeading = leadership.isLeader(clock.boot());
    if (isLeading === this.#isLeading) return;
    this.#isLeading = isLeading;
    onLeading(isLeading);
  }
}
