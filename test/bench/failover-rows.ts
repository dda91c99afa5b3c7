// The rows of the failovers, from the trials of each fault. Pure.

import type { Trial } from "./failover-trial.ts";
import { type BenchRow, compared, figuresOf, information } from "./rows.ts";

export const KEEPALIVED_DEFAULT = "cable pulled, keepalived default";
export const KEEPALIVED_FAST = "cable pulled, keepalived 0.1 s";

const TARGET_MS = 400;
/** Two that hear each other do not both answer for longer (docs/ownership.md). */
const TWO_MS_MAX = 700;
const WITH_TARGET = ["cable pulled", "frozen"];

export const LEGEND = `
Milliseconds from the last answer before to the first one after, for a client that asks every
millisecond by ARP, as one with a cold cache; 0: every request was answered.
"two answer after it": from the end of the cut to the last request that two hosts answered.
p99       of all runs, by nearest rank; the worst of them while these are fewer than 100
baseline  "${KEEPALIVED_DEFAULT}", p50, of the same run, when that row was measured too`;

/** What the rows are made from. */
export type Measured = Pick<Trial, "blackout" | "twoMs" | "owner" | "next">;

/** One row a fault, and one more for those with a cut that ends. */
export function rowsOf(trials: ReadonlyMap<string, readonly Measured[]>): BenchRow[] {
  const row = (name: string, values: readonly number[]): BenchRow =>
    information(name, "ms", { figures: figuresOf(values), runs: values.length });
  const blackouts = (name: string): BenchRow =>
    row(
      name,
      (trials.get(name) ?? []).map(({ blackout }) => blackout.ms),
    );
  const baseline = trials.has(KEEPALIVED_DEFAULT) ? blackouts(KEEPALIVED_DEFAULT).p50 : null;
  return [...trials].flatMap(([name, of]) => {
    const rows = [withTarget(blackouts(name), of, baseline)];
    const two = of.map(({ twoMs }) => twoMs).filter((ms) => ms !== null);
    if (two.length > 0) rows.push(bounded(row(`${name}, two answer after it`, two)));
    return rows;
  });
}

function withTarget(row: BenchRow, trials: readonly Measured[], baseline: number | null): BenchRow {
  const hasMoved = trials.some(({ owner, next }) => owner !== next);
  if (row.name === "etcd down") return { ...row, target: "no move", ok: !hasMoved };
  if (!WITH_TARGET.includes(row.name)) return row;
  const ok = row.p99 <= TARGET_MS;
  const target = `p99 <= ${TARGET_MS} ms`;
  if (baseline === null) return { ...row, target, ok };
  return compared(row, { baseline, target, isMet: () => ok });
}

/** A promise holds every time. */
function bounded(row: BenchRow): BenchRow {
  return { ...row, target: `worst <= ${TWO_MS_MAX} ms`, ok: row.worst <= TWO_MS_MAX };
}
