// What peers are asked to say after this node, so that it knows that they live now: a datagram that
// was recorded before cannot have the answer.

import type { Sha256 } from "../core/hash.ts";
import { CHALLENGE_BYTES } from "./body.ts";

export class Challenges {
  readonly #about: { readonly node: string; readonly incarnation: number };
  readonly #sha256: Sha256;
  #count = 0;

  /** `incarnation` grows with every start: what was asked before is never asked again. */
  constructor(options: { node: string; incarnation: number; sha256: Sha256 }) {
    this.#about = options;
    this.#sha256 = options.sha256;
  }

  /** In hexadecimal. Everybody may know it beforehand: only who has the key can answer. */
  next(): string {
    this.#count += 1;
    const { node, incarnation } = this.#about;
    const text = `challenge ${this.#count} of ${node} ${incarnation}`;
    return this.#sha256(text).slice(0, 2 * CHALLENGE_BYTES);
  }
}
