// One metric: its name, what it means, and how it is read from a snapshot. docs/metrics.md lists
// them all.

import type { HistogramCounts } from "../core/histogram.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramCounts;
}

export interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** A series that is not among them is gone. Without labels there is just one. */
  readonly read: (snapshot: Snapshot) => readonly Sample[];
}

type About = Pick<Metric, "name" | "help">;

/** A counter without labels. */
export function counter(about: About, read: (snapshot: Snapshot) => number): Metric {
  return { ...about, type: "counter", labels: [], read: (s) => [{ labels: {}, value: read(s) }] };
}

/** A gauge without labels; true is 1. */
export function gauge(about: About, read: (snapshot: Snapshot) => number | boolean): Metric {
  const one = (s: Snapshot): Sample => ({ labels: {}, value: Number(read(s)) });
  return { ...about, type: "gauge", labels: [], read: (s) => [one(s)] };
}

/** A histogram without labels. */
export function histogram(about: About, read: (snapshot: Snapshot) => HistogramCounts): Metric {
  const one = (s: Snapshot): Sample => ({ labels: {}, value: read(s) });
  return { ...about, type: "histogram", labels: [], read: (s) => [one(s)] };
}

/** Samples that differ in one label. */
export function by(label: string, counts: Iterable<readonly [string, Sample["value"]]>): Sample[] {
  return [...counts].map(([name, value]) => ({ labels: { [label]: name }, value }));
}
