// Tells systemd how it goes: READY after all tasks are ready, STATUS in words, WATCHDOG fed by
// progress of both threads and by nothing else. Without systemd (no NOTIFY_SOCKET) it does nothing.

import notify from "sd-notify";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface SystemdTaskOptions {
  /** One line for `systemctl status`. */
  readonly status: () => string;
  /** Numbers that grow while the threads do their work. */
  readonly progress: () => readonly number[];
}

const STATUS_EVERY_MS = 2_000;

export class SystemdTask implements Task {
  readonly name = "systemd";
  readonly #options: SystemdTaskOptions;
  #lastStatus = "";
  #lastProgress: readonly number[] = [];

  constructor(options: SystemdTaskOptions) {
    this.#options = options;
  }

  get isPresent(): boolean {
    return process.env.NOTIFY_SOCKET !== undefined;
  }

  /** Call when every task is ready. */
  tellReady(): void {
    if (this.isPresent) notify.ready();
  }

  async run(signal: AbortSignal): Promise<void> {
    if (!this.isPresent) return aborted(signal);
    const statusTimer = setInterval(() => this.#sendStatus(), STATUS_EVERY_MS);
    const watchdogMs = notify.watchdogInterval();
    const watchdogTimer =
      watchdogMs > 0 ? setInterval(() => this.#feedWatchdog(), watchdogMs / 3) : undefined;
    this.#sendStatus();
    await aborted(signal);
    clearInterval(statusTimer);
    clearInterval(watchdogTimer);
    notify.stopping(process.pid);
  }

  #sendStatus(): void {
    const status = this.#options.status();
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    notify.sendStatus(status);
  }

  /** Starved unless every thread has moved since the last time. */
  #feedWatchdog(): void {
    const progress = this.#options.progress();
    const hasMoved = progress.every((value, index) => value !== this.#lastProgress[index]);
    this.#lastProgress = progress;
    if (hasMoved) notify.watchdog();
  }
}
