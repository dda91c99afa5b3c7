// Writes Events, in the background and bounded: recording never waits and never fails. Repeats of
// the same Event become a series. Events are for people; when too many come, the oldest are lost
// (and counted), and those not yet written are lost with the process.

import type { Random } from "../core/random.ts";
import { after, type BootMs, type Clock, toMicroTime, type WallMs } from "../core/time.ts";
import { backoffMs } from "./backoff.ts";
import type { ApiRequests } from "./client.ts";
import { type EventInput, eventBody, eventKey, eventName, eventNamespace } from "./event-object.ts";
import { type ApiFailure, isRefusal, type Outcome } from "./outcome.ts";
import { type Sleep, timerSleep } from "./sleep.ts";
import { Waker } from "./waker.ts";

export type { EventInput, EventRegarding } from "./event-object.ts";

export interface EventRecorderOptions {
  readonly client: ApiRequests;
  readonly component: "lbd";
  /** The node's name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep?: Sleep;
  readonly queueMax?: number;
}

export interface EventCounts {
  readonly written: number;
  readonly repeated: number;
  /** Pushed out of a full queue. */
  readonly dropped: number;
  /** Not accepted by the API server. */
  readonly refused: number;
  readonly queued: number;
}

/** A burst of one Event for each Service of a middling cluster. */
const QUEUE_MAX = 1_000;
/** How many different Events are remembered to recognise repeats. */
const SERIES_MAX = 2_000;
/** A repeat within this time of the last one belongs to its series. */
const SERIES_WINDOW_MS = 8 * 60_000;
/** A series is written at most this often. */
const SERIES_WRITE_MS = 30_000;
/** Between two writes, so that Events never crowd out what matters: about 20 a second. */
const SPACING_MS = 50;

/** One Event in the API, with its repeats. */
interface Series {
  readonly event: EventInput;
  readonly name: string;
  readonly firstWallMs: WallMs;
  created: boolean;
  count: number;
  /** The count that the API server has. */
  countWritten: number;
  lastAt: BootMs;
  lastWallMs: WallMs;
  /** Not to be written before. */
  writeAt: BootMs;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #sleep: Sleep;
  readonly #queueMax: number;
  readonly #waker = new Waker();
  /** Recognises repeats; in the order of first recording. */
  readonly #series = new Map<string, Series>();
  readonly #queue: Series[] = [];
  #written = 0;
  #repeated = 0;
  #dropped = 0;
  #refused = 0;
  #lastFailure: ApiFailure | null = null;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
    this.#queueMax = options.queueMax ?? QUEUE_MAX;
  }

  counts(): EventCounts {
    return {
      written: this.#written,
      repeated: this.#repeated,
      dropped: this.#dropped,
      refused: this.#refused,
      queued: this.#queue.length,
    };
  }

  /** Why the last write did not succeed; null after one that did. */
  failure(): ApiFailure | null {
    return this.#lastFailure;
  }

  /** Returns at once; `run` does the writing. */
  record(event: EventInput): void {
    const { clock } = this.#options;
    const now = clock.boot();
    const key = eventKey(event);
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastAt <= SERIES_WINDOW_MS) {
      known.count++;
      known.lastAt = now;
      known.lastWallMs = clock.wall();
      this.#repeated++;
      if (!this.#queue.includes(known)) this.#enqueue(known);
      return;
    }
    const wall = clock.wall();
    const series: Series = {
      event,
      name: eventName(event.regarding, this.#suffix(wall)),
      firstWallMs: wall,
      created: false,
      count: 1,
      countWritten: 0,
      lastAt: now,
      lastWallMs: wall,
      writeAt: now,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    this.#forgetOld(now);
    this.#enqueue(series);
  }

  /** Writes until the signal aborts; survives any outage of the API. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const series = this.#due();
      if (series === null) {
        await this.#idle(signal);
        continue;
      }
      const failure = await this.#write(series, signal);
      if (signal.aborted) return;
      failures = failure === null ? 0 : failures + 1;
      const { random } = this.#options;
      const pause =
        failure === null
          ? SPACING_MS
          : backoffMs(failures - 1, random, { retryAfterMs: failure.retryAfterMs });
      await this.#sleep(pause, signal);
    }
  }

  #enqueue(series: Series): void {
    this.#queue.push(series);
    if (this.#queue.length > this.#queueMax) {
      this.#queue.shift();
      this.#dropped++;
    }
    this.#waker.wake();
  }

  #forgetOld(now: BootMs): void {
    for (const [key, series] of this.#series) {
      const stale = now - series.lastAt > SERIES_WINDOW_MS;
      if (!stale && this.#series.size <= SERIES_MAX) break;
      this.#series.delete(key);
    }
  }

  /** The first in the queue whose time has come. */
  #due(): Series | null {
    const now = this.#options.clock.boot();
    return this.#queue.find((series) => series.writeAt <= now) ?? null;
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.boot();
    const next = Math.min(...this.#queue.map((series) => series.writeAt - now), SERIES_WRITE_MS);
    await this.#waker.wait(signal, (woken) => this.#sleep(Math.max(1, next), woken));
  }

  /** The failure because of which this write is to be tried again; null otherwise. */
  async #write(series: Series, signal: AbortSignal): Promise<ApiFailure | null> {
    const { count } = series;
    const answer = series.created
      ? await this.#patch(series, signal)
      : await this.#create(series, signal);
    if (signal.aborted) return null;
    this.#lastFailure = answer.ok ? null : answer.failure;
    if (!answer.ok && series.created && answer.failure.kind === "not-found") {
      // Events live for an hour; a series that outlived its Event starts a new one.
      series.created = false;
      return null;
    }
    if (!answer.ok && !isRefusal(answer.failure)) return answer.failure;
    series.writeAt = after(this.#options.clock.boot(), SERIES_WRITE_MS);
    // already-exists: ours, the answer to an earlier attempt was lost.
    if (!answer.ok && answer.failure.kind !== "already-exists") {
      this.#refused++;
      this.#remove(series);
      return null;
    }
    this.#written++;
    series.countWritten = series.created ? count : 1;
    series.created = true;
    if (series.count === series.countWritten) this.#remove(series);
    return null;
  }

  #create(series: Series, signal: AbortSignal): Promise<Outcome<unknown>> {
    const { component, instance } = this.#options;
    const { name, event, firstWallMs: at } = series;
    return this.#options.client.request({
      method: "POST",
      path: this.#path(event),
      body: eventBody(event, { name, component, instance, at }),
      signal,
    });
  }

  #patch(series: Series, signal: AbortSignal): Promise<Outcome<unknown>> {
    const lastObservedTime = toMicroTime(series.lastWallMs);
    return this.#options.client.request({
      method: "PATCH",
      path: `${this.#path(series.event)}/${encodeURIComponent(series.name)}`,
      contentType: "application/merge-patch+json",
      body: { series: { count: series.count, lastObservedTime } },
      signal,
    });
  }

  #path(event: EventInput): string {
    const namespace = encodeURIComponent(eventNamespace(event.regarding));
    return `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  }

  #remove(series: Series): void {
    const at = this.#queue.indexOf(series);
    if (at !== -1) this.#queue.splice(at, 1);
  }

  /** Unique among the nodes: the time, and 32 random bits. */
  #suffix(wall: number): string {
    const random = Math.floor(this.#options.random() * 2 ** 32);
    return Math.floor(wall).toString(16) + random.toString(16).padStart(8, "0");
  }
}
