// Whether the lbd of a node is there and answers, as its node Lease says. That a Lease is renewed
// is judged by two clocks first, and then by what was seen to change here: clocks differ.

import type { BootMs, WallMs } from "../core/time.ts";
import { decodeLease } from "../k8s-sync/decode.ts";
import type { Lease } from "../k8s-sync/model.ts";
import type { LbdState } from "./takeover-state.ts";

/** What a node says of itself: "yes", or "no: " and why. Written by its daemon. */
const ANSWERS_ANNOTATION = "lbd.io/answers";
const DURATION_MS = 15_000;

export class LbdPresence {
  /** By node: a renewal, since when it has been known, and whether another came before it. */
  readonly #seen = new Map<string, { renewal: number; since: BootMs; isRenewed: boolean }>();

  /** `raw`: the Lease as it was read; null: there is none. */
  state(
    node: string,
    raw: unknown,
    at: { readonly wall: WallMs; readonly boot: BootMs },
  ): LbdState {
    const lease = decodeLease(raw);
    if (lease === null || (lease.spec.holderIdentity ?? "") === "") return { kind: "absent" };
    if (!this.#isFresh(node, lease, at)) return { kind: "expired" };
    const said = lease.metadata.annotations[ANSWERS_ANNOTATION];
    if (said === undefined) return { kind: "untold" };
    return said === "yes"
      ? { kind: "answers" }
      : { kind: "silent", why: said.replace(/^no: /, "") };
  }

  #isFresh(node: string, { spec }: Lease, at: { wall: WallMs; boot: BootMs }): boolean {
    const durationMs = (spec.leaseDurationSeconds ?? 0) * 1_000 || DURATION_MS;
    const renewal = spec.renewTime ?? 0;
    const before = this.#seen.get(node);
    if (before?.renewal !== renewal) {
      this.#seen.set(node, { renewal, since: at.boot, isRenewed: before !== undefined });
    }
    const seen = this.#seen.get(node);
    if (seen === undefined || at.boot - seen.since > durationMs) return false;
    return seen.isRenewed || Math.abs(at.wall - renewal) <= durationMs;
  }
}
