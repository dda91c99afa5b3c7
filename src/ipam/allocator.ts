// Gives addresses of pools to Services. Synchronous and pure: the caller hands in one Service at a
// time and writes the decision down. Service status is the record: call `adopt` for all Services
// before `decide` for any, or an address that one has could be given to another.

import type { Ip, IpFamily } from "../core/address.ts";
import { ipFamily, ipToBigInt, rangeContains } from "../core/address.ts";
import { RangeIndex } from "../core/range-index.ts";
import { FreeAddresses } from "./free-addresses.ts";
import * as text from "./texts.ts";
import type {
  AllocatablePool,
  Cleared,
  Decision,
  PendingReason,
  PoolUsage,
  ServiceRequest,
} from "./types.ts";
import type { AssignedCounts } from "./usage.ts";
import { countAssigned, isBuggyIp, noneAssigned, poolUsage } from "./usage.ts";

type Refusal = { readonly reason: PendingReason; readonly detail: string };

export class Allocator {
  #pools: readonly AllocatablePool[] = [];
  #index = new RangeIndex<AllocatablePool>([]);
  #free = new Map<string, readonly FreeAddresses[]>();
  #reserved: ReadonlyMap<Ip, string> = new Map();
  readonly #ownerOf = new Map<Ip, string>();
  readonly #addressesOf = new Map<string, readonly Ip[]>();
  #assignedIn = new Map<string, AssignedCounts>();

  /**
   * Replaces pools (sorted by name) and the addresses never to be handed out, each with the reason
   * ("the address of node n1"). Allocations stay; `decide` says later which are no longer allowed.
   */
  configure(pools: readonly AllocatablePool[], reserved: ReadonlyMap<Ip, string>): void {
    this.#pools = pools;
    this.#index = new RangeIndex(pools);
    this.#reserved = reserved;
    const freeOf = (pool: AllocatablePool) => pool.ranges.map((range) => new FreeAddresses(range));
    this.#free = new Map(pools.map((pool) => [pool.name, freeOf(pool)]));
    this.#assignedIn = new Map(pools.map((pool) => [pool.name, noneAssigned()]));
    for (const ip of this.#ownerOf.keys()) this.#count(ip, 1);
  }

  /** Takes over what the Service has, where that is allowed and nobody else has it; no more. */
  adopt(request: ServiceRequest): void {
    const { key, current } = request;
    // What was decided since the status was read is newer than the status.
    if (current.length === 0 || this.#addressesOf.has(key)) return;
    if (this.#refusalToKeep(request, current) === null) this.#hold(key, current);
  }

  /** Keeps, chooses or refuses; the allocation is recorded here at once. */
  decide(request: ServiceRequest): Decision {
    const held = this.#addressesOf.get(request.key) ?? [];
    const current = request.current.length > 0 ? request.current : held;
    const kept = this.#keep(request, current);
    if (kept !== null && "kind" in kept) return kept;
    this.release(request.key);
    const cleared = kept === null ? null : kept;
    const chosen = this.#allocate(request);
    if ("reason" in chosen) return { kind: "pending", addresses: [], cleared, ...chosen };
    this.#record(request.key, chosen.addresses);
    return { kind: "assigned", how: "new", cleared, ...chosen };
  }

  /** Frees what the Service has; true when it had something. */
  release(key: string): boolean {
    const addresses = this.#addressesOf.get(key);
    if (addresses === undefined) return false;
    this.#addressesOf.delete(key);
    for (const ip of addresses) {
      this.#ownerOf.delete(ip);
      this.#count(ip, -1);
      this.#offerAgain(ip);
    }
    return true;
  }

  /** The Service that has `ip`, or null. */
  ownerOf(ip: Ip): string | null {
    return this.#ownerOf.get(ip) ?? null;
  }

  usage(): PoolUsage[] {
    return this.#pools.map((pool) => this.#usageOf(pool));
  }

  #usageOf(pool: AllocatablePool): PoolUsage {
    const withheld = [...this.#reserved.keys()].filter(
      (ip) => this.#index.find(ip) === pool && !this.#ownerOf.has(ip),
    );
    return poolUsage(pool, this.#assignedIn.get(pool.name) ?? noneAssigned(), withheld);
  }

  /** A decision, or what was cleared, or null when there is nothing to keep or clear. */
  #keep(request: ServiceRequest, current: readonly Ip[]): Decision | Cleared | null {
    if (current.length === 0) return null;
    const refusal = this.#refusalToKeep(request, current);
    if (refusal !== null) return { addresses: current, detail: refusal.detail };
    this.#hold(request.key, current);
    if ("unreadable" in request.requested) {
      const detail = request.requested.unreadable;
      const reason = "unreadable-request";
      return { kind: "pending", reason, detail, addresses: current, cleared: null };
    }
    if (!isRequestMet(request.requested, current)) {
      return { addresses: current, detail: text.requestChanged(request.requested) };
    }
    const pool = this.#index.find(current[0] as Ip)?.name ?? "";
    return { kind: "assigned", how: "kept", addresses: current, pool, cleared: null };
  }

  #refusalToKeep(request: ServiceRequest, current: readonly Ip[]): Refusal | null {
    if (!this.#fitsFamilies(request, current)) {
      return { reason: "family-mismatch", detail: text.familyMismatch(current, request.families) };
    }
    return this.#refusal(request.key, current, { adopting: true });
  }

  #fitsFamilies(request: ServiceRequest, addresses: readonly Ip[]): boolean {
    const families = addresses.map(ipFamily);
    if (families.length !== new Set(families).size) return false;
    if (!families.every((family) => request.families.includes(family))) return false;
    return families.length === request.families.length || request.oneFamilyIsEnough;
  }

  /** Why these addresses cannot be this Service's, or null. */
  #refusal(key: string, addresses: readonly Ip[], how: { adopting: boolean }): Refusal | null {
    const pools = new Set(addresses.map((ip) => this.#index.find(ip)));
    if (pools.size !== 1 || pools.has(null)) {
      return { reason: "not-in-any-pool", detail: text.notInConfig(addresses) };
    }
    for (const ip of addresses) {
      const owner = this.#ownerOf.get(ip);
      if (owner !== undefined && owner !== key) {
        return { reason: "in-use", detail: text.inUse(ip, key, owner) };
      }
      const use = this.#reserved.get(ip);
      if (use !== undefined && !how.adopting) {
        return { reason: "reserved", detail: text.reserved(ip, use) };
      }
      const pool = this.#index.find(ip);
      if (pool?.avoidBuggyIps === true && isBuggyIp(ip) && !how.adopting) {
        return { reason: "not-in-any-pool", detail: text.avoided(ip, pool.name) };
      }
    }
    return null;
  }

  #allocate(request: ServiceRequest): Refusal | { addresses: readonly Ip[]; pool: string } {
    if (this.#pools.length === 0) return { reason: "no-pool", detail: text.noPools() };
    if ("unreadable" in request.requested) {
      return { reason: "unreadable-request", detail: request.requested.unreadable };
    }
    if (request.requested.length > 0) return this.#allocateRequested(request, request.requested);
    return this.#allocateAutomatically(request);
  }

  #allocateRequested(request: ServiceRequest, requested: readonly Ip[]) {
    if (!this.#fitsFamilies({ ...request, oneFamilyIsEnough: false }, requested)) {
      const detail = text.familyMismatch(requested, request.families);
      return { reason: "family-mismatch", detail } as const;
    }
    const refusal = this.#refusal(request.key, requested, { adopting: false });
    if (refusal !== null) return refusal;
    return { addresses: requested, pool: this.#index.find(requested[0] as Ip)?.name ?? "" };
  }

  #allocateAutomatically(request: ServiceRequest) {
    const wishes: (readonly IpFamily[])[] = [request.families];
    if (request.oneFamilyIsEnough && request.families.length > 1) {
      wishes.push(...request.families.map((family) => [family]));
    }
    const pools = this.#pools.filter((pool) => pool.autoAssign);
    for (const families of wishes) {
      for (const pool of pools) {
        const addresses = this.#takeAll(pool, families);
        if (addresses !== null) return { addresses, pool: pool.name };
      }
    }
    const detail = text.exhausted(pools.map((pool) => this.#usageOf(pool)));
    return { reason: "exhausted", detail } as const;
  }

  /** One free address of each family, or null and nothing taken. */
  #takeAll(pool: AllocatablePool, families: readonly IpFamily[]): readonly Ip[] | null {
    const taken: Ip[] = [];
    for (const family of families) {
      const ip = this.#takeOne(pool, family);
      if (ip === null) {
        for (const other of taken) this.#offerAgain(other);
        return null;
      }
      taken.push(ip);
    }
    return taken;
  }

  #takeOne(pool: AllocatablePool, family: IpFamily): Ip | null {
    const isFree = (ip: Ip): boolean =>
      !this.#ownerOf.has(ip) && !this.#reserved.has(ip) && !(pool.avoidBuggyIps && isBuggyIp(ip));
    for (const [index, free] of (this.#free.get(pool.name) ?? []).entries()) {
      if (pool.ranges[index]?.family !== family) continue;
      const ip = free.take(isFree);
      if (ip !== null) return ip;
    }
    return null;
  }

  #offerAgain(ip: Ip): void {
    const pool = this.#index.find(ip);
    const index = pool?.ranges.findIndex((range) => rangeContains(range, ip)) ?? -1;
    if (pool !== null) this.#free.get(pool.name)?.[index]?.release(ipToBigInt(ip));
  }

  /** What is held already is not freed for a moment: that would be offered again, each time. */
  #hold(key: string, addresses: readonly Ip[]): void {
    const held = this.#addressesOf.get(key) ?? [];
    if (held.length === addresses.length && held.every((ip, i) => ip === addresses[i])) return;
    this.release(key);
    this.#record(key, addresses);
  }

  #record(key: string, addresses: readonly Ip[]): void {
    this.#addressesOf.set(key, addresses);
    for (const ip of addresses) {
      this.#ownerOf.set(ip, key);
      this.#count(ip, 1);
    }
  }

  #count(ip: Ip, change: 1 | -1): void {
    const counts = this.#assignedIn.get(this.#index.find(ip)?.name ?? "");
    if (counts !== undefined) countAssigned(counts, ip, change);
  }
}

function isRequestMet(requested: readonly Ip[], current: readonly Ip[]): boolean {
  if (requested.length === 0) return true;
  return requested.length === current.length && requested.every((ip) => current.includes(ip));
}
