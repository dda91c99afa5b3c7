// What the socket API tells of BGP: sessions and routes. Pure.

import type { BgpPeerView, BgpRouteView } from "../api/types.ts";
import { neighborName } from "../bgp/render.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import { formatPrefix, type Ip, ipFamily, parsePrefix, prefixOf } from "../core/address.ts";
import type { BgpSession } from "../metrics/snapshot.ts";
import { downText } from "./bgp-reports.ts";
import { type BgpState, hasNotSaidAll, isOf } from "./bgp-task.ts";

/** `all`: the peers that select this node. */
export function bgpPeerViews(all: readonly BgpPeer[], state: BgpState): BgpPeerView[] {
  return all.map((peer) => {
    const session = state.sessions.find((one) => isOf(peer, one));
    return {
      peer: peer.name,
      neighbor: neighborName(peer),
      vrf: peer.vrf,
      state: session?.state ?? "unknown",
      up: session?.isUp ?? false,
      upSeconds: session?.upMs == null ? null : Math.floor(session.upMs / 1_000),
      asn: session?.remoteAsn ?? null,
      sent: session?.sent ?? 0,
      received: session?.received ?? 0,
      bfd: session?.bfd?.status ?? null,
      problem: problemOf(peer, state),
    };
  });
}

function problemOf(
  peer: BgpPeer,
  { failure, applied, decision, sessions }: BgpState,
): string | null {
  if (failure !== null) return failure.message;
  const unknown = decision.unknownPasswords.find((one) => one.peer === peer.name);
  if (unknown !== undefined) return unknown.why;
  const conflict = applied?.conflicts.find(({ peers }) => peers.includes(peer.name));
  if (conflict !== undefined) return conflict.text;
  if (decision.withheld !== null && decision.intent.peers.length === 0) return decision.withheld;
  const session = sessions.find((one) => isOf(peer, one));
  if (session === undefined) return "FRR has not been told of it yet";
  return session.isUp ? null : downText(session);
}

/** `addressesOf`: those that a Service has now. */
export function bgpRouteViews(
  { decision }: BgpState,
  addressesOf: (service: string) => readonly Ip[],
): BgpRouteView[] {
  const { classes } = decision.intent;
  const services = servicesByPrefix(decision, addressesOf);
  return classes
    .flatMap(({ name, prefixes, peers }) =>
      prefixes.map(({ text }) => ({
        prefix: text,
        advertisements: name.split("+"),
        services: [...(services.get(text) ?? [])].sort(),
        peers: [...peers].map(([peer, attributes]) => ({ peer, ...attributes })),
      })),
    )
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

function servicesByPrefix(
  { intent, announced }: BgpState["decision"],
  addressesOf: (service: string) => readonly Ip[],
): Map<string, Set<string>> {
  const prefixes = intent.classes.flatMap((one) => one.prefixes).map(({ text }) => text);
  const found = new Map<string, Set<string>>(prefixes.map((text) => [text, new Set()]));
  // There are few lengths, and many routes.
  const lengths = new Set(prefixes.flatMap((text) => parsePrefix(text)?.length ?? []));
  for (const service of announced.keys()) {
    for (const address of addressesOf(service)) {
      for (const length of lengths) {
        if (ipFamily(address) === 4 && length > 32) continue;
        found.get(formatPrefix(prefixOf(address, length)))?.add(service);
      }
    }
  }
  return found;
}

/** For the metrics: every session that FRR has of lbd's peers. */
export function bgpSessionCounts({ decision, sessions }: BgpState): BgpSession[] {
  return decision.intent.peers.flatMap(({ peer }) => {
    const session = sessions.find((one) => isOf(peer, one));
    if (session === undefined) return [];
    const { isUp, sent: announced, messages, bfd } = session;
    const name = neighborName(peer) + ("address" in peer.to ? `:${peer.port}` : "");
    return [{ peer: name, vrf: peer.vrf, isUp, announced, messages, bfd }];
  });
}

/** What keeps a drained node from being without routes. */
export function bgpRemaining({ decision, sessions, failure }: BgpState) {
  const why =
    decision.withheld === null
      ? "announced by BGP: FRR is about to be told"
      : "announced by BGP, and no other node that is well could do it";
  const routes = decision.intent.classes.flatMap(({ prefixes }) => prefixes);
  if (routes.length > 0) return routes.map(({ text }) => ({ address: text, reason: why }));
  if (failure !== null) {
    const peers = decision.intent.peers.map(({ peer }) => peer.name);
    return peers.map((address) => ({ address, reason: failure.message }));
  }
  return sessions
    .filter(hasNotSaidAll)
    .map(({ neighbor: address }) => ({ address, reason: "it is being told by BGP" }));
}
