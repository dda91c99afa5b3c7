// Asks systemd why it ends this process: SIGTERM is the same for a stop and for a restart, but the
// job that systemd runs on the unit at that moment is not. Answers within a time limit; when there
// is nobody to ask it is a stop. It is true for the moment only: while the process ends, somebody
// may still turn a restart into a stop.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

/** "restart": systemd will start the unit again as soon as it has ended. */
export type StopReason = "stop" | "restart";

const ANSWER_MS_MAX = 1_500;

/**
 * systemctl speaks to systemd itself, over its private socket; through the D-Bus daemon there is no
 * answer in a shutdown, which ends that daemon at the same time. `--full`: a name that is too long
 * for a terminal is not shortened.
 */
const LIST_JOBS = ["list-jobs", "--no-legend", "--no-pager", "--full"] as const;

/** Inherited by whatever a service starts: it names the one process that systemd itself started. */
export function isStartedBySystemd(): boolean {
  return process.env.SYSTEMD_EXEC_PID === String(process.pid);
}

/** To be called when SIGTERM has come. Never rejects; "stop" when systemd says nothing else. */
export async function stopReason(): Promise<StopReason> {
  if (!isStartedBySystemd()) return "stop";
  try {
    const unit = unitOf(await readFile("/proc/self/cgroup", "utf8"));
    return unit === null ? "stop" : reasonIn(await listJobs(), unit);
  } catch {
    return "stop";
  }
}

/** The service in /proc/self/cgroup; null: none. */
export function unitOf(cgroups: string): string | null {
  // systemd's own hierarchy: "0" with cgroups v2, a named one with v1.
  const own = cgroups.split("\n").find((line) => /^(0:|\d+:name=systemd):/.test(line));
  const names = own?.split("/") ?? [];
  return names.findLast((name) => name.endsWith(".service")) ?? null;
}

/** What the output of `systemctl list-jobs` says about the unit: a row is "ID UNIT TYPE STATE". */
export function reasonIn(jobs: string, unit: string): StopReason {
  const rows = jobs.split("\n").map((line) => line.trim().split(/\s+/));
  const isRestart = rows.some(([, name, type]) => name === unit && type === "restart");
  return isRestart ? "restart" : "stop";
}

function listJobs(): Promise<string> {
  // Not `timeout`: that one would wait for the end of a systemctl that cannot be killed.
  const limit = { signal: AbortSignal.timeout(ANSWER_MS_MAX), killSignal: "SIGKILL" } as const;
  return new Promise((resolve, reject) => {
    execFile("systemctl", LIST_JOBS, limit, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}
