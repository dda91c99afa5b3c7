// What is due for the peers of a segment: questions on the wire, verdicts, and their end.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import type { BeaconSettings, EngineEffect } from "./engine-types.ts";
import { type OpenSegment, takeWatchedHosts, verdictNews } from "./open-segment.ts";
import { hostProbes, probesOf } from "./probes.ts";

/** A node that is silent for this long is forgotten; what it owned, the records know. */
const FORGET_MS = 600_000;

export function watchPeers(
  open: OpenSegment,
  options: {
    /** By node: VIPs to ask it for when it is silent. */
    readonly probeTargets: ReadonlyMap<string, readonly Ip[]>;
    readonly settings: BeaconSettings;
    readonly now: BootMs;
  },
): EngineEffect[] {
  const { probeTargets, settings, now } = options;
  const effects: EngineEffect[] = [];
  for (const peer of open.peers.values()) {
    const targets = probeTargets.get(peer.node) ?? [];
    if (peer.takeProbe(now)) effects.push(...probesOf(open.about, peer, targets));
    if (peer.takeHostAsk(now)) effects.push(...hostProbes(open.about, peer, now));
    if (peer.judge(now) !== null || peer.takeRepeat(now)) {
      effects.push({ type: "tell", news: verdictNews(open, peer, { settings, now }) });
    }
    if (peer.silentFor(now) >= FORGET_MS) open.peers.delete(peer.node);
  }
  effects.push(...hostsToWatch(open));
  return effects;
}

/** `mac` answered for `address` on the wire. */
export function noteAnswer(
  open: OpenSegment,
  answer: {
    readonly address: Ip;
    readonly mac: Mac;
    readonly probeTargets: ReadonlyMap<string, readonly Ip[]>;
    readonly now: BootMs;
  },
): void {
  const { address, mac, probeTargets, now } = answer;
  if (address === open.about.gateway) open.gatewayAnsweredAt = now;
  for (const peer of open.peers.values()) {
    if (peer.mac !== mac) continue;
    if (probeTargets.get(peer.node)?.includes(address) === true) peer.answered(now);
    if (address === peer.address) peer.hostAnswered();
  }
}

/** Which hosts are to be received, when they are others than before. */
export function hostsToWatch(open: OpenSegment): EngineEffect[] {
  const addresses = takeWatchedHosts(open);
  if (addresses === null) return [];
  return [{ type: "watch-hosts", interface: open.about.interface, addresses }];
}
