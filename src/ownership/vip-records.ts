// The VIP Leases as this node knows them: from a watch, which may be late, from reads of all of
// them, which may be overtaken by the watch, and from its own writes.

import type { Ip } from "../core/address.ts";
import { isOlderVersion } from "../core/resource-version.ts";
import type { VipRecord } from "./types.ts";

export class VipRecords {
  readonly #records = new Map<Ip, VipRecord>();
  /** Records that came since the read in flight was sent: it may not have them yet. */
  readonly #learnt = new Set<Ip>();
  /** Versions of the deletions since then: that read may still have the records. */
  readonly #gone = new Map<Ip, string>();

  get(address: Ip): VipRecord | null {
    return this.#records.get(address) ?? null;
  }

  all(): readonly VipRecord[] {
    return [...this.#records.values()];
  }

  /** From a watch; false: it is older than what is known, and changes nothing. */
  observe(record: VipRecord): boolean {
    const known = this.#records.get(record.address);
    if (known !== undefined && isOlderVersion(record.resourceVersion, known.resourceVersion)) {
      return false;
    }
    this.#learn(record);
    return true;
  }

  /** This node wrote it; a watch may have shown a newer one already. */
  wrote(record: VipRecord): void {
    this.#learn(newerOf(this.#records.get(record.address), record));
  }

  /** It was deleted; false: it was made anew since. */
  forget({ address, resourceVersion }: { address: Ip; resourceVersion?: string }): boolean {
    const known = this.#records.get(address)?.resourceVersion;
    if (known !== undefined && resourceVersion !== undefined) {
      if (isOlderVersion(resourceVersion, known)) return false;
    }
    this.#records.delete(address);
    if (resourceVersion !== undefined) this.#gone.set(address, resourceVersion);
    return true;
  }

  /** A read of all records is on its way. */
  readSent(): void {
    this.#learnt.clear();
    this.#gone.clear();
  }

  /** All records, straight from the API. */
  replace(records: readonly VipRecord[]): void {
    const known = new Map(this.#records);
    for (const address of known.keys()) {
      if (!this.#learnt.has(address)) this.#records.delete(address);
    }
    for (const record of records) {
      const gone = this.#gone.get(record.address);
      if (gone !== undefined && isOlderVersion(record.resourceVersion, gone)) continue;
      this.#records.set(record.address, newerOf(known.get(record.address), record));
    }
  }

  #learn(record: VipRecord): void {
    this.#records.set(record.address, record);
    this.#learnt.add(record.address);
  }
}

function newerOf(known: VipRecord | undefined, record: VipRecord): VipRecord {
  if (known === undefined) return record;
  return isOlderVersion(record.resourceVersion, known.resourceVersion) ? known : record;
}
