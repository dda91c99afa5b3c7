// What this node is to say by BGP, from the cluster as it sees it: to which peers, with which
// routes, and why not. Pure but for what it is given to ask.

import type { BgpIntent, PeerIntent } from "../bgp/intent.ts";
import { NO_BGP } from "../bgp/intent.ts";
import { type Routes, routesOf, type ServiceAddresses, selects } from "../bgp/routes.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Node, Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { Serving } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { PasswordOf } from "./peer-passwords.ts";
import { healthProblem } from "./placements.ts";
import { currentAddresses } from "./service-request.ts";

export interface BgpSituation {
  readonly node: string;
  readonly cluster: Pick<
    ClusterView,
    "config" | "nodes" | "services" | "isOurs" | "poolOf" | "exclusion" | "servingOf"
  >;
  /** Why nothing may be said from this node at all, as while MetalLB's speaker runs; or null. */
  readonly muted: string | null;
  /** Null: the node is not drained. */
  readonly drain: { readonly force: boolean } | null;
  readonly isStopping: boolean;
  /** Whether the daemon of another node is there to take over. */
  readonly isThere: (node: string) => boolean;
  readonly passwordOf: PasswordOf;
  readonly routeMapIn: string | null;
}

export interface BgpDecision {
  readonly intent: BgpIntent;
  readonly announced: Routes["announced"];
  /** By Service: why it is not announced, though a BGPAdvertisement is for it. */
  readonly conflicts: Routes["conflicts"];
  /** Why this node announces nothing now, or null. */
  readonly withheld: string | null;
  /** Peers that cannot be spoken with, as long as their password is not known. */
  readonly unknownPasswords: readonly { readonly peer: string; readonly why: string }[];
  /** It is drained, and announces all the same: nobody else could. */
  readonly isAlone: boolean;
}

export const NOTHING_BY_BGP: BgpDecision = {
  intent: NO_BGP,
  announced: new Map(),
  conflicts: new Map(),
  withheld: null,
  unknownPasswords: [],
  isAlone: false,
};

export function decideBgp(situation: BgpSituation): BgpDecision {
  const { cluster, node, muted, routeMapIn } = situation;
  const object = cluster.nodes.get(node);
  const { config } = cluster;
  const selected = object === undefined ? [] : peersOn(config, object);
  if (muted !== null || object === undefined || selected.length === 0) {
    return { ...NOTHING_BY_BGP, withheld: selected.length === 0 ? null : muted };
  }
  const { peers, unknownPasswords } = withPasswords(selected, situation.passwordOf);
  const { withheld, isAlone } = whyWithheld(object, situation);
  const routes = routesOf({
    labels: object.metadata.labels,
    peers: peers.map(({ peer }) => peer.name),
    advertisements: config.bgp.advertisements,
    services: withheld === null ? servedBy(node, cluster) : [],
  });
  const used = new Set(peers.map(({ peer }) => peer.bfdProfile));
  const bfdProfiles = config.bgp.bfdProfiles.filter(({ name }) => used.has(name));
  const { classes, announced, conflicts } = routes;
  const intent = { peers, bfdProfiles, classes, routeMapIn };
  return { intent, announced, conflicts, withheld, unknownPasswords, isAlone };
}

/** The peers that select the node. */
export function peersOn(
  { bgp }: Pick<ClusterConfig, "bgp">,
  { metadata }: Pick<Node, "metadata">,
): readonly BgpPeer[] {
  return bgp.peers.filter(({ nodeSelectors }) => selects(nodeSelectors, metadata.labels));
}

function withPasswords(
  selected: readonly BgpPeer[],
  passwordOf: PasswordOf,
): Pick<BgpDecision, "unknownPasswords"> & { readonly peers: readonly PeerIntent[] } {
  const peers: PeerIntent[] = [];
  const unknownPasswords: { peer: string; why: string }[] = [];
  for (const peer of selected) {
    const known = passwordOf(peer);
    if (known.kind === "unknown") unknownPasswords.push({ peer: peer.name, why: known.why });
    else peers.push({ peer, password: known.kind === "none" ? null : known.text });
  }
  return { peers, unknownPasswords };
}

/** What is wrong with this node alone; while others are there to do it, it announces nothing. */
function whyWithheld(
  node: Node,
  situation: BgpSituation,
): Pick<BgpDecision, "withheld" | "isAlone"> {
  const { cluster, drain, isStopping } = situation;
  if (isStopping) return { withheld: "the daemon stops", isAlone: false };
  const excluded = cluster.exclusion(node) ?? networkProblem(node);
  if (excluded !== null) return { withheld: excluded, isAlone: false };
  const why = drain === null ? healthProblem(node) : "it is drained";
  if (why === null) return { withheld: null, isAlone: false };
  if (drain?.force === true || hasOther(situation)) return { withheld: why, isAlone: false };
  return { withheld: null, isAlone: true };
}

/** As MetalLB has it: whatever the others can do. */
function networkProblem({ conditions }: Node): string | null {
  const isDown = conditions.some(
    (one) => one.type === "NetworkUnavailable" && one.status === "True",
  );
  return isDown ? "the Node has NetworkUnavailable" : null;
}

function hasOther({ node, cluster, isThere }: BgpSituation): boolean {
  return [...cluster.nodes.values()].some((other) => {
    const { name } = other.metadata;
    if (name === node || !isThere(name) || peersOn(cluster.config, other).length === 0)
      return false;
    const isWell = cluster.exclusion(other) === null && healthProblem(other) === null;
    const { labels } = other.metadata;
    const { advertisements } = cluster.config.bgp;
    return isWell && advertisements.some((ad) => selects(ad.nodeSelectors, labels));
  });
}

/** The Services with addresses that the node can forward to an endpoint. */
function servedBy(node: string, cluster: BgpSituation["cluster"]): ServiceAddresses[] {
  return [...cluster.services.values()].flatMap((service) => {
    const addresses = routed(service, cluster);
    if (addresses.length === 0 || !canServe(node, cluster.servingOf([service]))) return [];
    return [{ key: objectKey(service), labels: service.metadata.labels, addresses }];
  });
}

function routed(
  service: Service,
  cluster: Pick<ClusterView, "isOurs" | "poolOf">,
): ServiceAddresses["addresses"] {
  if (service.spec.type !== "LoadBalancer" || !cluster.isOurs(service)) return [];
  return currentAddresses(service).flatMap((address) => {
    const pool = cluster.poolOf(address);
    return pool === null ? [] : [{ address, pool: pool.name }];
  });
}

/** Endpoints that end still serve; where others are ready, the routes go there first. */
export function canServe(node: string, serving: Serving): boolean {
  if (serving === "everywhere") return true;
  const state = serving.get(node);
  return state === "ready" || (state !== undefined && ![...serving.values()].includes("ready"));
}
