// Addresses that are asked for on the wire, or were some minutes ago, and that no Service has:
// whoever uses one of them later is told of, so that what was found out does not outlive the truth.
// Bounded: so many addresses, for so long, and each is told of once in a second. Pure.

import type { Ip } from "../core/address.ts";
import { type AddressKey, addressKey } from "../core/address-key.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import { FREE_FOR_MS } from "../ipam/address-probes.ts";

/**
 * Four seconds of the probes that Services wait for, at their highest rate. The oldest go first:
 * they are the likeliest to have been handed out.
 */
export const WATCHED_MAX = 16_384;
export const TELL_AGAIN_MS = 1_000;
/** What is known is of use for so long after the answer, which takes a second at most. */
export const WATCH_FOR_MS = FREE_FOR_MS + 1_000;

interface Watched {
  readonly until: BootMs;
  tellAt: BootMs;
}

export class WatchedAddresses {
  /** In the order in which they end. */
  readonly #watched = new Map<AddressKey, Watched>();

  get size(): number {
    return this.#watched.size;
  }

  has(key: AddressKey): boolean {
    return this.#watched.has(key);
  }

  add(address: Ip, now: BootMs): void {
    const key = addressKey(address);
    const tellAt = this.#watched.get(key)?.tellAt ?? now;
    this.#watched.delete(key);
    for (const [oldest, { until }] of this.#watched) {
      if (now < until && this.#watched.size < WATCHED_MAX) break;
      this.#watched.delete(oldest);
    }
    this.#watched.set(key, { until: after(now, WATCH_FOR_MS), tellAt });
  }

  /** Null: all. */
  remove(address: Ip | null): void {
    if (address === null) this.#watched.clear();
    else this.#watched.delete(addressKey(address));
  }

  /** Whether a use of the address is to be told now; that counts as told. */
  mayTell(key: AddressKey, now: BootMs): boolean {
    const watched = this.#watched.get(key);
    if (watched === undefined || now < watched.tellAt) return false;
    if (now >= watched.until) {
      this.#watched.delete(key);
      return false;
    }
    watched.tellAt = after(now, TELL_AGAIN_MS);
    return true;
  }
}
