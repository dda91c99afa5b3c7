// What this node is to say by BGP, from the cluster as it sees it: to which peers, with which
// routes, and why not. Pure but for what it is given to ask.

import type { BgpIntent, PeerIntent } from "../bgp/intent.ts";
import { NO_BGP } from "../bgp/intent.ts";
import {
  advertisementsFor,
  type Routes,
  routesOf,
  type ServiceAddresses,
  selects,
} from "../bgp/routes.ts";
import type { BgpAdvertisement } from "../config/bgp-advertisement.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Labels } from "../config/label-selector.ts";
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
  /** Why this node announces nothing now, or only what no other node could; or null. */
  readonly withheld: string | null;
  /** Peers that cannot be spoken with, as long as their password is not known. */
  readonly unknownPasswords: readonly { readonly peer: string; readonly why: string }[];
}

export const NOTHING_BY_BGP: BgpDecision = {
  intent: NO_BGP,
  announced: new Map(),
  conflicts: new Map(),
  withheld: null,
  unknownPasswords: [],
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
  const never = whyNever(object, situation);
  const routes = routesOf({
    labels: object.metadata.labels,
    peers: peers.map(({ peer }) => peer.name),
    advertisements: config.bgp.advertisements,
    services: never === null ? announcedBy(object, situation) : [],
  });
  const used = new Set(peers.map(({ peer }) => peer.bfdProfile));
  const bfdProfiles = config.bgp.bfdProfiles.filter(({ name }) => used.has(name));
  const { classes, announced, conflicts } = routes;
  const intent = { peers, bfdProfiles, classes, routeMapIn };
  const withheld = never ?? whyNotHere(object, situation);
  return { intent, announced, conflicts, withheld, unknownPasswords };
}

/** The peers that select the node. */
export function peersOn(
  { bgp }: Pick<ClusterConfig, "bgp">,
  { metadata }: { readonly metadata: { readonly labels: Labels } },
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

/** Why the node announces nothing, whatever the others can do; or null. */
function whyNever(node: Node, { cluster, isStopping }: BgpSituation): string | null {
  if (isStopping) return "the daemon stops";
  return cluster.exclusion(node) ?? networkProblem(node);
}

/** Why it leaves to others what they can announce; or null. */
function whyNotHere(node: Node, { drain }: BgpSituation): string | null {
  return drain === null ? healthProblem(node) : "it is drained";
}

/** As MetalLB has it: whatever the others can do. */
function networkProblem({ conditions }: Node): string | null {
  const isDown = conditions.some(
    (one) => one.type === "NetworkUnavailable" && one.status === "True",
  );
  return isDown ? "the Node has NetworkUnavailable" : null;
}

/** Another node could announce the Service, and is well. */
function hasOther(service: ServiceAddresses, serving: Serving, situation: BgpSituation): boolean {
  const { node, cluster, isThere } = situation;
  const others = [...cluster.nodes.values()].filter((other) => {
    const { name } = other.metadata;
    if (name === node || !isThere(name) || !canServe(name, serving)) return false;
    return cluster.exclusion(other) === null && healthProblem(other) === null;
  });
  const pools = new Set(service.addresses.map(({ pool }) => pool));
  const { labels } = service;
  return [...pools].every((pool) => {
    const ads = advertisementsFor({ pool, labels }, cluster.config.bgp.advertisements);
    return ads.length === 0 || others.some((other) => follows(other, ads, cluster.config));
  });
}

function follows(
  node: Node,
  advertisements: readonly BgpAdvertisement[],
  config: Pick<ClusterConfig, "bgp">,
): boolean {
  const peers = new Set(peersOn(config, node).map((peer) => peer.name));
  return advertisements.some((ad) => isTold(ad, node.metadata.labels, peers));
}

/** Whether the advertisement makes a node of these labels and peers announce something. */
export function isTold(
  { nodeSelectors, peers: named }: BgpAdvertisement,
  labels: Labels,
  peers: ReadonlySet<string>,
): boolean {
  if (!selects(nodeSelectors, labels)) return false;
  return named.length === 0 ? peers.size > 0 : named.some((peer) => peers.has(peer));
}

/** The Services with addresses that the node can forward to an endpoint, and is to announce. */
function announcedBy(object: Node, situation: BgpSituation): ServiceAddresses[] {
  const { node, cluster, drain } = situation;
  const isLeft = whyNotHere(object, situation) !== null;
  return [...cluster.services.values()].flatMap((service) => {
    const addresses = routed(service, cluster);
    if (addresses.length === 0) return [];
    const serving = cluster.servingOf([service]);
    if (!canServe(node, serving)) return [];
    const one = { key: objectKey(service), labels: service.metadata.labels, addresses };
    const goes = isLeft && (drain?.force === true || hasOther(one, serving, situation));
    return goes ? [] : [one];
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
