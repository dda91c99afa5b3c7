// How long one turn of a thread's event loop kept others waiting. Measured by turn: that needs no
// timer, which would wake an idle host.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** As names of the label `quantile`; 1 is the longest. */
const QUANTILES = [0.5, 0.99, 1] as const;

export type LoopDelays = readonly (readonly [quantile: string, seconds: number])[];

export class LoopDelay {
  readonly #monitor = monitorEventLoopDelay({ samplePerIteration: true });

  start(): void {
    this.#monitor.enable();
  }

  stop(): void {
    this.#monitor.disable();
  }

  /** Since the last time, which begins anew. */
  take(): LoopDelays {
    const delays = QUANTILES.map((quantile): [string, number] => {
      return [String(quantile), this.#monitor.percentile(quantile * 100) / 1e9];
    });
    this.#monitor.reset();
    return delays;
  }
}
