// Interfaces that an L2Advertisement names and this node does not have: told once by Event on each
// Service that depends on them, and listed in the status.

import type { Placement } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ServiceEvents } from "./service-events.ts";

interface Missing {
  readonly missing: readonly string[];
  /** There are names, and none of them is here. */
  readonly isAll: boolean;
}

export class MissingInterfaces {
  readonly #events: ServiceEvents;
  #names: readonly string[] = [];
  /** `service interfaces`: told already. */
  #told = new Set<string>();

  constructor(events: ServiceEvents) {
    this.#events = events;
  }

  names(): readonly string[] {
    return this.#names;
  }

  check(host: { node: string; cluster: ClusterView; present: ReadonlySet<string> }): void {
    const names = new Set<string>();
    const told = new Set<string>();
    const { cluster, node, present } = host;
    const missingOf = (placement: Placement | undefined): Missing => {
      const found = placement?.nodes.get(node);
      const named = found?.allowed === true ? (found.interfaces ?? []) : [];
      const missing = named.filter((name) => !present.has(name));
      return { missing, isAll: named.length > 0 && missing.length === named.length };
    };
    for (const { name: pool } of cluster.config.pools) {
      const { missing } = missingOf(cluster.placementOfPool(pool));
      for (const name of missing) names.add(name);
    }
    // There are thousands of addresses, and hardly ever a name that is not here.
    const isNamed = cluster.config.advertisements.some((ad) =>
      ad.interfaces.some((name) => !present.has(name)),
    );
    for (const address of isNamed ? cluster.addresses() : []) {
      const { missing, isAll } = missingOf(cluster.placementOf(address));
      for (const name of missing) names.add(name);
      if (!isAll) continue;
      for (const key of cluster.servicesOf(address)) this.#tell(cluster, key, missing, told);
    }
    this.#names = [...names].sort();
    this.#told = told;
  }

  #tell(cluster: ClusterView, key: string, missing: readonly string[], told: Set<string>): void {
    const id = `${key} ${missing.join(",")}`;
    told.add(id);
    const service = cluster.services.get(key);
    if (service === undefined || this.#told.has(id)) return;
    this.#events.announceFailed(service, missing);
  }
}
