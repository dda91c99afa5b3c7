// The rows of `make bench-ipam`, from what was measured, and its settings. Pure.

import { chosenBy } from "./failover-rows.ts";
import { type BenchRow, compared, figuresOf, information, median } from "./rows.ts";
import { readCount, SettingError } from "./settings.ts";

export const IPAM_ROWS = ["first allocation", "idle", "service to answer", "cold start"] as const;
export type IpamRow = (typeof IPAM_ROWS)[number];

export interface IpamSettings {
  readonly services: number;
  /** Services that are created one after the other. */
  readonly runs: number;
  readonly rows: readonly string[];
}

const SERVICES_DEFAULT = 10_000;
/** The pool has room for them, and for those that are created one after the other. */
const SERVICES_MAX = 30_000;
const RUNS_DEFAULT = 100;
const RUNS_MAX = 1_000;
const RATIO_MIN = 0.5;
const COLD_MS_MAX = 5_000;
const CPU_PERCENT_MAX = 3;
const RSS_MB_MAX = 200;
/** The rate of each of these parts of the first allocation is looked at by itself. */
const PARTS = 10;

/** Throws a SettingError for what cannot be meant. */
export function readIpamSettings(environment: NodeJS.ProcessEnv): IpamSettings {
  const count = (name: string, unset: number, limits: { min: number; max: number }): number => {
    const found = readCount(environment, name, { unset, min: limits.min });
    if (found <= limits.max) return found;
    throw new SettingError(`${name} must be at most ${limits.max}, found "${found}"`);
  };
  return {
    services: count("SERVICES", SERVICES_DEFAULT, { min: PARTS, max: SERVICES_MAX }),
    runs: count("RUNS", RUNS_DEFAULT, { min: 1, max: RUNS_MAX }),
    rows: chosenBy(environment.ROWS ?? "", IPAM_ROWS),
  };
}

export interface FirstAllocation {
  /** Boot clock: when the daemons were started. */
  readonly startedAt: number;
  /** When each Service was seen to have its address. */
  readonly assignedAt: readonly number[];
  /** When each address was answered for the first time. */
  readonly answeredAt: readonly number[];
  /** The API server's rate of such writes when nothing else is done, in writes a second. */
  readonly rawRate: number;
  /** That the API server has counted meanwhile. */
  readonly requests: number;
  /** By daemon, from its start until all had their address. */
  readonly cpuMs: readonly number[];
}

export function firstAllocationRows(measured: FirstAllocation): BenchRow[] {
  const { startedAt, assignedAt, answeredAt, rawRate, requests, cpuMs } = measured;
  const sorted = [...assignedAt].sort((a, b) => a - b);
  const slowest = Math.min(...partRates(sorted));
  const figures = { p50: rateOf(sorted), p99: slowest, worst: slowest };
  const rate = information("first allocation", "1/s", { figures, runs: sorted.length });
  const target = `>= ${RATIO_MIN * 100} % of the API's rate`;
  const since = (times: readonly number[]) => figuresOf(times.map((at) => at - startedAt));
  const runs = sorted.length;
  const each = requests / runs;
  return [
    compared(rate, { baseline: rawRate, target, isMet: (ratio) => ratio >= RATIO_MIN }),
    information("first allocation: start to address", "ms", { figures: since(sorted), runs }),
    information("first allocation: start to answer", "ms", { figures: since(answeredAt), runs }),
    information("first allocation: API requests a Service", "requests", {
      figures: { p50: each, p99: each, worst: each },
      runs,
    }),
    information("first allocation: CPU of a daemon a Service", "ms", {
      figures: figuresOf(cpuMs.map((ms) => ms / runs)),
      runs: cpuMs.length,
    }),
  ];
}

/** Writes a second from the first to the last. */
function rateOf(sorted: readonly number[]): number {
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)];
  return ((sorted.length - 1) / Math.max(last - first, 1)) * 1_000;
}

function partRates(sorted: readonly number[]): number[] {
  const size = Math.floor(sorted.length / PARTS);
  return Array.from({ length: PARTS }, (_, i) => {
    const part = sorted.slice(i * size, (i + 1) * size + 1);
    return rateOf(part);
  });
}

export interface IdleSamples {
  /** By daemon, over all the time: percent of a core. */
  readonly cpuPercent: readonly number[];
  /** By daemon, one a second. */
  readonly rssMb: readonly (readonly number[])[];
  /** By daemon: the most that it ever held. */
  readonly peakMb: readonly number[];
  /** A second, less those without daemons. */
  readonly requestsPerSecond: number;
}

export function idleRows({
  cpuPercent,
  rssMb,
  peakMb,
  requestsPerSecond,
}: IdleSamples): BenchRow[] {
  const cpu = information("idle: CPU of a daemon", "%", {
    figures: figuresOf(cpuPercent),
    runs: cpuPercent.length,
  });
  const largest = [...rssMb].sort((a, b) => median(b) - median(a))[0] ?? [];
  const held = { ...figuresOf(largest), worst: Math.max(...rssMb.flat()) };
  const rss = information("idle: rss", "MB", { figures: held, runs: largest.length });
  const requests = { p50: requestsPerSecond, p99: requestsPerSecond, worst: requestsPerSecond };
  return [
    { ...cpu, target: `worst < ${CPU_PERCENT_MAX} %`, ok: cpu.worst < CPU_PERCENT_MAX },
    { ...rss, target: `p50 < ${RSS_MB_MAX} MB`, ok: rss.p50 < RSS_MB_MAX },
    information("rss, at its peak", "MB", { figures: figuresOf(peakMb), runs: peakMb.length }),
    information("idle: API requests", "1/s", { figures: requests, runs: 1 }),
  ];
}

/** `answeredMs`: of every address in every start, after the daemons were started. */
export function coldStartRow(answeredMs: readonly number[], starts: number): BenchRow {
  const row = information("cold start", "ms", { figures: figuresOf(answeredMs), runs: starts });
  return { ...row, target: `worst <= ${COLD_MS_MAX} ms`, ok: row.worst <= COLD_MS_MAX };
}

export const IPAM_LEGEND = `
first allocation   Services a second that get their address, from the first to the last; p99 and
                   worst: the slowest tenth of them; baseline: writes of a status a second that the
                   API server takes, with as many at a time as suit it best, before daemons run
service to answer  from the creation of a Service to the first ARP answer, while all others are
                   there, less the API's own share, which is measured with each; one that requests
                   its address waits for the 200 ms of its probe, too
cold start         from the start of all daemons, after all were killed, until each address is
                   answered; p50 and p99 of all addresses of all starts`;
