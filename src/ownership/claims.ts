// What the peers say on the wire of who owns what: by address and node, the highest epoch. A table
// is the whole truth of a node; a claim is believed at once, and must be confirmed by a table.

import type { Ip } from "../core/address.ts";
import type { Epoch } from "../core/epoch.ts";
import type { EntriesChange, PeerEntry } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";

/** A claim that no table confirms in this time was given up, or its node died over it. */
export const UNCONFIRMED_MS = 3_000;
/** A table that was on its way while the claim was made does not undo it. */
const CROSSING_MS = 1_000;

export interface WireClaim {
  readonly node: string;
  readonly epoch: Epoch;
  /** When it is believed no more, unless a table confirms it. */
  readonly until: BootMs;
}

/** Who said it, and where. */
export interface Source {
  readonly node: string;
  readonly interface: string;
}

interface Heard extends Source {
  readonly epoch: Epoch;
  readonly at: BootMs;
  readonly isConfirmed: boolean;
}

export class WireClaims {
  readonly #heard = new Map<Ip, Map<string, Heard>>();
  readonly #untoldSince: (source: Source) => BootMs | null;

  /** `untoldSince`: the node is heard there, and its table cannot be had: what it claims stands. */
  constructor(untoldSince: (source: Source) => BootMs | null) {
    this.#untoldSince = untoldSince;
  }

  /** The strongest claim of others; equal epochs: the one that `isBetter` says. */
  strongest(
    address: Ip,
    isBetter: (node: string, than: string) => boolean,
    now: BootMs,
  ): WireClaim | null {
    let best: WireClaim | null = null;
    for (const heard of this.#heard.get(address)?.values() ?? []) {
      const { node, epoch } = heard;
      const until = this.#until(heard);
      if (now >= until) continue;
      const isFirst = best === null || epoch > best.epoch;
      const isTied = best !== null && epoch === best.epoch && isBetter(node, best.node);
      if (isFirst || isTied) best = { node, epoch, until };
    }
    return best;
  }

  /** Whether the node says there that it has the address. */
  isClaimed(address: Ip, source: Source, now: BootMs): boolean {
    const heard = this.#heard.get(address)?.get(keyOf(source));
    return heard !== undefined && now < this.#until(heard);
  }

  claimed(source: Source, { address, epoch }: PeerEntry, now: BootMs): void {
    const known = this.#heard.get(address)?.get(keyOf(source));
    if (known !== undefined && known.epoch >= epoch && known.isConfirmed) return;
    this.#set(address, source, { ...namesOf(source), epoch, at: now, isConfirmed: false });
  }

  /** What has changed in a table that is known; as `table`. */
  change(source: Source, { entries, gone }: EntriesChange, now: BootMs): Ip[] {
    const unlisted = gone.filter(({ address }) => this.#unlist(address, source, now));
    const listed = entries.filter((entry) => this.#list(entry, source, now));
    return [...unlisted, ...listed].map(({ address }) => address);
  }

  /** Returns the addresses about which something has changed. */
  table(source: Source, entries: readonly PeerEntry[], now: BootMs): Ip[] {
    const listed = new Set(entries.map(({ address }) => address));
    const others = [...this.#heard.keys()].filter((address) => !listed.has(address));
    const unlisted = others.filter((address) => this.#unlist(address, source, now));
    const changed = entries.filter((entry) => this.#list(entry, source, now));
    return [...unlisted, ...changed.map(({ address }) => address)];
  }

  /** True: that is news. */
  #unlist(address: Ip, source: Source, now: BootMs): boolean {
    const key = keyOf(source);
    const known = this.#heard.get(address)?.get(key);
    if (known === undefined) return false;
    if (!known.isConfirmed && now < after(known.at, CROSSING_MS)) return false;
    this.#remove(address, key);
    return true;
  }

  /** True: that is news. Most of a table is known, and there may be thousands. */
  #list({ address, epoch }: PeerEntry, source: Source, now: BootMs): boolean {
    const known = this.#heard.get(address)?.get(keyOf(source));
    if (known?.epoch === epoch && known.isConfirmed) return false;
    // A claim that is confirmed late may have been given up here meanwhile.
    const isClaimed = known?.isConfirmed === false && now < this.#until(known);
    const isOlder = isClaimed && known.epoch > epoch;
    const heard = { ...namesOf(source), epoch, at: now, isConfirmed: true };
    if (!isOlder) this.#set(address, source, heard);
    return true;
  }

  /** What the node claimed there and its tables have not listed. */
  unconfirmedOf(source: Source): Ip[] {
    const key = keyOf(source);
    return [...this.#heard].flatMap(([address, sources]) =>
      sources.get(key)?.isConfirmed === false ? [address] : [],
    );
  }

  /** The node has started anew, as the segment shows: what it had there it has no more. */
  forgetNode(source: Source): Ip[] {
    const key = keyOf(source);
    const changed: Ip[] = [];
    for (const [address, sources] of this.#heard) {
      if (!sources.has(key)) continue;
      this.#remove(address, key);
      changed.push(address);
    }
    return changed;
  }

  forgetAddress(address: Ip): void {
    this.#heard.delete(address);
  }

  #until(heard: Heard): BootMs {
    if (heard.isConfirmed) return NEVER;
    const until = after(heard.at, UNCONFIRMED_MS);
    const untoldSince = this.#untoldSince(heard);
    // One that was over by then does not come back.
    return untoldSince !== null && untoldSince < until ? NEVER : until;
  }

  #set(address: Ip, source: Source, heard: Heard): void {
    const sources = this.#heard.get(address) ?? new Map<string, Heard>();
    this.#heard.set(address, sources.set(keyOf(source), heard));
  }

  #remove(address: Ip, key: string): void {
    const sources = this.#heard.get(address);
    sources?.delete(key);
    if (sources?.size === 0) this.#heard.delete(address);
  }
}

/** Not the whole event that it may be a part of. */
function namesOf({ node, interface: name }: Source): Source {
  return { node, interface: name };
}

function keyOf({ node, interface: name }: Source): string {
  return `${name} ${node}`;
}
