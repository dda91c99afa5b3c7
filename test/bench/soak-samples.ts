// What the daemons hold and use, as the kernel tells: a sample of each now and then.

import { readdirSync, readFileSync } from "node:fs";

export interface Sample {
  /** Boot clock, ms. */
  readonly at: number;
  /** Megabytes. */
  readonly rss: number;
  readonly descriptors: number;
  /** CPU time of all threads since the process began, ms. */
  readonly cpuMs: number;
}

/** The life of one process. */
export interface Life {
  readonly node: string;
  readonly pid: number;
  readonly samples: Sample[];
}

/** USER_HZ: ticks a second in /proc, on every Linux of this architecture. */
const TICKS_A_SECOND = 100;
/** Where /proc/<pid>/stat has utime and stime, counted behind the name. */
const UTIME_FIELD = 11;

/** Null when there is no such process any more. */
export function sampleProcess(pid: number, at: number): Sample | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const rss = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[UTIME_FIELD]) + Number(fields[UTIME_FIELD + 1]);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    if (!Number.isFinite(rss)) return null;
    return { at, rss, descriptors, cpuMs: (1_000 * ticks) / TICKS_A_SECOND };
  } catch {
    return null;
  }
}

export class Samples {
  readonly lives: Life[] = [];

  add(node: string, pid: number, at: number): void {
    const sample = sampleProcess(pid, at);
    if (sample === null) return;
    const known = this.lives.find((life) => life.node === node && life.pid === pid);
    if (known !== undefined) known.samples.push(sample);
    else this.lives.push({ node, pid, samples: [sample] });
  }
}
