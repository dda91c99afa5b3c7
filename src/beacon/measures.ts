// How well beacons keep their time, in seconds: how late those of peers come, and how much of its
// tenure is left when this node sends one.

import { Histogram, type HistogramCounts } from "../core/histogram.ts";

const LATE_BOUNDS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const MARGIN_BOUNDS = [0, 0.01, 0.05, 0.1, 0.15, 0.18, 0.19, 0.25, 0.5, 1, 2];

export interface BeaconMeasureCounts {
  readonly lateness: HistogramCounts;
  readonly margin: HistogramCounts;
}

export class BeaconMeasures {
  readonly #lateness = new Histogram(LATE_BOUNDS);
  readonly #margin = new Histogram(MARGIN_BOUNDS);

  /** Null: it was not expected then. */
  heard(lateMs: number | null): void {
    if (lateMs !== null) this.#lateness.observe(lateMs / 1_000);
  }

  /** Below zero: the tenure had not begun, or was over. */
  sent(leftMs: number): void {
    if (leftMs >= 0) this.#margin.observe(leftMs / 1_000);
  }

  get(): BeaconMeasureCounts {
    return { lateness: this.#lateness.get(), margin: this.#margin.get() };
  }
}
