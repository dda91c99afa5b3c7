// The leader removes the Leases of addresses that no Service has any more.

import type { Ip } from "../core/address.ts";
import type { BootMs, Clock } from "../core/time.ts";
import { after } from "../core/time.ts";
import type { VipRecord } from "../ownership/types.ts";
import type { Task } from "./tasks.ts";
import { repeat } from "./tasks.ts";

export interface CollectorOptions {
  readonly clock: Clock;
  /** False: not the leader, or the cluster is not fully known. */
  readonly mayCollect: () => boolean;
  readonly records: () => Iterable<VipRecord>;
  readonly isInUse: (address: Ip) => boolean;
  /** Deletes it if it still is what was read. */
  readonly remove: (record: VipRecord) => Promise<unknown>;
}

const LOOK_EVERY_MS = 1_000;
/** An address may come back within this, as when a Service is made anew. */
const GRACE_MS = 5_000;

export class VipLeaseCollector implements Task {
  readonly name = "vip-lease-collector";
  readonly #options: CollectorOptions;
  #unusedSince: ReadonlyMap<Ip, BootMs> = new Map();

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  run(signal: AbortSignal): Promise<void> {
    return repeat(() => this.look(), LOOK_EVERY_MS, signal);
  }

  look(): void {
    const { clock, mayCollect, records, isInUse, remove } = this.#options;
    const unusedSince = new Map<Ip, BootMs>();
    const now = clock.boot();
    for (const record of mayCollect() ? records() : []) {
      if (isInUse(record.address)) continue;
      const since = this.#unusedSince.get(record.address) ?? now;
      const isDue = now >= after(since, GRACE_MS);
      unusedSince.set(record.address, isDue ? now : since);
      if (isDue) void remove(record);
    }
    this.#unusedSince = unusedSince;
  }
}
