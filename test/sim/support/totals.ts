// The sums of many seeds, and how they are told: what was injected, what of it had an effect, what
// moved because of it.

import { FAULTS } from "./faults.ts";
import type { KindFigures } from "./harm.ts";
import type { SeedReport } from "./runner.ts";

export interface Totals {
  runs: number;
  virtualMs: number;
  events: number;
  /** Times a VIP went from one owner to another. */
  moves: number;
  longestDoubleMs: number;
  faults: Record<string, KindFigures>;
}

const HOUR_MS = 3_600_000;

export function emptyTotals(): Totals {
  return { runs: 0, virtualMs: 0, events: 0, moves: 0, longestDoubleMs: 0, faults: {} };
}

export function totalsOf({ virtualMs, events, figures, faults }: SeedReport): Totals {
  const { moves, longestDoubleMs } = figures;
  return { runs: 1, virtualMs, events, moves, longestDoubleMs, faults: Object.fromEntries(faults) };
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
}

/** All kinds together; `moves` is left at 0, as one move may belong to several kinds. */
export function allKinds({ faults }: Totals): KindFigures {
  return { ...Object.values(faults).reduce(addFigures, NOTHING), moves: 0 };
}

/** The kinds that never had an effect. */
export function withoutEffect({ faults }: Totals): string[] {
  return FAULTS.map(({ name }) => name).filter((name) => (faults[name]?.effective ?? 0) === 0);
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

/** A line for each kind. */
export function tableText({ faults }: Totals): string {
  const rows = Object.entries(faults).sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = rows.map(([kind, { injected, effective, moves }]) =>
    lineText(kind, [injected, effective, moves].map(String)),
  );
  return [lineText("fault", ["injected", "effective", "moves"]), ...lines].join("\n");
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
  return `  ${kind.padEnd(20)}${cells.map((cell) => cell.padStart(11)).join("")}`;
}
