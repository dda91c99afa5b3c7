// The VIPs that this node answers for, by interface, and the digest by which peers see that theirs
// of it is old. A grant that does not know of the last lapse of its interfaces is refused.

import type { Ip } from "../core/address.ts";
import { compareIps } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Sha256 } from "../core/hash.ts";
import type { PeerEntry } from "../core/peer.ts";
import { DIGEST_BYTES } from "./body.ts";

export interface Granted {
  readonly epoch: Epoch;
  readonly interfaces: readonly string[];
  /** The lapses that whoever grants knows of. */
  readonly lapses: number;
}

export class OwnTable {
  readonly #sha256: Sha256;
  readonly #granted = new Map<Ip, Granted>();
  readonly #digests = new Map<string, string>();
  /** By interface: the number of its last lapse. */
  readonly #lapsed = new Map<string, number>();
  #lapses = 0;

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** False: refused. */
  grant(address: Ip, granted: Granted): boolean {
    const isLate = (name: string): boolean => (this.#lapsed.get(name) ?? 0) > granted.lapses;
    if (granted.interfaces.some(isLate)) return false;
    this.#granted.set(address, granted);
    this.#digests.clear();
    return true;
  }

  /** True when it was granted. */
  revoke(address: Ip): boolean {
    this.#digests.clear();
    return this.#granted.delete(address);
  }

  /** Drops every grant on the interface; the number of lapses so far, this one included. */
  lapse(interfaceName: string): number {
    for (const [address, { interfaces }] of this.#granted) {
      if (interfaces.includes(interfaceName)) this.#granted.delete(address);
    }
    this.#digests.clear();
    this.#lapses += 1;
    this.#lapsed.set(interfaceName, this.#lapses);
    return this.#lapses;
  }

  entries(interfaceName: string): PeerEntry[] {
    return [...this.#granted]
      .filter(([, { interfaces }]) => interfaces.includes(interfaceName))
      .map(([address, { epoch }]) => ({ address, epoch }))
      .sort((a, b) => compareIps(a.address, b.address));
  }

  digest(interfaceName: string): string {
    let digest = this.#digests.get(interfaceName);
    if (digest === undefined) {
      const entries = this.entries(interfaceName);
      const text = entries.map(({ address, epoch }) => `${address}@${epoch}`).join(" ");
      digest = this.#sha256(text).slice(0, 2 * DIGEST_BYTES);
      this.#digests.set(interfaceName, digest);
    }
    return digest;
  }
}
