// `make sim HOURS=n SEED=n`: the simulator for long: n virtual cluster-hours, from a seed on, in
// two processes. Prints what was injected and what moved; the first broken promise ends it, and so
// does Ctrl-C, with the sums so far.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { runSeed, type SeedReport } from "../test/sim/support/runner.ts";
import {
  addTotals,
  emptyTotals,
  summaryText,
  type Totals,
  tableText,
  totalsOf,
} from "../test/sim/support/totals.ts";

const WORKERS = 2;
const HOUR_MS = 3_600_000;
const PROGRESS_MS = 20_000;

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    worker: { type: "string" },
  },
});
const hours = Number(values.hours);
const seed = Number(values.seed);
if (!(hours > 0) || !Number.isSafeInteger(seed)) {
  console.error("Cannot simulate: HOURS must be a number above 0, SEED a whole number");
  process.exit(2);
}
if (values.worker === undefined) await supervise();
else work(Number(values.worker));

/** Runs every WORKERS-th seed; prints the sums so far as a line of JSON now and then. */
function work(offset: number): void {
  const sums = emptyTotals();
  let toldAt = performance.now();
  for (let next = seed + offset; sums.virtualMs * WORKERS < hours * HOUR_MS; next += WORKERS) {
    const report = runSeed(next);
    if (report.failure !== null) fail(report);
    addTotals(sums, totalsOf(report));
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    console.log(JSON.stringify(sums));
  }
  console.log(JSON.stringify(sums));
}

function fail({ seed: failed, failure, story }: SeedReport): never {
  console.error(`${story.join("\n")}\nseed ${failed}: ${failure?.message}`);
  console.error(`again: SIM_SEED=${failed} make test SUITE=sim`);
  process.exit(1);
}

async function supervise(): Promise<void> {
  const latest = new Map<number, Totals>();
  const started = performance.now();
  let toldAt = started;
  // Its workers get it, too, and end.
  process.on("SIGINT", () => {});
  const ends = Array.from({ length: WORKERS }, (_, offset) => {
    const argv = [import.meta.filename, "--hours", values.hours, "--seed", values.seed];
    const child = spawn(process.execPath, [...argv, "--worker", String(offset)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      latest.set(offset, JSON.parse(line) as Totals);
      if (performance.now() - toldAt < PROGRESS_MS) return;
      toldAt = performance.now();
      console.log(`... ${summary(latest, performance.now() - started)}`);
    });
    return new Promise<number>((resolve) =>
      child.on("exit", (code, signal) => resolve(signal === "SIGINT" ? 0 : (code ?? 1))),
    );
  });
  const codes = await Promise.all(ends);
  console.log(summary(latest, performance.now() - started));
  console.log(`seeds from ${seed} on\n${tableText(sumOf(latest))}`);
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}

function sumOf(latest: ReadonlyMap<number, Totals>): Totals {
  const sums = emptyTotals();
  for (const one of latest.values()) addTotals(sums, one);
  return sums;
}

function summary(latest: ReadonlyMap<number, Totals>, ms: number): string {
  const sums = sumOf(latest);
  return `${summaryText(sums)}, ${Math.round((1_000 * sums.events) / ms)} events a second`;
}
