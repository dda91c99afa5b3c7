// The VIPs that this node answers for, by interface, and the digest by which peers see that theirs
// of it is old. A grant that does not know of the last lapse of its interfaces is refused.

import type { Ip } from "../core/address.ts";
import { compareIps } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { Sha256 } from "../core/hash.ts";
import type { PeerEntry } from "../core/peer.ts";
import { DIGEST_BYTES, type TableChange } from "./body.ts";
import { pagesOf } from "./wire.ts";

export interface Granted {
  readonly epoch: Epoch;
  readonly interfaces: readonly string[];
  /** The lapses that whoever grants knows of. */
  readonly lapses: number;
}

/** A change of more entries is not told: who hears of another digest asks for the whole table. */
export const CHANGE_MAX = 400;

/** What has become of an entry since its table was told last. */
interface Change {
  readonly entry: PeerEntry;
  readonly isGone: boolean;
  /** What it has added to the digest. */
  readonly sum: bigint;
}

interface Told {
  digest: bigint;
  changes: Map<Ip, Change>;
}

/** Of digests, which wrap around. */
const DIGEST_MASK = (1n << BigInt(8 * DIGEST_BYTES)) - 1n;

/**
 * The digest of entries is the sum of theirs: of thousands, one that changes costs no more than of
 * few. Whoever could make two tables have the same sum has the key.
 */
export class OwnTable {
  readonly #sha256: Sha256;
  readonly #granted = new Map<Ip, Granted>();
  /** By interface. */
  readonly #digests = new Map<string, bigint>();
  /** By interface: what was told, and what has changed since. */
  readonly #told = new Map<string, Told>();
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
    this.#drop(address);
    this.#granted.set(address, granted);
    this.#count(address, granted, 1n);
    return true;
  }

  /** True when it was granted. */
  revoke(address: Ip): boolean {
    return this.#drop(address);
  }

  /** Drops every grant on the interface; the number of lapses so far, this one included. */
  lapse(interfaceName: string): number {
    for (const [address, { interfaces }] of this.#granted) {
      if (interfaces.includes(interfaceName)) this.#drop(address);
    }
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
    return digestText(this.#digests.get(interfaceName) ?? 0n);
  }

  /** What has changed since the last call, for one datagram each; empty: nothing, or too much. */
  takeChanges(interfaceName: string): TableChange[] {
    const told = this.#told.get(interfaceName);
    if (told === undefined || told.changes.size === 0) return [];
    const { changes } = told;
    let from = told.digest;
    told.digest = this.#digests.get(interfaceName) ?? 0n;
    told.changes = new Map();
    if (changes.size > CHANGE_MAX) return [];
    const changed = [...changes.values()].filter(({ sum }) => sum !== 0n);
    if (changed.length === 0) return [];
    return pagesOf(changed).map((page) => {
      const to = page.reduce((sum, change) => sum + change.sum, from) & DIGEST_MASK;
      const entries = page.filter(({ isGone }) => !isGone).map(({ entry }) => entry);
      const gone = page.filter(({ isGone }) => isGone).map(({ entry }) => entry);
      const change = { from: digestText(from), to: digestText(to), entries, gone };
      from = to;
      return change;
    });
  }

  #drop(address: Ip): boolean {
    const granted = this.#granted.get(address);
    if (granted === undefined) return false;
    this.#count(address, granted, -1n);
    return this.#granted.delete(address);
  }

  #count(address: Ip, { epoch, interfaces }: Granted, times: 1n | -1n): void {
    const text = this.#sha256(`${address}@${epoch}`).slice(0, 2 * DIGEST_BYTES);
    const added = times * BigInt(`0x${text}`);
    const entry = { address, epoch };
    for (const name of new Set(interfaces)) {
      const digest = this.#digests.get(name) ?? 0n;
      const told = this.#told.get(name) ?? { digest, changes: new Map<Ip, Change>() };
      const sum = (told.changes.get(address)?.sum ?? 0n) + added;
      told.changes.set(address, { entry, isGone: times === -1n, sum });
      this.#told.set(name, told);
      this.#digests.set(name, (digest + added) & DIGEST_MASK);
    }
  }
}

function digestText(digest: bigint): string {
  return digest.toString(16).padStart(2 * DIGEST_BYTES, "0");
}
