// From configuration and Node objects to what the ownership machine needs: for the VIPs of one
// pool, which nodes may own them and on which interfaces, each "no" with its reason.

import type { Advertisement, ClusterConfig } from "../config/cluster-config.ts";
import { anySelectorMatches } from "../config/label-selector.ts";
import type { Node } from "../k8s-sync/model.ts";
import type { NodePlacement, Placement } from "../ownership/types.ts";

/** Presence excludes a node from every load balancer (KEP-1143). */
export const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

/** The placement of every pool, by pool name. */
export function placements(
  config: ClusterConfig,
  nodes: ReadonlyMap<string, Node>,
): Map<string, Placement> {
  return new Map(
    config.pools.map(({ name }) => {
      const advertisements = config.advertisements.filter((ad) => ad.pools.includes(name));
      const entries = [...nodes].map(
        ([node, object]) => [node, nodePlacement(name, advertisements, object)] as const,
      );
      return [name, { pool: name, nodes: new Map(entries) }];
    }),
  );
}

function nodePlacement(
  pool: string,
  advertisements: readonly Advertisement[],
  node: Node,
): NodePlacement {
  const excluded = exclusion(node);
  if (excluded !== null) return { allowed: false, reason: excluded };
  if (advertisements.length === 0) {
    return { allowed: false, reason: `no L2Advertisement covers pool "${pool}"` };
  }
  const matching = advertisements.filter(
    (ad) =>
      ad.nodeSelectors.length === 0 || anySelectorMatches(ad.nodeSelectors, node.metadata.labels),
  );
  if (matching.length === 0) {
    const names = advertisements.map((ad) => `"${ad.name}"`).join(", ");
    return { allowed: false, reason: `not selected by L2Advertisement ${names}` };
  }
  const isOnAll = matching.some((ad) => ad.interfaces.length === 0);
  const interfaces = isOnAll ? null : [...new Set(matching.flatMap((ad) => ad.interfaces))].sort();
  return { allowed: true, interfaces, unhealthy: healthProblem(node) };
}

/** Why a node may own nothing at all, or null. */
export function exclusion(node: Node): string | null {
  return EXCLUDE_LABEL in node.metadata.labels ? `it has the label ${EXCLUDE_LABEL}` : null;
}

/** Why a node should own nothing while there are others, or null. Unknown is no information. */
export function healthProblem(node: Node): string | null {
  const hasCondition = (type: string, status: string): boolean =>
    node.conditions.some((condition) => condition.type === type && condition.status === status);
  if (hasCondition("Ready", "False")) return "the Node is not Ready";
  if (hasCondition("NetworkUnavailable", "True")) return "the Node has NetworkUnavailable";
  if (node.taints.some((taint) => taint.key === OUT_OF_SERVICE_TAINT)) {
    return "the Node is tainted out-of-service";
  }
  return null;
}
