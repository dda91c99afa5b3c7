// Which node should own a VIP: ascending sha256(node + "#" + address), MetalLB's own order, so that
// a migration node by node keeps the owners. The same everywhere without a message.

import type { Ip } from "../core/address.ts";
import type { Sha256 } from "../core/hash.ts";

export class Ranking {
  readonly #sha256: Sha256;
  readonly #scores = new Map<Ip, Map<string, string>>();

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** Best first. */
  order(nodes: readonly string[], rankBy: Ip): string[] {
    const score = (node: string): string => this.#score(node, rankBy);
    return [...nodes].sort((a, b) => (score(a) < score(b) ? -1 : 1));
  }

  /** How many of `nodes` come before `node`: 0 for the first. */
  position(node: string, nodes: readonly string[], rankBy: Ip): number {
    const own = this.#score(node, rankBy);
    return nodes.filter((other) => other !== node && this.#score(other, rankBy) < own).length;
  }

  /** Drops the scores of an address that is a VIP no more. */
  forget(rankBy: Ip): void {
    this.#scores.delete(rankBy);
  }

  #score(node: string, rankBy: Ip): string {
    let scores = this.#scores.get(rankBy);
    if (scores === undefined) {
      scores = new Map();
      this.#scores.set(rankBy, scores);
    }
    let score = scores.get(node);
    if (score === undefined) {
      score = this.#sha256(`${node}#${rankBy}`);
      scores.set(node, score);
    }
    return score;
  }
}
