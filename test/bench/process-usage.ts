// What a process has used, as the kernel tells it in /proc.

import { readFileSync } from "node:fs";

/** Of the times in /proc/PID/stat: USER_HZ, which Linux never changes. */
const TICKS_PER_SECOND = 100;

/** Megabytes that it holds. */
export function rssOf(pid: number): number {
  return megabytes(pid, "VmRSS");
}

/** Megabytes: the most that it ever held. */
export function peakRssOf(pid: number): number {
  return megabytes(pid, "VmHWM");
}

/** Milliseconds of processor time since it was started, of all its threads. */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in parentheses, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) / TICKS_PER_SECOND) * 1_000;
}

function megabytes(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024;
}
