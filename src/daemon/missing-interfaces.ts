// Interfaces that an L2Advertisement names and this node does not have: told once by Event on each
// Service that depends on them, and listed in the status.

import type { ClusterView } from "./cluster-view.ts";
import type { ServiceEvents } from "./service-events.ts";

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
    for (const { name: pool } of cluster.config.pools) {
      const placement = cluster.placementOf(pool)?.nodes.get(node);
      if (placement?.allowed !== true || placement.interfaces === null) continue;
      const missing = placement.interfaces.filter((name) => !present.has(name));
      for (const name of missing) names.add(name);
      if (missing.length < placement.interfaces.length) continue;
      for (const key of servicesOfPool(cluster, pool)) this.#tell(cluster, key, missing, told);
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

function servicesOfPool(cluster: ClusterView, pool: string): Set<string> {
  const addresses = cluster.addresses().filter((ip) => cluster.poolOf(ip)?.name === pool);
  return new Set(addresses.flatMap((ip) => cluster.servicesOf(ip)));
}
