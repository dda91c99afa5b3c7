// Lets one loop wait until there is work or time has passed. A wake-up before the wait counts.

export class Waker {
  #woken = false;
  #controller: AbortController | null = null;

  wake(): void {
    this.#woken = true;
    this.#controller?.abort();
  }

  /** Runs `sleep` with a signal that aborts on wake() and on `signal`. */
  async wait(signal: AbortSignal, sleep: (woken: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    this.#controller = controller;
    signal.addEventListener("abort", stop, { once: true });
    try {
      if (!this.#woken && !signal.aborted) await sleep(controller.signal);
    } finally {
      this.#woken = false;
      this.#controller = null;
      signal.removeEventListener("abort", stop);
    }
  }
}
