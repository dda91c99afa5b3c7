// Tells Services by Event that this node announces their address: each once for as long as it does,
// also one that comes to share an address which is announced already.

import type { Ip } from "../core/address.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ServiceEvents } from "./service-events.ts";
import { currentAddresses } from "./service-request.ts";

export class AnnouncedServices {
  readonly #cluster: Pick<ClusterView, "services" | "servicesOf">;
  readonly #events: Pick<ServiceEvents, "announcing">;
  readonly #owned = new Set<Ip>();
  /** By Service: the addresses of which it was told. */
  readonly #told = new Map<string, Set<Ip>>();

  constructor(
    cluster: Pick<ClusterView, "services" | "servicesOf">,
    events: Pick<ServiceEvents, "announcing">,
  ) {
    this.#cluster = cluster;
    this.#events = events;
  }

  gained(address: Ip): void {
    this.#owned.add(address);
    const services = this.#cluster.servicesOf(address);
    for (const key of services) this.#told.get(key)?.delete(address);
    this.changed(services);
  }

  lost(address: Ip): void {
    this.#owned.delete(address);
  }

  /** They are new, or something of them has changed. */
  changed(services: Iterable<string>): void {
    for (const key of services) {
      const service = this.#cluster.services.get(key);
      const addresses = service === undefined ? [] : currentAddresses(service);
      const now = addresses.filter((ip) => this.#owned.has(ip) && this.#has(ip, key));
      const told = this.#told.get(key);
      if (now.length === 0) this.#told.delete(key);
      else this.#told.set(key, new Set(now));
      const isNews = now.some((address) => told?.has(address) !== true);
      if (isNews && service !== undefined) this.#events.announcing(service);
    }
  }

  /** One of another class, or of another type now, may still say that it has the address. */
  #has(address: Ip, key: string): boolean {
    return this.#cluster.servicesOf(address).includes(key);
  }
}
