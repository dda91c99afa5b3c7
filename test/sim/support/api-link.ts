// One node's way to the API server: requests with latency, outages, lost answers and time limits,
// and a watch that comes late, stands still, and is listed anew after it broke.

import type { Change, Lease, VirtualApi } from "./api.ts";
import type { EventQueue } from "./event-queue.ts";
import { UNCOUNTED } from "./harm.ts";
import type { Prng } from "./prng.ts";

export interface ApiLinkOptions {
  readonly api: VirtualApi;
  readonly queue: EventQueue;
  readonly prng: Prng;
  /** Whether a process is there that its changes are for. */
  readonly isListening: () => boolean;
  readonly onChange: (change: Change) => void;
  /** After a watch broke: everything there is. */
  readonly onReplaced: (leases: readonly Lease[]) => void;
}

export interface Call<T> {
  /** Done by the server, at one moment. */
  readonly execute: () => T;
  readonly timeoutMs: number;
  /** What the client gets, and when the server did it (null: it is not known that it did). */
  readonly done: (answer: T | "failed", executedAt: number | null) => void;
}

const LATENCY_MS_MAX = 8;
const WATCH_DELAY_MS_MAX = 10;
const RELIST_MS_MAX = 2_000;
/** A refused connection fails at once; half of the outages are of that sort. */
const REFUSED_MS = 1;

export class ApiLink {
  readonly #options: ApiLinkOptions;
  #isUp = true;
  #isRefusing = false;
  #watchFreeAt = 0;
  #isWatching = true;
  #epoch = 0;
  #extraLatencyMs = 0;
  #answerLoss = 0;
  #downHarm = UNCOUNTED;
  #slowHarm = UNCOUNTED;
  #lossHarm = UNCOUNTED;
  #stallHarm = UNCOUNTED;
  #soundSince = 0;

  constructor(options: ApiLinkOptions) {
    this.#options = options;
    options.api.watch((change) => this.#onChange(change));
  }

  /** Up to so much is added to every way. */
  slow(extraLatencyMs: number, harm = UNCOUNTED): void {
    this.#spoil();
    this.#extraLatencyMs = extraLatencyMs;
    this.#slowHarm = harm;
  }

  /** So large a part of the answers is lost. */
  loseAnswers(part: number, harm = UNCOUNTED): void {
    this.#spoil();
    this.#answerLoss = part;
    this.#lossHarm = harm;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Nothing is wrong with it. */
  get isSound(): boolean {
    const { now } = this.#options.queue;
    const isFast = this.#extraLatencyMs === 0 && this.#answerLoss === 0;
    return this.#isUp && isFast && this.#watchFreeAt <= now + WATCH_DELAY_MS_MAX;
  }

  /** Since when, in true time, nothing is wrong with it; never while something is. */
  get soundSince(): number {
    return this.isSound ? this.#soundSince : Number.POSITIVE_INFINITY;
  }

  /** Something was wrong with it until now. */
  #spoil(): void {
    this.#soundSince = Math.max(this.#options.queue.now, this.#watchFreeAt);
  }

  /** When the next change comes through the watch at the earliest, in true time. */
  get watchFreeAt(): number {
    return this.#watchFreeAt;
  }

  call<T>(call: Call<T>): void {
    const { queue, prng } = this.#options;
    let isSettled = false;
    const isCut = (): boolean => {
      if (!this.#isUp) this.#downHarm.hit();
      return !this.#isUp;
    };
    const settle = (answer: T | "failed", executedAt: number | null): void => {
      if (isSettled) return;
      isSettled = true;
      call.done(answer, executedAt);
    };
    if (!this.#isUp && this.#isRefusing) {
      this.#downHarm.hit();
      queue.after(REFUSED_MS, () => settle("failed", null));
      return;
    }
    queue.after(call.timeoutMs, () => settle("failed", null));
    if (isCut()) return;
    queue.after(this.#latency(), () => {
      if (isCut()) return;
      const answer = call.execute();
      const executedAt = queue.now;
      if (prng.chance(this.#answerLoss)) return this.#lossHarm.hit();
      queue.after(this.#latency(), () => {
        if (!isCut()) settle(answer, executedAt);
      });
    });
  }

  down(harm = UNCOUNTED): void {
    this.#isUp = false;
    this.#downHarm = harm;
    this.#isRefusing = this.#options.prng.chance(0.5);
    this.#breakWatch();
  }

  up(): void {
    if (this.#isUp) return;
    this.#spoil();
    this.#isUp = true;
    this.#relistLater();
  }

  /** Nothing comes through the watch until then; then all of it does. */
  stallWatch(ms: number, harm = UNCOUNTED): void {
    this.#stallHarm = harm;
    const { queue } = this.#options;
    this.#watchFreeAt = Math.max(this.#watchFreeAt, queue.now + ms);
    this.#spoil();
  }

  /** The process behind it is a new one: the old one's watch is gone. */
  reset(): void {
    this.#breakWatch();
    if (this.#isUp) this.#relistLater();
  }

  heal(): void {
    this.slow(0);
    this.loseAnswers(0);
    const isStalled = this.#watchFreeAt > this.#options.queue.now + WATCH_DELAY_MS_MAX;
    if (isStalled) this.reset();
    this.up();
  }

  #breakWatch(): void {
    this.#isWatching = false;
    this.#epoch += 1;
    this.#watchFreeAt = 0;
  }

  #relistLater(): void {
    const { queue, prng, api, onReplaced } = this.#options;
    const epoch = this.#epoch;
    queue.after(prng.between(0, RELIST_MS_MAX), () => {
      if (epoch !== this.#epoch || this.#isWatching) return;
      const leases = api.list();
      this.#isWatching = true;
      this.#inOrder(() => onReplaced(leases));
    });
  }

  #onChange(change: Change): void {
    if (this.#isWatching) this.#inOrder(() => this.#options.onChange(change));
    else if (!this.#isUp && this.#options.isListening()) this.#downHarm.hit();
  }

  /** A watch is one stream: what comes later never overtakes. */
  #inOrder(run: () => void): void {
    const { queue, prng } = this.#options;
    const delay = prng.between(0.2, WATCH_DELAY_MS_MAX);
    const isStalled = this.#watchFreeAt > queue.now + WATCH_DELAY_MS_MAX;
    if (isStalled && this.#options.isListening()) this.#stallHarm.hit();
    this.#watchFreeAt = Math.max(this.#watchFreeAt, queue.now + delay);
    const epoch = this.#epoch;
    queue.after(this.#watchFreeAt - queue.now, () => {
      if (epoch === this.#epoch) run();
    });
  }

  #latency(): number {
    const { prng } = this.#options;
    if (this.#extraLatencyMs > 0) this.#slowHarm.hit();
    return prng.between(0.3, LATENCY_MS_MAX) + prng.float() * this.#extraLatencyMs;
  }
}
