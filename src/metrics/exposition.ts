// Writes metrics in Prometheus' text format, or as OpenMetrics. Nothing is kept from one time to
// the next: a series that the snapshot does not have is gone.

import { Registry } from "prom-client";
import type { HistogramCounts } from "../core/histogram.ts";
import type { Metric, Sample } from "./metric.ts";
import type { Snapshot } from "./snapshot.ts";

export const FORMATS = ["text", "openmetrics"] as const;
export type MetricsFormat = (typeof FORMATS)[number];

const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
};
const TOTAL = "_total";

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Exposition {
  readonly contentType: string;
  readonly #metrics: readonly Metric[];
  readonly #format: MetricsFormat;

  constructor(metrics: readonly Metric[], format: MetricsFormat = "text") {
    this.contentType = CONTENT_TYPES[format];
    this.#metrics = metrics;
    this.#format = format;
  }

  /** All is read before this returns its promise: texts that are asked for at once do not mix. */
  text(snapshot: Snapshot): Promise<string> {
    const registry = new Registry();
    registry.setContentType(this.contentType as never);
    for (const metric of this.#metrics) {
      const { name, type } = named(metric, this.#format);
      const told = { name, type, help: metric.help, values: valuesOf(metric, snapshot) };
      registry.registerMetric({ ...told, get: () => Promise.resolve(told) } as never);
    }
    return registry.metrics();
  }
}

/**
 * OpenMetrics has a counter's name without `_total`. Those of MetalLB have no `_total` at all: as
 * counters they would get another name, which its dashboards do not know.
 */
function named({ name, type }: Metric, format: MetricsFormat): { name: string; type: string } {
  if (format === "text" || type !== "counter") return { name, type };
  if (!name.endsWith(TOTAL)) return { name, type: "unknown" };
  return { name: name.slice(0, -TOTAL.length), type };
}

function valuesOf({ name, read }: Metric, snapshot: Snapshot): Value[] {
  return read(snapshot).flatMap((sample) => {
    const { labels, value } = sample;
    return typeof value === "number" ? [{ labels, value }] : bucketsOf(name, { labels, value });
  });
}

/** Cumulative: each bucket counts all that are not above its bound. */
function bucketsOf(
  name: string,
  { labels, value }: Sample & { readonly value: HistogramCounts },
): Value[] {
  const { bounds, counts, sum } = value;
  let seen = 0;
  const buckets = counts.map((count, index): Value => {
    seen += count;
    const le = bounds[index] === undefined ? "+Inf" : String(bounds[index]);
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: seen };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: seen },
  ];
}
