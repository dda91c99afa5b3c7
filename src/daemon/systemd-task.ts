// Tells systemd how it goes: READY after all tasks are ready, STATUS in words, WATCHDOG fed by
// progress of all parts and by nothing else. Without systemd (no NOTIFY_SOCKET) it does nothing.

import sdNotify from "sd-notify";
import type { Clock } from "../core/time.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export type Notifier = Pick<
  typeof sdNotify,
  "ready" | "stopping" | "watchdog" | "sendStatus" | "watchdogInterval"
>;

export interface SystemdTaskOptions {
  /** One line for `systemctl status`. */
  readonly status: () => string;
  /** One number for each part: it grows with the part's work, and with nothing else. */
  readonly progress: () => readonly number[];
  /** The way to systemd; null: there is none. Missing: as the environment says. */
  readonly notifier?: Notifier | null;
  readonly clock: Pick<Clock, "boot">;
}

const STATUS_EVERY_MS = 2_000;
/** Of thousands of addresses it takes tens of milliseconds to say: then it is said less often. */
const STATUS_REST_TIMES = 200;
const STATUS_MS_MAX = 30_000;
/** Often enough that a part that moves every 5 s feeds a watchdog of 15 s in time. */
const FEEDS_PER_INTERVAL = 6;

export class SystemdTask implements Task {
  readonly name = "systemd";
  readonly #options: SystemdTaskOptions;
  readonly #notifier: Notifier | null;
  #lastStatus = "";
  #statusTimer: NodeJS.Timeout | undefined;
  /** As of the last time that the watchdog was fed. */
  #fedProgress: readonly number[] = [];

  constructor(options: SystemdTaskOptions) {
    this.#options = options;
    const { notifier = process.env.NOTIFY_SOCKET === undefined ? null : sdNotify } = options;
    this.#notifier = notifier;
  }

  /** Call when every task is ready. */
  tellReady(): void {
    this.#notifier?.ready();
  }

  async run(signal: AbortSignal): Promise<void> {
    const notifier = this.#notifier;
    if (notifier === null) return aborted(signal);
    const watchdogMs = notifier.watchdogInterval();
    const watchdogTimer =
      watchdogMs > 0
        ? setInterval(() => this.#feedWatchdog(notifier), watchdogMs / FEEDS_PER_INTERVAL)
        : undefined;
    this.#sendStatus(notifier);
    await aborted(signal);
    clearTimeout(this.#statusTimer);
    clearInterval(watchdogTimer);
    notifier.stopping(process.pid);
  }

  #sendStatus(notifier: Notifier): void {
    const { clock } = this.#options;
    const since = clock.boot();
    const status = this.#options.status();
    const restMs = (clock.boot() - since) * STATUS_REST_TIMES;
    const wait = Math.min(STATUS_MS_MAX, Math.max(STATUS_EVERY_MS, restMs));
    this.#statusTimer = setTimeout(() => this.#sendStatus(notifier), wait);
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    notifier.sendStatus(status);
  }

  /** Starved until every part has moved since it was last fed; they need not move together. */
  #feedWatchdog(notifier: Notifier): void {
    const progress = this.#options.progress();
    if (progress.some((value, index) => value === this.#fedProgress[index])) return;
    this.#fedProgress = progress;
    notifier.watchdog();
  }
}
