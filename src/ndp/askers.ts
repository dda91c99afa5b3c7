// How often each host is answered: one that asks without end does not keep others from an answer.
// A token bucket for each MAC; those that asked longest ago are forgotten, with a full bucket.

import { read16, read32 } from "../core/bytes.ts";
import type { BootMs } from "../core/time.ts";

/** A router in front of thousands of VIPs may ask for all of them at once. */
export const ANSWERS_BURST = 4_096;
export const ANSWERS_PER_SECOND = 1_000;
/** Hosts that are remembered. */
export const ASKERS_MAX = 4_096;
const TWO_32 = 2 ** 32;

interface Bucket {
  tokens: number;
  at: BootMs;
}

export class Askers {
  readonly #buckets = new Map<number, Bucket>();

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether the host whose MAC is at `offset` is answered now; that counts. */
  admit(bytes: Uint8Array, offset: number, now: BootMs): boolean {
    const key = read16(bytes, offset) * TWO_32 + read32(bytes, offset + 2);
    const bucket = this.#take(key) ?? this.#newBucket(now);
    this.#buckets.set(key, bucket);
    const gained = ((now - bucket.at) * ANSWERS_PER_SECOND) / 1_000;
    bucket.tokens = Math.min(ANSWERS_BURST, bucket.tokens + gained);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** Taken out: it goes in again behind the others. */
  #take(key: number): Bucket | undefined {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) this.#buckets.delete(key);
    return bucket;
  }

  #newBucket(now: BootMs): Bucket {
    if (this.#buckets.size >= ASKERS_MAX) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return { tokens: ANSWERS_BURST, at: now };
  }
}
