// Who could own a VIP now: the members alive, each with its verdict, best first.

import type { BootMs } from "../core/time.ts";
import type { Eligibility } from "./eligibility.ts";
import { eligibility } from "./eligibility.ts";
import type { MemberStatus, Members } from "./members.ts";
import type { Ranking } from "./ranking.ts";
import type { Segment, VipSpec } from "./types.ts";

export interface Verdict {
  readonly node: string;
  readonly status: MemberStatus;
  readonly verdict: Eligibility;
}

export class Candidates {
  readonly #node: string;
  readonly #members: Members;
  readonly #ranking: Ranking;
  #ownSegments: readonly Segment[] = [];

  constructor(node: string, members: Members, ranking: Ranking) {
    this.#node = node;
    this.#members = members;
    this.#ranking = ranking;
  }

  setOwnSegments(segments: readonly Segment[]): void {
    this.#ownSegments = segments;
  }

  /** This node's own verdict. */
  own(vip: VipSpec): Eligibility {
    return eligibility(vip, this.#node, this.#ownSegments);
  }

  /** The nodes that may own the VIP, best first; unhealthy ones only when there are no others. */
  ranked(vip: VipSpec, now: BootMs): string[] {
    const able = this.verdicts(vip, now).filter(
      ({ status, verdict }) => status === "alive" && verdict.eligible,
    );
    const healthy = able.filter(({ verdict }) => verdict.eligible && verdict.unhealthy === null);
    const nodes = (healthy.length > 0 ? healthy : able).map(({ node }) => node);
    return this.#ranking.order(nodes, vip.rankBy);
  }

  /** Every known node in rank order, with what speaks for or against it. */
  verdicts(vip: VipSpec, now: BootMs): Verdict[] {
    const known = new Set([this.#node, ...this.#members.names(), ...vip.placement.nodes.keys()]);
    return this.#ranking.order([...known], vip.rankBy).map((node) => this.#verdict(vip, node, now));
  }

  #verdict(vip: VipSpec, node: string, now: BootMs): Verdict {
    if (node === this.#node) return { node, status: "alive", verdict: this.own(vip) };
    const isMember = this.#members.isKnown(node);
    const status = isMember ? this.#members.status(node, now) : "stopped";
    return { node, status, verdict: eligibility(vip, node, this.#members.segments(node)) };
  }
}
