// Writes what was given to Services into their status, a few at a time. All at once, thousands of
// them would be in line before everything else that this node asks the API server, the renewals of
// its Leases too, and those that were not answered in time would be sent again.

import type { ApiRequests } from "../k8s-sync/client.ts";
import type { Service } from "../k8s-sync/model.ts";
import { failed, type Outcome } from "../k8s-sync/outcome.ts";
import { patchServiceStatus, type ServiceStatusChange } from "../k8s-sync/service-status.ts";

/** Fewer than the connections that there are: some are left to the Leases. */
const CONCURRENT_WRITES_MAX = 6;

export interface StatusWriterOptions {
  readonly client: ApiRequests;
  readonly isLeading: () => boolean;
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** In the order of the calls. A conflict, too, when another node leads before it is its turn. */
  async patch({ metadata }: Service, change: ServiceStatusChange): Promise<Outcome<Service>> {
    if (this.#running >= CONCURRENT_WRITES_MAX) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#running += 1;
    try {
      if (!this.#options.isLeading()) return failed("conflict", "Another node leads by now");
      return await patchServiceStatus(this.#options.client, metadata, change);
    } finally {
      const next = this.#queue.shift();
      // Whoever is next takes the place over.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
