// The sums of many seeds, and how they are told: what was injected, what of it had an effect, what
// moved because of it.

import { FAULTS } from "./faults.ts";
import type { KindFigures } from "./harm.ts";
import type { SeedReport } from "./runner.ts";
import { noOccasions, type Occasions } from "./violation.ts";

export interface Totals {
  runs: number;
  virtualMs: number;
  events: number;
  /** Times a VIP went from one owner to another. */
  moves: number;
  longestDoubleMs: number;
  faults: Record<string, KindFigures>;
  occasions: Occasions;
  failedSeeds: number[];
}

const HOUR_MS = 3_600_000;

export function emptyTotals(): Totals {
  const sums = { runs: 0, virtualMs: 0, events: 0, moves: 0, longestDoubleMs: 0 };
  return { ...sums, faults: {}, occasions: noOccasions(), failedSeeds: [] };
}

export function totalsOf(report: SeedReport): Totals {
  const { seed, failure, virtualMs, events } = report;
  const { moves, longestDoubleMs, occasions } = report.figures;
  const faults = Object.fromEntries(report.faults);
  const failedSeeds = failure === null ? [] : [seed];
  return { runs: 1, virtualMs, events, moves, longestDoubleMs, faults, occasions, failedSeeds };
}

export function addTotals(sums: Totals, more: Totals): void {
  sums.runs += more.runs;
  sums.virtualMs += more.virtualMs;
  sums.events += more.events;
  sums.moves += more.moves;
  sums.longestDoubleMs = Math.max(sums.longestDoubleMs, more.longestDoubleMs);
  for (const [kind, figures] of Object.entries(more.faults)) {
    sums.faults[kind] = addFigures(sums.faults[kind] ?? NOTHING, figures);
  }
  for (const [promise, count] of Object.entries(more.occasions)) {
    sums.occasions[promise] = (sums.occasions[promise] ?? 0) + count;
  }
  sums.failedSeeds.push(...more.failedSeeds);
}

/** All kinds together; `moves` is left at 0, as one move may belong to several kinds. */
export function allKinds({ faults }: Totals): KindFigures {
  return { ...Object.values(faults).reduce(addFigures, NOTHING), moves: 0 };
}

/** The kinds that never had an effect. */
export function withoutEffect({ faults }: Totals): string[] {
  return FAULTS.map(({ name }) => name).filter((name) => (faults[name]?.effective ?? 0) === 0);
}

/** The promises that nothing could have broken. */
export function withoutOccasion({ occasions }: Totals): string[] {
  return Object.keys(occasions).filter((promise) => occasions[promise] === 0);
}

export function summaryText(totals: Totals): string {
  const { injected, effective } = allKinds(totals);
  const hours = (totals.virtualMs / HOUR_MS).toFixed(1);
  return (
    `${totals.runs} clusters, ${hours} virtual hours, ${injected} faults, ` +
    `${effective} effective, ${totals.moves} moves, ` +
    `longest double answer ${Math.round(totals.longestDoubleMs)} ms`
  );
}

/** A line for each kind, and one for each promise. */
export function tableText({ faults, occasions }: Totals): string {
  const rows = Object.entries(faults).sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = rows.map(([kind, { injected, effective, moves }]) =>
    lineText(kind, [injected, effective, moves].map(String)),
  );
  const judged = Object.entries(occasions).map(([promise, count]) =>
    lineText(promise, [String(count)]),
  );
  const head = lineText("fault", ["injected", "effective", "moves"]);
  return [head, ...lines, lineText("promise", ["judged"]), ...judged].join("\n");
}

const NOTHING: KindFigures = { injected: 0, effective: 0, moves: 0 };

function addFigures(one: KindFigures, other: KindFigures): KindFigures {
  return {
    injected: one.injected + other.injected,
    effective: one.effective + other.effective,
    moves: one.moves + other.moves,
  };
}

function lineText(kind: string, cells: readonly string[]): string {
  return `  ${kind.padEnd(22)}${cells.map((cell) => cell.padStart(11)).join("")}`;
}
