// Where the leader asks for an address before it is handed out, and which answers are the
// cluster's own.

import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { Node } from "../k8s-sync/model.ts";
import type { HostInterface } from "../link/host-interface.ts";
import type { NeighbourEntry } from "../link/neighbour-table.ts";
import { segmentsFor } from "../ownership/eligibility.ts";
import type { Segment } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";

/**
 * The interfaces on which this node would answer for the address: those that the advertisements of
 * its pool name, else those with a prefix that holds it.
 */
export function probeInterfaces(
  address: Ip,
  about: {
    readonly node: string;
    readonly cluster: Pick<ClusterView, "poolOf" | "placementOfPool">;
    readonly segments: readonly Segment[];
  },
): string[] {
  const { node, cluster, segments } = about;
  const pool = cluster.poolOf(address);
  const placement = pool === null ? undefined : cluster.placementOfPool(pool.name);
  const own = placement?.nodes.get(node);
  const named = own?.allowed === true ? own.interfaces : null;
  return segmentsFor(address, segments, named).map((segment) => segment.interface);
}

/**
 * Whether the MAC is of this host, or of a node of the cluster that the kernel has spoken to: one
 * without lbd may still answer for an address that kube-proxy has bound to it.
 */
export function isNodeMac(
  mac: Mac,
  interfaces: readonly HostInterface[],
  others: {
    readonly nodes: ReadonlyMap<string, Node>;
    readonly readNeighbours: () => readonly NeighbourEntry[];
  },
): boolean {
  if (interfaces.some((own) => own.mac === mac)) return true;
  const addresses = others.readNeighbours().flatMap((one) => (one.mac === mac ? one.address : []));
  if (addresses.length === 0) return false;
  const isOfNode = (ip: Ip): boolean =>
    [...others.nodes.values()].some((node) =>
      node.addresses.some(({ address }) => parseIp(address) === ip),
    );
  return addresses.some(isOfNode);
}
