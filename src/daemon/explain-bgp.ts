// The part of an explanation that is about BGP: which advertisements are for an address, and
// whether this node announces it, or why not. Pure.

import type { ExplainStep } from "../api/types.ts";
import { advertisementsFor, selects } from "../bgp/routes.ts";
import type { Ip } from "../core/address.ts";
import { canServe, peersOn } from "./bgp-decision.ts";
import { type BgpState, isOf } from "./bgp-task.ts";
import type { ClusterView } from "./cluster-view.ts";
import { routedBy } from "./routed-by.ts";
import { currentAddresses } from "./service-request.ts";

interface Sources {
  readonly node: string;
  readonly cluster: ClusterView;
  readonly state: BgpState;
}

/** None: no BGPAdvertisement is for the address, or there is no peer to tell. */
export function explainBgp(address: Ip, sources: Sources): ExplainStep[] {
  const { cluster, node, state } = sources;
  const names = routedBy(address, cluster);
  if (names.length === 0) return [];
  const covers = `BGPAdvertisement ${names.map((name) => `"${name}"`).join(", ")} covers the pool`;
  const services = cluster.servicesOf(address);
  const told = new Set(services.flatMap((key) => state.decision.announced.get(key) ?? []));
  const first: ExplainStep = { step: "advertisement", state: "ok", text: covers };
  if (told.size === 0 || state.failure !== null) {
    const text = `${node}: not announced by BGP, ${whyNot(services, sources)}`;
    return [first, { step: "bgp", state: "no", text }];
  }
  return [first, ...[...told].sort().map((peer) => peerStep(peer, sources))];
}

function peerStep(peer: string, { node, state }: Sources): ExplainStep {
  const intent = state.decision.intent.peers.find((one) => one.peer.name === peer);
  const session = state.sessions.find((one) => intent !== undefined && isOf(intent.peer, one));
  const isUp = session?.isUp === true;
  const text = `${node}: announced to "${peer}", whose session is ${session?.state ?? "not there"}`;
  return { step: "bgp", state: isUp ? "ok" : "problem", text };
}

function whyNot(services: readonly string[], { cluster, node, state }: Sources): string {
  const { failure, decision } = state;
  if (failure !== null) return failure.message;
  if (decision.withheld !== null) return decision.withheld;
  const object = cluster.nodes.get(node);
  if (object === undefined) return "the API knows no Node of this name";
  if (peersOn(cluster.config, object).length === 0) return "no BGPPeer selects it";
  const { labels } = object.metadata;
  for (const key of services) {
    const conflict = decision.conflicts.get(key);
    if (conflict !== undefined) return conflict;
    const service = cluster.services.get(key);
    if (service === undefined) continue;
    if (!canServe(node, cluster.servingOf([service]))) return `${key} has no endpoint for it`;
    const pools = new Set(
      currentAddresses(service).flatMap((ip) => cluster.poolOf(ip)?.name ?? []),
    );
    const ads = [...pools].flatMap((pool) =>
      advertisementsFor(
        { pool, labels: service.metadata.labels },
        cluster.config.bgp.advertisements,
      ),
    );
    if (!ads.some((ad) => selects(ad.nodeSelectors, labels))) {
      return `no BGPAdvertisement selects it (nodeSelectors)`;
    }
  }
  return "none of its peers is told (peers of the BGPAdvertisement)";
}
