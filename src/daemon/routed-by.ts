// Which BGPAdvertisements are for an address: where there are some that a node follows, nobody
// needs to answer for it on a segment.

import { advertisementsFor } from "../bgp/routes.ts";
import type { BgpAdvertisement } from "../config/bgp-advertisement.ts";
import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Labels } from "../config/label-selector.ts";
import type { Ip } from "../core/address.ts";
import type { Service } from "../k8s-sync/model.ts";
import { isTold, peersOn } from "./bgp-decision.ts";
import type { ClusterView } from "./cluster-view.ts";

type Cluster = Pick<ClusterView, "config" | "nodes" | "poolOf" | "servicesOf" | "services">;

/**
 * Those that make some node announce something to some peer. For many addresses they are to be
 * found once.
 */
export function followed(
  { bgp }: Pick<ClusterConfig, "bgp">,
  nodeLabels: readonly Labels[],
): BgpAdvertisement[] {
  if (bgp.advertisements.length === 0 || bgp.peers.length === 0) return [];
  const all = nodeLabels.map((labels) => ({
    labels,
    peers: new Set(peersOn({ bgp }, { metadata: { labels } }).map(({ name }) => name)),
  }));
  return bgp.advertisements.filter((ad) =>
    all.some(({ labels, peers }) => isTold(ad, labels, peers)),
  );
}

export function followedIn({ config, nodes }: Pick<Cluster, "config" | "nodes">) {
  return followed(
    config,
    [...nodes.values()].map(({ metadata }) => metadata.labels),
  );
}

/** Their names; none: BGP has nothing to do with the address. */
export function routedBy(
  address: Ip,
  cluster: Cluster,
  advertisements: readonly BgpAdvertisement[] = followedIn(cluster),
): string[] {
  if (advertisements.length === 0) return [];
  const pool = cluster.poolOf(address)?.name;
  if (pool === undefined) return [];
  const services = cluster.servicesOf(address).flatMap((key) => cluster.services.get(key) ?? []);
  return routedWith(advertisements, pool, services);
}

/** The same for Services that would have an address of the pool. */
export function routedWith(
  advertisements: readonly BgpAdvertisement[],
  pool: string,
  services: readonly Service[],
): string[] {
  const found = services.flatMap(({ metadata: { labels } }) =>
    advertisementsFor({ pool, labels }, advertisements),
  );
  return [...new Set(found.map(({ name }) => name))].sort();
}
