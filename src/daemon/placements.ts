// From configuration and Node objects to what the ownership machine needs: for a VIP, which nodes
// may own it and on which interfaces, each "no" with its reason, and which should before others.

import type { Advertisement, ClusterConfig } from "../config/cluster-config.ts";
import { anySelectorMatches, selectorMatches } from "../config/label-selector.ts";
import type { Node, Service } from "../k8s-sync/model.ts";
import type { NodePlacement, Placement } from "../ownership/types.ts";
import { mayShare } from "./service-request.ts";

/** Presence excludes a node from every load balancer (KEP-1143). */
export const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

/** The advertisements that are for an address; the reason when there are none. */
export type Advertised =
  | { readonly advertisements: readonly [Advertisement, ...Advertisement[]] }
  | { readonly advertisements: readonly []; readonly reason: string };

export interface ExclusionOptions {
  /** The label EXCLUDE_LABEL is not looked at. */
  readonly ignoreExcludeLabel?: boolean | undefined;
}

/** Of one configuration and the nodes of one moment. */
export class Placements {
  readonly #options: ExclusionOptions;
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #covering: ReadonlyMap<string, readonly Advertisement[]>;
  /** Shared by all VIPs that the same advertisements are for. */
  readonly #known = new Map<string, Placement>();

  constructor(
    config: ClusterConfig,
    nodes: ReadonlyMap<string, Node>,
    options: ExclusionOptions = {},
  ) {
    this.#options = options;
    this.#nodes = nodes;
    this.#covering = new Map(
      config.pools.map(({ name }) => [
        name,
        config.advertisements.filter((ad) => ad.pools.includes(name)),
      ]),
    );
  }

  /** For an address of `pool` that these Services have; undefined: there is no such pool. */
  of(pool: string, services: readonly Service[]): Placement | undefined {
    if (!this.#covering.has(pool)) return undefined;
    return this.#placement(pool, this.advertised(pool, services));
  }

  /** What any Service could have with an address of the pool. */
  ofAnyService(pool: string): Placement | undefined {
    const covering = this.#covering.get(pool);
    return covering && this.#placement(pool, advertisedBy(covering, notCovered(pool)));
  }

  advertised(pool: string, services: readonly Service[]): Advertised {
    const covering = this.#covering.get(pool) ?? [];
    if (covering.length === 0) return advertisedBy([], notCovered(pool));
    // Most advertisements are for all Services.
    if (!covering.some(isSelective)) return advertisedBy(covering, "");
    const matching = services.map((service) => matchingOf(covering, service));
    const found = covering.filter((ad) => matching.some((ads) => ads?.includes(ad)));
    return advertisedBy(found, matching.includes(null) ? SHARES : notSelected(pool));
  }

  #placement(pool: string, advertised: Advertised): Placement {
    const names = advertised.advertisements.map(({ name }) => name);
    const reason = "reason" in advertised ? advertised.reason : "";
    const key = JSON.stringify([pool, reason, ...names]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const entries = [...this.#nodes].map(
      ([node, object]) => [node, nodePlacement(advertised, object, this.#options)] as const,
    );
    const made = { pool, nodes: new Map(entries) };
    this.#known.set(key, made);
    return made;
  }
}

const SHARES =
  "its Service has the annotation allow-shared-ip, which cannot be used with the " +
  "serviceSelectors of an L2Advertisement";

function notCovered(pool: string): string {
  return `no L2Advertisement covers pool "${pool}"`;
}

function notSelected(pool: string): string {
  return `no L2Advertisement of pool "${pool}" selects its Service (serviceSelectors)`;
}

function advertisedBy(advertisements: readonly Advertisement[], otherwise: string): Advertised {
  const [first, ...rest] = advertisements;
  if (first === undefined) return { advertisements: [], reason: otherwise };
  return { advertisements: [first, ...rest] };
}

function isSelective(ad: Advertisement): boolean {
  return ad.serviceSelectors.length > 0;
}

/** Null: it would be announced by its own labels, and so would others on the same address. */
function matchingOf(
  covering: readonly Advertisement[],
  service: Service,
): readonly Advertisement[] | null {
  const { labels } = service.metadata;
  const matching = covering.filter(
    (ad) => !isSelective(ad) || anySelectorMatches(ad.serviceSelectors, labels),
  );
  return mayShare(service) && matching.some(isSelective) ? null : matching;
}

function nodePlacement(
  advertised: Advertised,
  node: Node,
  options: ExclusionOptions,
): NodePlacement {
  const excluded = exclusion(node, options);
  if (excluded !== null) return { allowed: false, reason: excluded };
  if ("reason" in advertised) return { allowed: false, reason: advertised.reason };
  const { advertisements } = advertised;
  const { labels } = node.metadata;
  const matching = advertisements.filter(
    (ad) => ad.nodeSelectors.length === 0 || anySelectorMatches(ad.nodeSelectors, labels),
  );
  if (matching.length === 0) {
    const names = advertisements.map((ad) => `"${ad.name}"`).join(", ");
    return { allowed: false, reason: `not selected by L2Advertisement ${names}` };
  }
  const isOnAll = matching.some((ad) => ad.interfaces.length === 0);
  const interfaces = isOnAll ? null : [...new Set(matching.flatMap((ad) => ad.interfaces))].sort();
  const preference = preferenceFor(node, matching);
  return { allowed: true, interfaces, unhealthy: healthProblem(node), preference };
}

/** The weights add up, over all selectors of all advertisements that select the node. */
function preferenceFor(node: Node, advertisements: readonly Advertisement[]): number {
  return advertisements
    .flatMap((ad) => ad.preferredNodeSelectors)
    .filter(({ preference }) => selectorMatches(preference, node.metadata.labels))
    .reduce((sum, { weight }) => sum + weight, 0);
}

/** Why a node may own nothing at all, or null. */
export function exclusion(node: Node, options: ExclusionOptions = {}): string | null {
  if (options.ignoreExcludeLabel === true) return null;
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
