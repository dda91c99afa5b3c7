// A host's neighbour cache: which MAC it sends to for an address. As RFC 826 asks, what a frame
// says of its sender updates an entry that there is, and makes none; as Linux does
// (net/ipv4/arp.c, arp_process), an entry that has just changed stays as it is for a while.

import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";

/** net.ipv4.neigh.default.locktime. */
const LOCK_MS = 1_000;
/** net.ipv4.neigh.default.base_reachable_time_ms; the kernel takes 0.5 to 1.5 times that. */
const REACHABLE_MS = 30_000;

interface Entry {
  mac: Mac;
  changedAt: number;
  confirmedAt: number;
}

export class NeighbourCache {
  readonly #locksAll: boolean;
  readonly #entries = new Map<Ip, Entry>();

  /** `locksAll`: gratuitous ARP changes no young entry either, as before Linux 4.12. */
  constructor({ locksAll }: { readonly locksAll: boolean }) {
    this.#locksAll = locksAll;
  }

  get(address: Ip): Mac | null {
    return this.#entries.get(address)?.mac ?? null;
  }

  /** Nothing has shown for long that the host is there. */
  isStale(address: Ip, now: number): boolean {
    const entry = this.#entries.get(address);
    return entry !== undefined && now - entry.confirmedAt > REACHABLE_MS;
  }

  /** Gratuitous ARP: true when the entry is another one now. */
  announced(address: Ip, mac: Mac, now: number): boolean {
    const entry = this.#entries.get(address);
    if (entry === undefined || entry.mac === mac) return false;
    if (this.#locksAll && isYoung(entry, now)) return false;
    this.#entries.set(address, { mac, changedAt: now, confirmedAt: entry.confirmedAt });
    return true;
  }

  /** A reply to this host: of several that come together the first one counts. */
  answered(address: Ip, mac: Mac, now: number): void {
    const entry = this.#entries.get(address);
    if (entry !== undefined && entry.mac !== mac && isYoung(entry, now)) return;
    const changedAt = entry?.mac === mac ? entry.changedAt : now;
    this.#entries.set(address, { mac, changedAt, confirmedAt: now });
  }

  forget(address: Ip): void {
    this.#entries.delete(address);
  }
}

function isYoung({ changedAt }: Entry, now: number): boolean {
  return now <= changedAt + LOCK_MS;
}
