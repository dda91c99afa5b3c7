// The addresses of a dual-stack Service belong together: those that are ranked by another VIP's
// address follow that VIP. One may be left behind, as when its node was asked first and was late.

import type { Ip } from "../core/address.ts";
import type { Situation } from "./action.ts";
import type { VipSpec } from "./types.ts";
import { strongestOther } from "./vacancy.ts";
import type { Vip } from "./vip.ts";

/** Who has the VIP that this one follows, or null: nobody has it, or it follows none. */
export function ownerOfFirst(
  { spec }: Vip,
  situation: Pick<Situation, "node" | "vipAt" | "wireClaim">,
): string | null {
  const first = spec.rankBy === spec.address ? undefined : situation.vipAt(spec.rankBy);
  if (first === undefined) return null;
  if (first.phase.kind === "owning") return situation.node;
  return strongestOther(first, situation)?.node ?? null;
}

/** Of those that a node owns, what moves together with the VIP, itself included. */
export function movingWith({ spec }: Vip, owned: readonly Vip[]): Vip[] {
  return owned.filter((vip) => vip.spec.rankBy === spec.rankBy);
}

export class Followers {
  readonly #followers = new Map<Ip, Set<Ip>>();
  readonly #firsts = new Map<Ip, Ip>();

  set({ address, rankBy }: VipSpec): void {
    if (this.#firsts.get(address) === rankBy) return;
    this.remove(address);
    if (rankBy === address) return;
    this.#firsts.set(address, rankBy);
    this.#followers.set(rankBy, new Set(this.#followers.get(rankBy)).add(address));
  }

  remove(address: Ip): void {
    const first = this.#firsts.get(address);
    if (first === undefined) return;
    this.#firsts.delete(address);
    const followers = this.#followers.get(first);
    followers?.delete(address);
    if (followers?.size === 0) this.#followers.delete(first);
  }

  of(first: Ip): ReadonlySet<Ip> {
    return this.#followers.get(first) ?? NONE;
  }
}

const NONE: ReadonlySet<Ip> = new Set();
