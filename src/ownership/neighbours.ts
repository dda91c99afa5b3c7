// The other nodes as this node's segments show them: who is heard where, and whether this node may
// conclude anything from silence, or is itself the one cut off (design, section 4.4).

import { MAC_ZERO, type Mac } from "../core/mac.ts";
import type { PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";

/**
 * `heard`: beacons arrive. `unproven`: they do, and may be recordings of one that is gone: what the
 * node has is left to it, and nobody has a majority by it. `silent`: neither beacons nor answers.
 * `answers`: no beacons, but the host answers for its VIPs. `unknown`: never heard on this segment.
 */
export type Hearing = "heard" | "unproven" | "silent" | "answers" | "unknown";

export interface Neighbour {
  hearing: Exclude<Hearing, "unknown">;
  state: PeerState;
  mac: Mac;
  incarnation: number;
  /** How long it asked to be waited for last, in ms; a restart counts as nothing. */
  holdMs: number;
  /** When that began. */
  since: BootMs;
  /** Whether the gateway answered when it fell silent; null: there is none. */
  gateway: boolean | null;
  /** Who else was heard when its silence was told last. */
  beside: readonly string[];
  /** It was never heard here: another life of this node knew it. */
  isExpected: boolean;
  /** Since then it is heard, and may own what it has not told of; null: it is not. */
  untoldSince: BootMs | null;
  /** It was there, then or now: a member of the segment. */
  isProven: boolean;
}

/** A node that is gone counts as a member for this long while a majority stands without it. */
export const MAJORITY_MS = 30_000;

export class Neighbours {
  /** By interface, then by node. */
  readonly #heard = new Map<string, Map<string, Neighbour>>();

  on(interfaceName: string): ReadonlyMap<string, Neighbour> {
    return this.#heard.get(interfaceName) ?? new Map();
  }

  hearing(node: string, interfaceName: string | undefined): Hearing {
    if (interfaceName === undefined) return "unknown";
    return this.on(interfaceName).get(node)?.hearing ?? "unknown";
  }

  /** True when the node has started anew since it was heard last. */
  heard(
    node: string,
    interfaceName: string,
    news: {
      readonly state: PeerState;
      readonly mac: Mac;
      readonly incarnation: number;
      readonly isProven: boolean;
      readonly holdMs: number;
      readonly at: BootMs;
    },
  ): boolean {
    const { state, mac, incarnation, isProven, at } = news;
    const known = this.on(interfaceName).get(node);
    if (!isProven) {
      this.#unproven(node, interfaceName, { known, mac, incarnation, at });
      return false;
    }
    const isAnew = known?.isExpected === false && known.incarnation !== incarnation;
    const since = known?.hearing === "heard" && !isAnew ? known.since : at;
    const holdMs = state === "restarting" ? (known?.holdMs ?? 0) : news.holdMs;
    const told = { hearing: "heard", state, mac, incarnation, isProven, holdMs, since } as const;
    const untoldSince = since === known?.since ? known.untoldSince : null;
    const nothing = { gateway: null, beside: [], isExpected: false, untoldSince } as const;
    this.#set(node, interfaceName, { ...told, ...nothing });
    return isAnew;
  }

  /** What the node owns on the interface is not known any more. */
  tableMissing(node: string, interfaceName: string, now: BootMs): void {
    const known = this.on(interfaceName).get(node);
    if (known?.hearing !== "heard" || known.untoldSince !== null) return;
    this.#set(node, interfaceName, { ...known, untoldSince: now });
  }

  /** What the node owns on the interface is known; true when that is new. */
  tableCame(node: string, interfaceName: string): boolean {
    const known = this.on(interfaceName).get(node);
    if (known === undefined || known.untoldSince === null) return false;
    this.#set(node, interfaceName, { ...known, untoldSince: null });
    return true;
  }

  /** Since when the node is heard there without a known table; null: it is not. */
  untoldSince(node: string, interfaceName: string): BootMs | null {
    return this.on(interfaceName).get(node)?.untoldSince ?? null;
  }

  /** Whether some node is heard there without a known table. */
  lacksTable(interfaceName: string): boolean {
    return [...this.on(interfaceName).values()].some(({ untoldSince }) => untoldSince !== null);
  }

  /** What was known of it stays: what it says of itself may be old. */
  #unproven(
    node: string,
    interfaceName: string,
    news: { known: Neighbour | undefined; mac: Mac; incarnation: number; at: BootMs },
  ): void {
    const { known, mac, incarnation, at } = news;
    const nothing = { gateway: null, beside: [], isExpected: false, isProven: false } as const;
    const about = { state: "live", mac, incarnation, holdMs: 0, untoldSince: at } as const;
    const stranger = { ...about, ...nothing };
    const told = { hearing: "unproven", since: at, untoldSince: at } as const;
    this.#set(node, interfaceName, { ...(known ?? stranger), ...told });
  }

  silent(
    node: string,
    interfaceName: string,
    news: {
      readonly answers: boolean;
      readonly gateway: boolean | null;
      readonly heard: readonly string[];
      readonly at: BootMs;
    },
  ): void {
    const known = this.on(interfaceName).get(node);
    if (known === undefined) return;
    // Of one that was never there nothing is left.
    if (isStranger(known)) return void this.#heard.get(interfaceName)?.delete(node);
    const hearing = news.answers ? "answers" : "silent";
    const since = known.hearing === hearing ? known.since : news.at;
    const { gateway, heard: beside } = news;
    const told = { hearing, since, gateway, beside, untoldSince: null } as const;
    this.#set(node, interfaceName, { ...known, ...told });
  }

  /** A member of this segment before this node started, of which nothing is heard yet. */
  expect(node: string, interfaceName: string, now: BootMs): void {
    if (this.on(interfaceName).has(node)) return;
    this.#set(node, interfaceName, {
      ...{
        hearing: "silent",
        state: "live",
        mac: MAC_ZERO,
        incarnation: -1,
        holdMs: 0,
        since: now,
      },
      ...{ gateway: null, beside: [], isExpected: true, isProven: false, untoldSince: null },
    });
  }

  /** The records tell now who the members are. */
  forgetExpected(): void {
    for (const nodes of this.#heard.values()) {
      for (const [node, { isExpected }] of nodes) if (isExpected) nodes.delete(node);
    }
  }

  isExpected(node: string, interfaceName: string): boolean {
    return this.on(interfaceName).get(node)?.isExpected === true;
  }

  /**
   * The interface lost its carrier or its address. Nobody's silence there proves anything until it
   * was heard again; but who was a member of the segment counts as one when the interface is back.
   */
  interfaceLost(name: string, now: BootMs): void {
    const nothing = { gateway: null, beside: [], since: now, untoldSince: null } as const;
    for (const [node, neighbour] of [...this.on(name)]) {
      if (isStranger(neighbour)) this.#heard.get(name)?.delete(node);
      else this.#set(node, name, { ...neighbour, ...nothing, hearing: "silent" });
    }
  }

  /** The interface is on another segment now. */
  forgetInterface(name: string): void {
    this.#heard.delete(name);
  }

  /** The node has stopped in an orderly way, or is no member any more. */
  forget(node: string): void {
    for (const nodes of this.#heard.values()) {
      if (nodes.get(node)?.hearing !== "heard") nodes.delete(node);
    }
  }

  /** Drops those that are gone for long and whose node Lease has expired; true when it did. */
  prune(isExpired: (node: string) => boolean, now: BootMs): boolean {
    let hasPruned = false;
    for (const [name, nodes] of this.#heard) {
      if (!this.#isMajority(name)) continue;
      for (const [node, { hearing, since }] of nodes) {
        if (hearing === "silent" && now >= after(since, MAJORITY_MS) && isExpired(node)) {
          nodes.delete(node);
          hasPruned = true;
        }
      }
    }
    return hasPruned;
  }

  /** Whether this node may act on the silence of `node`: it is not the one cut off. */
  mayJudge(node: string, interfaceName: string): boolean {
    const neighbour = this.on(interfaceName).get(node);
    if (neighbour === undefined) return false;
    // Those that were heard beside the silent one, not those that fall silent with it.
    const { isExpected, beside } = neighbour;
    const isHeard = (name: string): boolean => isExpected || beside.includes(name);
    const { members, hearing } = this.#count(interfaceName, isHeard);
    if (2 * hearing > members) return true;
    return 2 * hearing === members && neighbour.gateway === true;
  }

  /** The longest hold of those that are heard, in ms; 0: nobody is. */
  longestHoldMs(): number {
    let longest = 0;
    for (const nodes of this.#heard.values()) {
      for (const { hearing, holdMs } of nodes.values()) {
        if (hearing === "heard") longest = Math.max(longest, holdMs);
      }
    }
    return longest;
  }

  /** Of the segment that has most: all but this node. */
  most(): number {
    return Math.max(0, ...[...this.#heard.values()].map((nodes) => nodes.size));
  }

  /** By its MAC, on any segment. */
  nodeOf(mac: Mac): string | null {
    for (const nodes of this.#heard.values()) {
      for (const [node, neighbour] of nodes) if (neighbour.mac === mac) return node;
    }
    return null;
  }

  #set(node: string, interfaceName: string, neighbour: Neighbour): void {
    const nodes = this.#heard.get(interfaceName) ?? new Map<string, Neighbour>();
    this.#heard.set(interfaceName, nodes.set(node, neighbour));
  }

  #isMajority(interfaceName: string): boolean {
    const { members, hearing } = this.#count(interfaceName, () => true);
    return 2 * hearing > members;
  }

  /** This node included. */
  #count(
    interfaceName: string,
    isHeard: (node: string) => boolean,
  ): { members: number; hearing: number } {
    const all = [...this.on(interfaceName)];
    const isThere = ({ hearing }: Neighbour): boolean =>
      hearing === "heard" || hearing === "answers";
    const hearing = all.filter(([node, neighbour]) => isThere(neighbour) && isHeard(node));
    return { members: all.length + 1, hearing: hearing.length + 1 };
  }
}

/** It was neither heard for certain nor expected. */
function isStranger({ isProven, isExpected }: Neighbour): boolean {
  return !isProven && !isExpected;
}
