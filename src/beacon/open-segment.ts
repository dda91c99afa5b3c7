// One segment as the beacon engine keeps it.

import type { Ip } from "../core/address.ts";
import type { PeerState } from "../core/peer.ts";
import { beaconIntervalMs } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { BeaconSegment, BeaconSettings } from "./engine-types.ts";
import type { PeerNews } from "./news.ts";
import { heardNews, silentNews } from "./news.ts";
import type { Peer, Verdict } from "./peer.ts";
import { Tenure } from "./tenure.ts";

export interface OpenSegment {
  about: BeaconSegment;
  readonly tenure: Tenure;
  readonly peers: Map<string, Peer>;
  sendAt: BootMs;
  /** Since when it listens, before it speaks; null: it has listened. */
  listensFrom: BootMs | null;
  sentAt: BootMs;
  /** The last beacon was sent before it was due. */
  hasHurried: boolean;
  gatewayAnsweredAt: BootMs;
  /** The hosts whose daemons restart. */
  watchedHosts: readonly Ip[];
}

/** First it listens: another host may use this node's name. */
export function newSegment(
  about: BeaconSegment,
  settings: BeaconSettings,
  now: BootMs,
): OpenSegment {
  const longAgo = -NEVER as BootMs;
  return {
    about,
    tenure: new Tenure(settings.multiplier),
    peers: new Map(),
    sendAt: after(now, holdMs(null, settings)),
    listensFrom: now,
    sentAt: longAgo,
    hasHurried: false,
    gatewayAnsweredAt: longAgo,
    watchedHosts: [],
  };
}

/** The hosts to watch, when they are others than before; they count as told then. */
export function takeWatchedHosts(open: OpenSegment): readonly Ip[] | null {
  const watched: Ip[] = [];
  for (const peer of open.peers.values()) if (peer.isRestarting) watched.push(peer.address);
  const before = open.watchedHosts;
  const isSame = watched.every((address, index) => address === before[index]);
  if (isSame && watched.length === before.length) return null;
  open.watchedHosts = watched;
  return watched;
}

/** Time between two beacons. Those that are gone make nobody slower. */
export function intervalMs(open: OpenSegment | null, settings: BeaconSettings): number {
  let nodes = 1;
  for (const peer of open?.peers.values() ?? []) if (peer.verdict !== "silent") nodes += 1;
  return beaconIntervalMs(settings.intervalMs, nodes);
}

/** How long peers wait for this node, with the interval as it is now. */
export function holdMs(open: OpenSegment | null, settings: BeaconSettings): number {
  return intervalMs(open, settings) * settings.multiplier;
}

/** Listens for a hold from now on, unless it has a tenure: then it was heard. */
export function listenAnew(open: OpenSegment, settings: BeaconSettings, now: BootMs): void {
  if (open.tenure.hasBegun) return;
  open.listensFrom = now;
  open.sendAt = after(now, holdMs(open, settings));
}

/** Where nodes send less often, all of them are heard later. */
export function listenFor(open: OpenSegment, peer: Peer, settings: BeaconSettings): void {
  if (open.listensFrom === null) return;
  const needMs = Math.max(holdMs(open, settings), settings.multiplier * peer.intervalMs);
  open.sendAt = Math.max(open.sendAt, after(open.listensFrom, needMs)) as BootMs;
}

/** What people are told of a peer. */
export interface PeerSummary {
  readonly node: string;
  readonly interface: string;
  /** `unproven`: heard, and perhaps from a recording. */
  readonly verdict: Verdict | "unproven";
  readonly state: PeerState;
  /** How late its beacons come, on average. */
  readonly jitterMs: number;
}

export function summaries({ about, peers }: OpenSegment): PeerSummary[] {
  return [...peers.values()].map(({ node, verdict, state, isProven, jitterMs }) => ({
    node,
    interface: about.interface,
    verdict: verdict === "heard" && !isProven ? "unproven" : verdict,
    state,
    jitterMs,
  }));
}

export function verdictNews(
  open: OpenSegment,
  peer: Peer,
  { settings, now }: { readonly settings: BeaconSettings; readonly now: BootMs },
): PeerNews {
  const { about, peers, gatewayAnsweredAt } = open;
  const name = about.interface;
  if (peer.verdict === "heard") return heardNews(peer, name, now);
  // One that answered since then is there.
  const since = after(now, -2 * holdMs(open, settings));
  const gateway = about.gateway === null ? null : gatewayAnsweredAt >= since;
  const heard = [...peers.values()].filter((other) => other.isFresh(now)).map(({ node }) => node);
  return silentNews(peer, { interface: name, gateway, heard, at: now });
}
