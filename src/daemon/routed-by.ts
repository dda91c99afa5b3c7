// Which BGPAdvertisements are for an address: where there are some, and peers to tell, nobody needs
// to answer for it on a segment.

import { advertisementsFor } from "../bgp/routes.ts";
import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Ip } from "../core/address.ts";
import type { Service } from "../k8s-sync/model.ts";
import type { ClusterView } from "./cluster-view.ts";

/** Their names; none: BGP has nothing to do with the address. */
export function routedBy(
  address: Ip,
  cluster: Pick<ClusterView, "config" | "poolOf" | "servicesOf" | "services">,
): string[] {
  const pool = cluster.poolOf(address)?.name;
  if (pool === undefined) return [];
  const services = cluster.servicesOf(address).flatMap((key) => cluster.services.get(key) ?? []);
  return routedWith(cluster.config, pool, services);
}

/** The same with another configuration, and for Services that would have an address of the pool. */
export function routedWith(
  { bgp }: Pick<ClusterConfig, "bgp">,
  pool: string,
  services: readonly Service[],
): string[] {
  if (bgp.peers.length === 0) return [];
  const found = services.flatMap(({ metadata: { labels } }) =>
    advertisementsFor({ pool, labels }, bgp.advertisements),
  );
  return [...new Set(found.map(({ name }) => name))].sort();
}
