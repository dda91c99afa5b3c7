// Hosts that send in this node's name, as far as they are alive: the numbers of their datagrams
// grow. A datagram of an earlier life of this very node, recorded and sent again, is none.

import type { Datagram } from "./wire.ts";

/** Lives of other hosts that are kept in mind; the oldest go first. */
const LIVES_MAX = 16;

export class Namesakes {
  /** By incarnation and address: the highest number. */
  readonly #sequences = new Map<string, number>();

  /** True for one whose number is higher than another of the same life before it. */
  isAlive({ incarnation, address, sequence }: Datagram): boolean {
    const life = `${incarnation} ${address}`;
    const highest = this.#sequences.get(life);
    if (highest !== undefined && sequence <= highest) return false;
    this.#sequences.delete(life);
    this.#sequences.set(life, sequence);
    const [oldest] = this.#sequences.keys();
    if (this.#sequences.size > LIVES_MAX && oldest !== undefined) this.#sequences.delete(oldest);
    return highest !== undefined;
  }
}
