// `make sim HOURS=n SEED=n`: the simulator for long: n virtual cluster-hours, from a seed on, in
// two processes. Prints what was injected and what moved; the first broken promise ends it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { runSeed, type SeedReport } from "../test/sim/support/runner.ts";

const WORKERS = 2;
const HOUR_MS = 3_600_000;
const PROGRESS_MS = 20_000;

interface Sums {
  runs: number;
  virtualMs: number;
  events: number;
  moves: number;
  longestDoubleMs: number;
  faults: Record<string, number>;
}

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
  const sums: Sums = {
    runs: 0,
    virtualMs: 0,
    events: 0,
    moves: 0,
    longestDoubleMs: 0,
    faults: {},
  };
  let toldAt = performance.now();
  for (let next = seed + offset; sums.virtualMs * WORKERS < hours * HOUR_MS; next += WORKERS) {
    const report = runSeed(next);
    if (report.failure !== null) fail(report);
    add(sums, report);
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    console.log(JSON.stringify(sums));
  }
  console.log(JSON.stringify(sums));
}

function add(sums: Sums, { events, virtualMs, faults, figures }: SeedReport): void {
  sums.runs += 1;
  sums.virtualMs += virtualMs;
  sums.events += events;
  sums.moves += figures.moves;
  sums.longestDoubleMs = Math.max(sums.longestDoubleMs, figures.longestDoubleMs);
  for (const [kind, count] of faults) sums.faults[kind] = (sums.faults[kind] ?? 0) + count;
}

function fail({ seed: failed, failure, story }: SeedReport): never {
  console.error(`${story.join("\n")}\nseed ${failed}: ${failure?.message}`);
  console.error(`again: SIM_SEED=${failed} make test SUITE=sim`);
  process.exit(1);
}

async function supervise(): Promise<void> {
  const latest = new Map<number, Sums>();
  const started = performance.now();
  let toldAt = started;
  const ends = Array.from({ length: WORKERS }, (_, offset) => {
    const argv = [import.meta.filename, "--hours", values.hours, "--seed", values.seed];
    const child = spawn(process.execPath, [...argv, "--worker", String(offset)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      latest.set(offset, JSON.parse(line) as Sums);
      if (performance.now() - toldAt < PROGRESS_MS) return;
      toldAt = performance.now();
      console.log(`... ${summary(latest, performance.now() - started)}`);
    });
    return new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
  });
  const codes = await Promise.all(ends);
  console.log(summary(latest, performance.now() - started));
  console.log(kinds(latest));
  process.exitCode = codes.every((code) => code === 0) ? 0 : 1;
}

function summary(latest: ReadonlyMap<number, Sums>, ms: number): string {
  const all = [...latest.values()];
  const sum = (of: (sums: Sums) => number): number => all.reduce((n, one) => n + of(one), 0);
  const faults = sum((one) => Object.values(one.faults).reduce((n, count) => n + count, 0));
  const virtual = (sum((one) => one.virtualMs) / HOUR_MS).toFixed(1);
  const longest = Math.round(Math.max(0, ...all.map((one) => one.longestDoubleMs)));
  const perSecond = Math.round((1_000 * sum((one) => one.events)) / ms);
  return (
    `${sum((one) => one.runs)} clusters, ${virtual} virtual hours, ${faults} faults, ` +
    `${sum((one) => one.moves)} moves, longest double answer ${longest} ms, ` +
    `${perSecond} events a second`
  );
}

function kinds(latest: ReadonlyMap<number, Sums>): string {
  const counts = new Map<string, number>();
  for (const { faults } of latest.values()) {
    for (const [kind, count] of Object.entries(faults)) {
      counts.set(kind, (counts.get(kind) ?? 0) + count);
    }
  }
  return [...counts]
    .sort()
    .map(([kind, count]) => `  ${kind.padEnd(20)} ${count}`)
    .join("\n");
}
