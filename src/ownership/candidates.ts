// Who could own a VIP now: the members alive, each with its verdict, best first.

import type { Ip } from "../core/address.ts";
import type { PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { Eligibility } from "./eligibility.ts";
import { eligibility } from "./eligibility.ts";
import type { MemberStatus, Members } from "./members.ts";
import type { Hearing, Neighbours } from "./neighbours.ts";
import { preferenceOf } from "./preference.ts";
import type { Ranking } from "./ranking.ts";
import type { Segment, VipSpec } from "./types.ts";

export interface Verdict {
  readonly node: string;
  readonly status: MemberStatus;
  /** How it is heard where this node would answer for the VIP. */
  readonly hearing: Hearing;
  /** What its daemon says of itself there; null: it was never heard. */
  readonly state: PeerState | null;
  readonly verdict: Eligibility;
}

export class Candidates {
  readonly #node: string;
  readonly #members: Members;
  readonly #neighbours: Neighbours;
  readonly #ranking: Ranking;
  #ownSegments: readonly Segment[] = [];

  constructor(
    node: string,
    known: {
      readonly members: Members;
      readonly neighbours: Neighbours;
      readonly ranking: Ranking;
    },
  ) {
    this.#node = node;
    this.#members = known.members;
    this.#neighbours = known.neighbours;
    this.#ranking = known.ranking;
  }

  setOwnSegments(segments: readonly Segment[]): void {
    this.#ownSegments = segments;
  }

  /** This node's own verdict. */
  own(vip: VipSpec): Eligibility {
    return eligibility(vip, this.#node, this.#ownSegments);
  }

  /**
   * The nodes that may own the VIP, best first; unhealthy ones only when there are no others. They
   * are there when they are on the segment: where it is answered now, or would be by this node.
   */
  ranked(vip: VipSpec, now: BootMs, segment = this.segmentOf(vip)): string[] {
    const able = this.verdicts(vip, now, segment).filter(
      (candidate) => candidate.verdict.eligible && this.#isThere(candidate),
    );
    const healthy = able.filter(({ verdict }) => verdict.eligible && verdict.unhealthy === null);
    const nodes = (healthy.length > 0 ? healthy : able).map(({ node }) => node);
    return this.#order(nodes, vip);
  }

  /**
   * Of two claims, whose node comes first. Preferences do not count here: both claimants must come
   * to the same, also while one of them has not read the newest configuration.
   */
  isBetter(node: string, than: string, vip: VipSpec): boolean {
    return this.#ranking.order([node, than], vip.rankBy)[0] === node;
  }

  /** Keeps nothing of an address that is no VIP. */
  forget(rankBy: Ip): void {
    this.#ranking.forget(rankBy);
  }

  /** Where this node would answer for the VIP, first; undefined: nowhere. */
  segmentOf(vip: VipSpec): string | undefined {
    const own = this.own(vip);
    return own.eligible ? own.interfaces[0] : undefined;
  }

  /** Every known node in rank order, with what speaks for or against it. */
  verdicts(vip: VipSpec, now: BootMs, segment = this.segmentOf(vip)): Verdict[] {
    const known = new Set([this.#node, ...this.#members.names(), ...vip.placement.nodes.keys()]);
    const ordered = this.#order([...known], vip);
    return ordered.map((node) => this.#verdict(vip, node, { segment, now }));
  }

  /** Those that are preferred come first; the rest, and equal ones, in the usual order. */
  #order(nodes: readonly string[], { rankBy, placement }: VipSpec): string[] {
    const preference = (node: string): number => preferenceOf(placement.nodes.get(node));
    const ranked = this.#ranking.order(nodes, rankBy);
    return ranked.sort((a, b) => preference(b) - preference(a));
  }

  /** It can be expected to claim: heard, or, where beacons do not reach, renewing its Lease. */
  #isThere({ node, status, hearing, state }: Verdict): boolean {
    const isByLease = hearing === "unknown" || hearing === "unproven";
    if (node === this.#node || isByLease) return status === "alive";
    return hearing === "heard" && state === "live";
  }

  #verdict(
    vip: VipSpec,
    node: string,
    { segment, now }: { readonly segment: string | undefined; readonly now: BootMs },
  ): Verdict {
    if (node === this.#node) {
      return { node, status: "alive", hearing: "heard", state: "live", verdict: this.own(vip) };
    }
    const isMember = this.#members.isKnown(node);
    const status = isMember ? this.#members.status(node, now) : "stopped";
    const hearing = this.#neighbours.hearing(node, segment);
    const state = this.#neighbours.on(segment ?? "").get(node)?.state ?? null;
    const verdict = eligibility(vip, node, this.#members.segments(node));
    return { node, status, hearing, state, verdict };
  }
}
