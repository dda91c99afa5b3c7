// Removes everything a record names. Synchronous, so that it can run in exit and signal handlers.
// Only processes on record, and those in the lab's own namespaces and groups, are ended.

import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { processesInCgroup, removeCgroup } from "./cgroup.ts";
import { forgetRecord, type LabRecord, readRecords } from "./ledger.ts";
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  signalProcess,
} from "./process-identity.ts";

/** A killed process is gone within a few ms, unless the kernel is writing its memory somewhere. */
const KILL_WAIT_MS_MAX = 3_000;

/** Ends the processes, then removes namespaces (with their links), groups, folders, the record. */
export function removeRecorded(record: LabRecord): void {
  killAll(record.processes);
  killAll(processesInside(record.namespaces));
  killAll(identify(record.cgroups.flatMap(processesInCgroup)));
  const present = record.namespaces.filter((name) => existsSync(`/run/netns/${name}`));
  if (present.length > 0) {
    const input = present.map((name) => `netns del ${name}\n`).join("");
    // -force goes on past a namespace that another sweep removes at the same time.
    spawnSync("ip", ["-force", "-batch", "-"], { input, stdio: ["pipe", "ignore", "ignore"] });
  }
  for (const folder of record.cgroups) removeCgroup(folder);
  for (const folder of record.folders) rmSync(folder, { recursive: true, force: true });
  forgetRecord(record.id);
}

/** Removes the labs whose owner is dead; returns their ids. */
export function sweepDeadLabs(): string[] {
  const dead = readRecords().filter((record) => record.owner !== null && !isAlive(record.owner));
  for (const record of dead) removeRecorded(record);
  return dead.map((record) => record.id);
}

/** Children of lab processes, which nobody recorded, live in the lab's namespaces too. */
function processesInside(namespaces: readonly string[]): ProcessIdentity[] {
  const present = namespaces.filter((name) => existsSync(`/run/netns/${name}`));
  return present.flatMap((name) => {
    const listed = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" });
    return identify((listed.stdout ?? "").split("\n").filter(Boolean).map(Number));
  });
}

function identify(pids: readonly number[]): ProcessIdentity[] {
  return pids.map(identifyProcess).filter((identity) => identity !== null);
}

function killAll(identities: readonly ProcessIdentity[]): void {
  const signalled = identities.filter((identity) => signalProcess(identity, "SIGKILL"));
  const deadline = performance.now() + KILL_WAIT_MS_MAX;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (signalled.some(isAlive) && performance.now() < deadline) Atomics.wait(pause, 0, 0, 2);
}

const live = new Map<string, () => LabRecord>();
let installed = false;

/** From now on the lab is removed when this process ends in any way that lets it run code. */
export function removeOnExit(id: string, record: () => LabRecord): void {
  live.set(id, record);
  if (installed) return;
  installed = true;
  process.on("exit", removeLive);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      removeLive();
      // `once` has removed this handler: sent again, the signal ends the process as it should.
      process.kill(process.pid, signal);
    });
  }
}

export function removedAlready(id: string): void {
  live.delete(id);
}

function removeLive(): void {
  for (const [id, record] of live) {
    live.delete(id);
    removeRecorded(record());
  }
}
