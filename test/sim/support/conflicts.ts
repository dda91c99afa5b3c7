// Judges what an owner does about a foreign host that uses its VIP: after the last frame of that
// host an announcement leaves, so that no cache stays wrong (RFC 5227, section 2.4).

import type { Place } from "./caches.ts";
import type { SimNode } from "./node.ts";
import { Violation } from "./violation.ts";

/** Messages between threads, and an announcement that waits for its turn. */
const SLACK_MS = 1_500;

interface Conflict {
  readonly owner: SimNode;
  /** Of the last foreign frame. */
  at: number;
}

export class Conflicts {
  readonly #boundMs: number;
  readonly #judges: () => void;
  /** By VIP and segment: not answered yet. */
  readonly #open = new Map<string, Conflict>();
  /** By VIP and segment: when a foreign host was heard last. */
  readonly #heardAt = new Map<string, number>();

  /** `defendMs`: between two defences, in true time at most. */
  constructor(defendMs: number, judges: () => void) {
    this.#boundMs = defendMs + SLACK_MS;
    this.#judges = judges;
  }

  lastAt({ key }: Place): number {
    return this.#heardAt.get(key) ?? 0;
  }

  /** `owner`: who alone answers there and hears the frame, or null. */
  heard({ key }: Place, owner: SimNode | null, now: number): void {
    this.#heardAt.set(key, now);
    if (owner === null) this.#open.delete(key);
    else this.#open.set(key, { owner, at: now });
  }

  announced({ key }: Place, node: SimNode): void {
    if (this.#open.get(key)?.owner !== node) return;
    this.#judges();
    this.#open.delete(key);
  }

  /** `lostAt`: when a frame was lost there last; the foreign one may have been. */
  look(
    { address, key }: Place,
    answering: readonly SimNode[],
    { now, lostAt }: { readonly now: number; readonly lostAt: number },
  ): void {
    const conflict = this.#open.get(key);
    if (conflict === undefined) return;
    const { owner, at } = conflict;
    if (!answering.includes(owner) || lostAt >= at) {
      this.#open.delete(key);
      return;
    }
    // Its main loop does not run, or what it says waits for something else than time.
    if (owner.isStalled) conflict.at = now;
    if (now - at <= this.#boundMs) return;
    const detail = `${owner.name} says nothing of ${address} since a foreign host did`;
    throw new Violation("conflict-answered", `${detail}, for ${Math.round(now - at)} ms`);
  }
}
