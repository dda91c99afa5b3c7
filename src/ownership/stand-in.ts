// While an owner's daemon restarts, its host goes on forwarding, but it answers nobody who asks for
// the VIP. The best of the others does, with the owner's MAC: nothing moves (design, section 4.7).

import type { Mac } from "../core/mac.ts";
import type { PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { Situation } from "./action.ts";
import { strongestOther } from "./vacancy.ts";
import type { Vip } from "./vip.ts";

export interface StandIn {
  readonly owner: string;
  /** The owner's MAC on each interface where this node answers for it. */
  readonly macs: ReadonlyMap<string, Mac>;
}

/** For whom this node should answer now, or null. */
export function standInOf(vip: Vip, situation: Situation, now: BootMs): StandIn | null {
  const { candidates, neighbours } = situation;
  if (vip.phase.kind !== "idle" || !situation.mayAct || situation.isStopping) return null;
  const own = candidates.own(vip.spec);
  const owner = strongestOther(vip, situation)?.node;
  if (!own.eligible || owner === undefined) return null;
  const macs = new Map<string, Mac>();
  for (const name of own.interfaces) {
    const neighbour = neighbours.on(name).get(owner);
    if (neighbour?.hearing !== "heard") continue;
    const { state, mac } = neighbour;
    if (isNeeded(vip, { owner, state, segment: name }, situation, now)) macs.set(name, mac);
  }
  return macs.size === 0 ? null : { owner, macs };
}

/** On one segment: each may have another one that ranks first, and hears the owner at its time. */
function isNeeded(
  vip: Vip,
  at: { readonly owner: string; readonly state: PeerState; readonly segment: string },
  situation: Situation,
  now: BootMs,
): boolean {
  const { owner, state, segment } = at;
  if (state === "restarting") {
    return situation.candidates.ranked(vip.spec, now, segment)[0] === situation.node;
  }
  // It is back: until it says there that it answers, this node does.
  const isBack = state === "live" || state === "draining";
  const { standsIn } = vip;
  const wasNeeded = standsIn?.owner === owner && standsIn.macs.has(segment);
  return isBack && wasNeeded && !situation.isClaimed(vip, { node: owner, interface: segment });
}

/** Where something changes from one to the other, with the MAC from now on. */
export function standInChanges(
  before: StandIn | null,
  now: StandIn | null,
): { readonly interface: string; readonly mac: Mac | null }[] {
  const names = new Set([...(before?.macs.keys() ?? []), ...(now?.macs.keys() ?? [])]);
  return [...names].flatMap((name) => {
    const mac = now?.macs.get(name) ?? null;
    return mac === (before?.macs.get(name) ?? null) ? [] : [{ interface: name, mac }];
  });
}
