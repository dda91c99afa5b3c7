// Writes metrics in Prometheus' text format. Nothing is kept from one time to the next: a series
// that the snapshot does not have is gone.

import { Counter, Gauge, Registry } from "prom-client";
import type { Metric } from "./metric.ts";
import type { Snapshot } from "./snapshot.ts";

export class Exposition {
  readonly #registry = new Registry();
  readonly #writers: readonly ((snapshot: Snapshot) => void)[];

  constructor(metrics: readonly Metric[]) {
    this.#writers = metrics.map((metric) => writerOf(metric, this.#registry));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All is read before this returns its promise: texts that are asked for at once do not mix. */
  text(snapshot: Snapshot): Promise<string> {
    for (const write of this.#writers) write(snapshot);
    return this.#registry.metrics();
  }
}

function writerOf(metric: Metric, registry: Registry): (snapshot: Snapshot) => void {
  const { name, help, labels: labelNames, type, read } = metric;
  const about = { name, help, labelNames, registers: [registry] };
  if (type === "gauge") {
    const gauge = new Gauge(about);
    return (snapshot) => {
      gauge.reset();
      for (const { labels, value } of read(snapshot)) gauge.set(labels, value);
    };
  }
  const counter = new Counter(about);
  return (snapshot) => {
    counter.reset();
    for (const { labels, value } of read(snapshot)) counter.inc(labels, value);
  };
}
