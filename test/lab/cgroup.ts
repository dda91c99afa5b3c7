// Control groups of one container, beside those of the machine: the systemd in it takes the group
// that it is started in for its own, so two containers must not share one. Synchronous, for use in
// exit handlers.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Where systemd's hierarchies are: v2 beside v1, or v2 alone. */
const ROOTS_HYBRID = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
const ROOT = "/sys/fs/cgroup";

/** The kernel takes a moment to empty the group of processes that have ended. */
const EMPTY_MS_MAX = 3_000;

/** Folders for a group of that name, one for each hierarchy; nothing is made. */
export function cgroupFolders(name: string): string[] {
  const hybrid = ROOTS_HYBRID.filter((root) => existsSync(root));
  const roots = hybrid.length > 0 ? hybrid : [ROOT];
  return roots.map((root) => join(root, name));
}

export function makeCgroups(folders: readonly string[]): void {
  for (const folder of folders) mkdirSync(folder);
}

/** Ids of the processes in the group and in those below it. */
export function processesInCgroup(folder: string): number[] {
  return groupsBelow(folder).flatMap((group) => {
    const text = readOr(join(group, "cgroup.procs"), "");
    return text.split("\n").filter(Boolean).map(Number);
  });
}

/** Removes the group and those below it, which must be empty or about to be. */
export function removeCgroup(folder: string): void {
  const deadline = performance.now() + EMPTY_MS_MAX;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (existsSync(folder)) {
    try {
      for (const group of groupsBelow(folder)) rmdirSync(group);
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      Atomics.wait(pause, 0, 0, 10);
    }
  }
}

/** The innermost first. */
function groupsBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const inner = entries.filter((entry) => entry.isDirectory());
  return [...inner.flatMap((entry) => groupsBelow(join(folder, entry.name))), folder];
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}
