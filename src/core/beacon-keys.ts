// Which key authenticates the beacons that are sent, and which ones are accepted, while the key is
// being replaced. Pure. Not guaranteed: that a peer which learns a new key more than SEND_OLD_MS
// later than this node accepts what this node sends meanwhile.

import type { BootMs } from "./time.ts";
import { after, earliest, NEVER } from "./time.ts";

/** HMAC-SHA256 takes no good from more (RFC 2104 section 3). */
export const BEACON_KEY_BYTES = 32;
/** A new key is accepted at once and sent only after this, so that peers learn it in time. */
export const SEND_OLD_MS = 5_000;
/** What was current before is accepted for this long, whatever the Secret says. */
export const ACCEPT_OLD_MS = 60_000;
/** Keys that were current: a new one at every read of the Secret, for ACCEPT_OLD_MS. */
const KEYS_MAX = 8;

export interface BeaconKeyPair {
  readonly current: Uint8Array;
  readonly previous: Uint8Array | null;
}

interface KnownKey {
  readonly key: Uint8Array;
  readonly sendFrom: BootMs;
  /** NEVER while it is the current one. */
  readonly acceptUntil: BootMs;
}

export class BeaconKeys {
  /** All that were current, newest first; a key that came back is there twice. */
  #known: readonly KnownKey[] = [];
  #previous: Uint8Array | null = null;

  /** The keys as the Secret has them; may be told again and again. */
  learn({ current, previous }: BeaconKeyPair, now: BootMs): void {
    this.#previous = previous;
    const [newest, ...older] = this.#known;
    if (newest !== undefined && isSameKey(newest.key, current)) return;
    const sendFrom = newest === undefined ? now : after(now, SEND_OLD_MS);
    const acceptUntil = after(now, ACCEPT_OLD_MS);
    const former = newest === undefined ? [] : [{ ...newest, acceptUntil }];
    const valid = older.filter((known) => now < known.acceptUntil);
    const learnt = { key: current, sendFrom, acceptUntil: NEVER };
    this.#known = [learnt, ...former, ...valid].slice(0, KEYS_MAX);
  }

  /** Null: no key yet. */
  sending(now: BootMs): Uint8Array | null {
    const due = this.#known.find((known) => known.sendFrom <= now);
    return (due ?? this.#known.at(-1))?.key ?? null;
  }

  /** Newest first, each once. */
  accepted(now: BootMs): readonly Uint8Array[] {
    const [current, ...former] = this.#known.filter((known) => now < known.acceptUntil);
    if (current === undefined) return [];
    const previous = this.#previous === null ? [] : [this.#previous];
    const keys = [current.key, ...previous, ...former.map((known) => known.key)];
    return keys.filter((key, at) => keys.findIndex((other) => isSameKey(other, key)) === at);
  }

  /** Until then both answers stay as they are, unless something is learnt. */
  nextDeadline(now: BootMs): BootMs {
    const points = this.#known.flatMap((known) => [known.sendFrom, known.acceptUntil]);
    return earliest(...points.filter((point) => point > now));
  }
}

/** Of two keys that are known; not for comparing with what somebody sent. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
