// `make sim HOURS=n SEED=n`: the simulator for long: n virtual cluster-hours, from a seed on, in
// two processes. Prints what was injected and what moved; a broken promise is told at once, and the
// other seeds go on. Ctrl-C ends it, with the sums so far.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { RATE_ERROR, runSeed, type SeedReport } from "../test/sim/support/runner.ts";
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
/** Longer than in the tests: what a seed begins and ends with weighs less. */
const FAULT_S = 3_600;
/** So many failures of a process are told as a whole, the others by a line. */
const STORIES_MAX = 10;

/** Nearly all that a simulation makes is garbage soon: room for it saves collections. */
const YOUNG = ["--min-semi-space-size=64", "--max-semi-space-size=64"];

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "10" },
    seed: { type: "string", default: "1" },
    worker: { type: "string" },
  },
});
const hours = Number(values.hours);
const seed = Number(values.seed);
/** Clocks run within 1 +- this of true time. */
const rateError = Number(process.env.SIM_RATE_ERROR ?? RATE_ERROR);
if (!(hours > 0) || !Number.isSafeInteger(seed) || !(rateError >= 0 && rateError < 0.5)) {
  const wanted = "HOURS a number above 0, SEED a whole number, SIM_RATE_ERROR from 0 to below 0.5";
  console.error(`Cannot simulate: it must be ${wanted}`);
  process.exit(2);
}
if (values.worker === undefined) await supervise();
else work(Number(values.worker));

/** Runs every WORKERS-th seed; prints the sums so far as a line of JSON now and then. */
function work(offset: number): void {
  const sums = emptyTotals();
  let toldAt = performance.now();
  for (let next = seed + offset; sums.virtualMs * WORKERS < hours * HOUR_MS; next += WORKERS) {
    const report = runSeed(next, { faultMs: 1_000 * FAULT_S, rateError });
    addTotals(sums, totalsOf(report));
    if (report.failure !== null) tell(report, sums.failedSeeds.length <= STORIES_MAX);
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    console.log(JSON.stringify(sums));
  }
  console.log(JSON.stringify(sums));
}

function tell({ seed: failed, failure, story }: SeedReport, isWhole: boolean): void {
  const how = rateError === RATE_ERROR ? "" : ` SIM_RATE_ERROR=${rateError}`;
  const again = `again: SIM_SEED=${failed} SIM_FAULT_S=${FAULT_S}${how} make test SUITE=sim`;
  const lines = [...(isWhole ? story : []), `seed ${failed}: ${failure?.message}`, again];
  console.error(lines.join("\n"));
}

async function supervise(): Promise<void> {
  const latest = new Map<number, Totals>();
  const started = performance.now();
  let toldAt = started;
  // Its workers get it, too, and end.
  process.on("SIGINT", () => {});
  const ends = Array.from({ length: WORKERS }, (_, offset) => {
    const argv = [import.meta.filename, "--hours", values.hours, "--seed", values.seed];
    const child = spawn(process.execPath, [...YOUNG, ...argv, "--worker", String(offset)], {
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
  const sums = sumOf(latest);
  console.log(`seeds from ${seed} on\n${tableText(sums)}`);
  const failed = sums.failedSeeds.sort((one, other) => one - other);
  if (failed.length > 0) console.log(`${failed.length} seeds broke a promise: ${failed.join(" ")}`);
  const isWell = failed.length === 0 && codes.every((code) => code === 0);
  process.exitCode = isWell ? 0 : 1;
}

function sumOf(latest: ReadonlyMap<number, Totals>): Totals {
  const sums = emptyTotals();
  for (const one of latest.values()) addTotals(sums, one);
  return sums;
}

function summary(latest: ReadonlyMap<number, Totals>, ms: number): string {
  const sums = sumOf(latest);
  const broken = sums.failedSeeds.length === 0 ? "" : `${sums.failedSeeds.length} BROKEN, `;
  const rate = Math.round((1_000 * sums.events) / ms);
  return `${broken}${summaryText(sums)}, ${rate} events a second`;
}
