// Who a process is. A pid alone is reused; pid, start time and boot together are not, so a process
// that is ended by its identity is the one that was started.

import { readFileSync } from "node:fs";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat. */
  readonly startTicks: number;
  readonly bootId: string;
}

const BOOT_ID = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** State letter and start time of a process, or null if there is none with this pid. */
function readStat(pid: number): { state: string; startTicks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name is in parentheses and may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "?", startTicks: Number(fields[19]) };
  } catch {
    return null;
  }
}

/** The identity of a running process, or null if it is gone. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : { pid, startTicks: stat.startTicks, bootId: BOOT_ID };
}

/** True while this very process runs or is stopped. A zombie has ended: only its status is left. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  if (stat === null || identity.bootId !== BOOT_ID) return false;
  return stat.startTicks === identity.startTicks && stat.state !== "Z" && stat.state !== "X";
}

/** R, S, D, T (stopped), Z (zombie), or null when there is no such process. */
export function processState(pid: number): string | null {
  return readStat(pid)?.state ?? null;
}

/** Sends the signal if this very process is alive; false if it was not. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}
