// What a lab has made, written down before it is made, so that whoever comes later can remove what
// a dead owner left behind. One JSON file a lab in the state folder, replaced as a whole each time.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-identity.ts";

export interface LabRecord {
  readonly id: string;
  /** The process that will clean up; null for a lab that is meant to outlive its maker. */
  readonly owner: ProcessIdentity | null;
  readonly namespaces: readonly string[];
  /** Folders of control groups. */
  readonly cgroups: readonly string[];
  readonly folders: readonly string[];
  readonly processes: readonly ProcessIdentity[];
}

export const STATE_FOLDER = process.env.LBD_LAB_STATE ?? "/run/lbd-lab";

/** Where the lock file of all labs is: `ip netns add` is not safe against itself. */
export const LOCK_FILE = join(STATE_FOLDER, "lock");

export class Ledger {
  #record: LabRecord;

  constructor(id: string, options: { outlivesOwner?: boolean } = {}) {
    const owner = options.outlivesOwner === true ? null : identifyProcess(process.pid);
    this.#record = { id, owner, namespaces: [], cgroups: [], folders: [], processes: [] };
  }

  get record(): LabRecord {
    return this.#record;
  }

  addNamespaces(names: readonly string[]): void {
    this.#write({ namespaces: [...this.#record.namespaces, ...names] });
  }

  addCgroups(folders: readonly string[]): void {
    this.#write({ cgroups: [...this.#record.cgroups, ...folders] });
  }

  addFolder(path: string): void {
    this.#write({ folders: [...this.#record.folders, path] });
  }

  /** Also forgets those that have ended, so that the record stays short. */
  addProcess(identity: ProcessIdentity): void {
    this.#write({ processes: [...this.#record.processes.filter(isAlive), identity] });
  }

  #write(change: Partial<LabRecord>): void {
    this.#record = { ...this.#record, ...change };
    mkdirSync(STATE_FOLDER, { recursive: true });
    const temporary = join(STATE_FOLDER, `.${this.#record.id}`);
    writeFileSync(temporary, JSON.stringify(this.#record, null, 2));
    renameSync(temporary, recordPath(this.#record.id));
  }
}

function recordPath(id: string): string {
  return join(STATE_FOLDER, `${id}.json`);
}

export function forgetRecord(id: string): void {
  rmSync(recordPath(id), { force: true });
}

/** All records in the state folder; one that another sweep removes meanwhile is left out. */
export function readRecords(): LabRecord[] {
  let names: string[];
  try {
    names = readdirSync(STATE_FOLDER);
  } catch {
    return [];
  }
  const records: LabRecord[] = [];
  for (const name of names.filter((name) => name.endsWith(".json"))) {
    try {
      const text = readFileSync(join(STATE_FOLDER, name), "utf8");
      // A lab of an older checkout has no groups.
      records.push({ cgroups: [], ...JSON.parse(text) } as LabRecord);
    } catch {
      // Gone since the folder was read: its owner or another sweep has dealt with it.
    }
  }
  return records;
}
