// What all parts of one lab share: its name, the record of what it has made, its folder.

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger } from "./ledger.ts";

export interface LabContext {
  readonly id: string;
  readonly ledger: Ledger;
  /** Logs, captures, configuration and state of the lab's processes. */
  readonly folder: string;
  readonly outlivesOwner: boolean;
}

/** A name that no other lab has: pid and random digits in base 36. */
export function newContext(outlivesOwner: boolean): LabContext {
  const random = Math.floor(Math.random() * 36 ** 4).toString(36);
  const id = `${process.pid.toString(36)}${random.padStart(4, "0")}`;
  // Short: the path of a socket in here may have 107 characters.
  const folder = join(tmpdir(), `lbd-lab-${id}`);
  const ledger = new Ledger(id, { outlivesOwner });
  ledger.addFolder(folder);
  mkdirSync(folder, { recursive: true });
  return { id, ledger, folder, outlivesOwner };
}
