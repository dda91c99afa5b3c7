// What a bench says: rows for machines, a table for people. Percentiles are of the nearest rank.

import { formatColumns, shown } from "./text-table.ts";

export interface BenchRow {
  /** What is measured. */
  readonly name: string;
  readonly unit: "ms" | "MB" | "1/s" | "%" | "requests";
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** How many values p50 and p99 are taken from: rounds, Services or samples. */
  readonly runs: number;
  /** The p50 of what it is compared with, or null. */
  readonly baseline: number | null;
  /** p50 / baseline, or null. */
  readonly ratio: number | null;
  /** In words; null: for information only. */
  readonly target: string | null;
  /** Whether the target is met; true where there is none. */
  readonly ok: boolean;
}

export interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** The smallest value that `percent` of the values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Where less is better: the worst is the largest. */
export function figuresOf(values: readonly number[]): Figures {
  return { p50: median(values), p99: percentile(values, 99), worst: Math.max(...values) };
}

/**
 * Of rounds that have percentiles of their own: the medians of these, because one burst of
 * something else on the machine is not ours; and the worst of all.
 */
export function figuresOfRounds(rounds: readonly Figures[]): Figures {
  return {
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    worst: Math.max(...rounds.map(({ worst }) => worst)),
  };
}

/** Where more is better: p99 is what 99 % of the values reach, the worst is the smallest. */
export function figuresOfRates(values: readonly number[]): Figures {
  return { p50: median(values), p99: percentile(values, 1), worst: Math.min(...values) };
}

/** A row that is only shown. */
export function information(
  name: string,
  unit: BenchRow["unit"],
  measured: { readonly figures: Figures; readonly runs: number },
): BenchRow {
  const { figures, runs } = measured;
  return { name, unit, ...figures, runs, baseline: null, ratio: null, target: null, ok: true };
}

/** A row whose p50 is compared with that of another one of the same run. */
export function compared(
  row: BenchRow,
  to: {
    readonly baseline: number;
    readonly target: string;
    readonly isMet: (r: number) => boolean;
  },
): BenchRow {
  const ratio = row.p50 / to.baseline;
  return { ...row, baseline: to.baseline, ratio, target: to.target, ok: to.isMet(ratio) };
}

const HEADINGS = ["", "unit", "p50", "p99", "worst", "runs", "baseline", "ratio", "target", ""];

export function formatTable(rows: readonly BenchRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    ...[row.p50, row.p99, row.worst].map(shown),
    String(row.runs),
    row.baseline === null ? "" : shown(row.baseline),
    row.ratio === null ? "" : row.ratio.toFixed(2),
    row.target ?? "",
    row.target === null ? "" : row.ok ? "ok" : "MISSED",
  ]);
  return formatColumns([HEADINGS, ...cells], { from: 2, to: 7 });
}

/** What the columns mean, to be printed under the table. */
export const LEGEND = `
runs   how many values p50 and p99 are taken from (rounds, Services, samples), by nearest rank
p99    latency: the median of the rounds' p99, as p50 is the median of their p50
       rate: what 99 % of the rounds reach
       the others: of all runs; the worst of them while these are fewer than 100
worst  latency: the slowest request of all rounds; rate: the slowest round
ratio  p50 / baseline`;
