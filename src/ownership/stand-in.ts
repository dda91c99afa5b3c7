// While an owner's daemon restarts, its host goes on forwarding, but it answers nobody who asks for
// the VIP. The best of the others does, with the owner's MAC: nothing moves (design, section 4.7).

import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import type { Situation } from "./action.ts";
import { strongestOther } from "./vacancy.ts";
import type { Vip } from "./vip.ts";

export interface StandIn {
  readonly owner: string;
  readonly mac: Mac;
  readonly interface: string;
}

/** For whom this node should answer now, or null. */
export function standInOf(vip: Vip, situation: Situation, now: BootMs): StandIn | null {
  const { candidates, neighbours, node } = situation;
  if (vip.phase.kind !== "idle" || !situation.mayAct || situation.isStopping) return null;
  const own = candidates.own(vip.spec);
  const segment = own.eligible ? own.interfaces[0] : undefined;
  const owner = strongestOther(vip, situation)?.node;
  if (segment === undefined || owner === undefined) return null;
  const neighbour = neighbours.on(segment).get(owner);
  if (neighbour?.hearing !== "heard") return null;
  const standIn = { owner, mac: neighbour.mac, interface: segment };
  if (neighbour.state === "restarting") {
    return candidates.ranked(vip.spec, now)[0] === node ? standIn : null;
  }
  // It is back: until it says that it answers, this node does.
  const isBack = neighbour.state === "live" || neighbour.state === "draining";
  const isWaitedFor = isBack && situation.wireClaim(vip)?.node !== owner;
  return isWaitedFor && vip.standsIn?.owner === owner ? standIn : null;
}

export function isSameStandIn(one: StandIn | null, other: StandIn | null): boolean {
  if (one === null || other === null) return one === other;
  const isSameHost = one.owner === other.owner && one.mac === other.mac;
  return isSameHost && one.interface === other.interface;
}
