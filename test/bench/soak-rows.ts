// What a soak says: what the daemons held at first, at last and at worst, and how fast it grows;
// and how long addresses had no answer, or two. Pure.

import { type BenchRow, figuresOf, information } from "./rows.ts";
import { type Slope, slopeOf } from "./slope.ts";
import type { AnswersReport, Episode } from "./soak-answers.ts";
import type { Life, Sample } from "./soak-samples.ts";
import { formatColumns, shown } from "./text-table.ts";

export interface SoakRow {
  readonly name: string;
  readonly unit: "MB" | "descriptors" | "% of a core";
  /** After the warm-up of the longest life. */
  readonly first: number;
  readonly last: number;
  /** Of all lives, warm-ups included. */
  readonly worst: number;
  /** Null: too few samples. */
  readonly slopePerHour: number | null;
  readonly slopeError: number | null;
  /** Of the slope: those of the longest life, without its warm-up. */
  readonly samples: number;
  readonly target: string | null;
  readonly ok: boolean;
}

/** A step of the plan, at the boot time at which it was done. */
export interface DoneStep {
  readonly at: number;
  readonly kind: string;
}

/** A process that has just begun fills its caches; no longer than this part of its life. */
const WARM_UP_MS_MAX = 600_000;
const WARM_UP_PART = 0.25;
const HOUR_MS = 3_600_000;

/** From the warm-up to the end, along the line: two or three steps of a heap that breathes. */
export const GROWTH_MB_MAX = 10;
/** A slope that is less than so many of its standard errors is noise. */
const ERRORS_OF_NOISE = 3;
/** Nor is it a leak when it makes less than one descriptor from the warm-up to the end. */
const GROWTH_DESCRIPTORS_MIN = 1;

/** So many are told one by one. */
const LONGEST = 10;

/** What happened longer ago is not the cause. */
const CAUSE_MS_MAX = 30_000;

/** Three rows a node; with targets for the node whose daemon ran throughout. */
export function resourceRows(lives: readonly Life[], steady: string): SoakRow[] {
  const nodes = [...new Set(lives.map(({ node }) => node))].sort();
  return nodes.flatMap((node) => {
    const own = lives.filter((life) => life.node === node);
    const isSteady = node === steady;
    return [
      seriesRow(own, { name: `rss ${node}`, unit: "MB", isSteady, of: valuesOf("rss") }),
      seriesRow(own, {
        ...{ name: `descriptors ${node}`, unit: "descriptors", isSteady },
        of: valuesOf("descriptors"),
      }),
      seriesRow(own, { name: `cpu ${node}`, unit: "% of a core", isSteady, of: loadOf }),
    ];
  });
}

interface Value {
  readonly at: number;
  readonly value: number;
}

interface Series {
  readonly name: string;
  readonly unit: SoakRow["unit"];
  readonly isSteady: boolean;
  of(samples: readonly Sample[]): Value[];
}

function valuesOf(field: "rss" | "descriptors"): Series["of"] {
  return (samples) => samples.map((sample) => ({ at: sample.at, value: sample[field] }));
}

/** Between each sample and the one before. */
function loadOf(samples: readonly Sample[]): Value[] {
  return samples.slice(1).map((sample, i) => {
    const before = samples[i] ?? sample;
    const share = (sample.cpuMs - before.cpuMs) / (sample.at - before.at);
    return { at: sample.at, value: 100 * share };
  });
}

function seriesRow(lives: readonly Life[], { name, unit, isSteady, of }: Series): SoakRow {
  const all = lives.map(({ samples }) => of(samples));
  const longest = all.reduce((best, values) => (lastsMs(values) > lastsMs(best) ? values : best));
  const warmUntil =
    (longest[0]?.at ?? 0) + Math.min(WARM_UP_MS_MAX, lastsMs(longest) * WARM_UP_PART);
  const warm = longest.filter(({ at }) => at >= warmUntil);
  const slope = slopeOf(warm.map(({ at, value }) => ({ x: at / HOUR_MS, y: value })));
  const row = {
    ...{ name, unit },
    first: warm[0]?.value ?? Number.NaN,
    last: warm.at(-1)?.value ?? Number.NaN,
    worst: Math.max(...all.flat().map(({ value }) => value)),
    slopePerHour: slope?.perX ?? null,
    slopeError: slope?.error ?? null,
    samples: warm.length,
  };
  const judge = isSteady ? JUDGES[unit] : null;
  if (judge === null) return { ...row, target: null, ok: true };
  return { ...row, target: judge.target, ok: judge.isMet(slope, lastsMs(warm) / HOUR_MS) };
}

function lastsMs(values: readonly Value[]): number {
  return (values.at(-1)?.at ?? 0) - (values[0]?.at ?? 0);
}

interface Judge {
  readonly target: string;
  isMet(slope: Slope | null, hours: number): boolean;
}

/** What could not be measured meets nothing. */
const JUDGES: Readonly<Record<SoakRow["unit"], Judge | null>> = {
  MB: {
    target: `grows <= ${GROWTH_MB_MAX} MB`,
    isMet: (slope, hours) => slope !== null && slope.perX * hours <= GROWTH_MB_MAX,
  },
  descriptors: {
    target: "no growth beyond noise",
    isMet: (slope, hours) => {
      if (slope === null) return false;
      const isNoise = slope.perX <= ERRORS_OF_NOISE * slope.error;
      return isNoise || slope.perX * hours < GROWTH_DESCRIPTORS_MIN;
    },
  },
  "% of a core": null,
};

/** Rows in ms, with the number of times in `runs`; those by cause only where there are any. */
export function answerRows(report: AnswersReport, done: readonly DoneStep[]): BenchRow[] {
  const row = (name: string, values: readonly number[]): BenchRow =>
    information(name, "ms", { figures: figuresOf(values), runs: values.length });
  const told = (name: string, times: readonly Time[]): BenchRow[] => {
    const byCause = new Map<string, number[]>();
    for (const { from, ms } of times) {
      const cause = causeOf(from, done);
      byCause.set(cause, [...(byCause.get(cause) ?? []), ms]);
    }
    const causes = [...byCause].sort(([a], [b]) => a.localeCompare(b));
    const all = times.map(({ ms }) => ms);
    return [row(name, all), ...causes.map(([cause, values]) => row(`  after ${cause}`, values))];
  };
  const timesOf = (kind: Episode["kind"]): Time[] =>
    report.episodes
      .filter((episode) => episode.kind === kind)
      .map(({ from, to }) => ({ from, ms: to - from }));
  const firsts = report.firsts.map(({ since, ms }) => ({ from: since, ms }));
  return [
    ...told("no answer", timesOf("none")),
    ...told("two answers", timesOf("two")),
    ...told("service created to first answer", firsts),
  ];
}

/** A line each: how long, from when on after the start of the soak, for which address. */
export function longestWithoutAnswer(report: AnswersReport, startedAt: number): string[] {
  const gaps = report.episodes.filter(({ kind }) => kind === "none");
  const longest = gaps.toSorted((a, b) => b.to - b.from - (a.to - a.from)).slice(0, LONGEST);
  return longest.map(({ address, from, to }) => {
    const seconds = ((from - startedAt) / 1_000).toFixed(1);
    return `  ${Math.round(to - from)} ms from +${seconds} s on: ${address}`;
  });
}

interface Time {
  /** Boot clock, ms. */
  readonly from: number;
  readonly ms: number;
}

/** What struck last before it began. */
function causeOf(from: number, done: readonly DoneStep[]): string {
  const last = done.findLast(({ at }) => at <= from);
  return last === undefined || from - last.at > CAUSE_MS_MAX ? "nothing" : last.kind;
}

const HEADINGS = [
  ...["", "unit", "first", "last", "worst", "slope/h", "+-", "samples", "target", ""],
];

export function formatResources(rows: readonly SoakRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    ...[row.first, row.last, row.worst].map(shown),
    ...[row.slopePerHour, row.slopeError].map((value) => shown(value ?? Number.NaN)),
    String(row.samples),
    row.target ?? "",
    row.target === null ? "" : row.ok ? "ok" : "MISSED",
  ]);
  return formatColumns([HEADINGS, ...cells], { from: 2, to: 7 });
}

export const LEGEND = `
first, last  of the longest life of a process on this node, without its warm-up: a quarter of it, at
             most ${WARM_UP_MS_MAX / 60_000} minutes
worst        of all samples
slope/h, +-  by least squares over the samples between first and last, and its standard error
target       for the daemon that ran throughout: along the line, memory grows by at most
             ${GROWTH_MB_MAX} MB; descriptors by less than ${GROWTH_DESCRIPTORS_MIN},
             or within ${ERRORS_OF_NOISE} standard errors
ms           how long at a time, in steps of the 100 ms between two requests; runs: how often, over
             all addresses`;
