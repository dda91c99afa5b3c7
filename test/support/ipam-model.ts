// An allocator that is slow and plain: it keeps lists and looks at every address of every pool. The
// reference that the real one is compared with.

import type { Ip, IpFamily } from "../../src/core/address.ts";
import { ipFamily, ipFromBigInt } from "../../src/core/address.ts";
import type { AllocatablePool, PoolUsage, ServiceRequest } from "../../src/ipam/types.ts";

export class ModelAllocator {
  #pools: readonly AllocatablePool[] = [];
  #reserved: ReadonlySet<Ip> = new Set();
  readonly held = new Map<string, readonly Ip[]>();

  configure(pools: readonly AllocatablePool[], reserved: ReadonlySet<Ip>): void {
    this.#pools = pools;
    this.#reserved = reserved;
  }

  /** The addresses that the Service ends up with. */
  decide(request: ServiceRequest): readonly Ip[] {
    const { key, requested } = request;
    const held = this.held.get(key) ?? [];
    const current = request.current.length > 0 ? request.current : held;
    this.held.delete(key);
    const isAllowed = current.length > 0 && this.mayKeep(request, current);
    if (isAllowed && ("unreadable" in requested || isMet(requested, current))) {
      return this.#hold(key, current);
    }
    if ("unreadable" in requested) return [];
    return this.#hold(
      key,
      requested.length > 0 ? this.#asked(request, requested) : this.#any(request),
    );
  }

  mayKeep(request: ServiceRequest, current: readonly Ip[]): boolean {
    const families = current.map(ipFamily);
    const isComplete = families.length === request.families.length || request.oneFamilyIsEnough;
    return (
      isComplete &&
      new Set(families).size === families.length &&
      families.every((family) => request.families.includes(family)) &&
      this.#pools.some((pool) => current.every((ip) => addressesOf(pool).includes(ip))) &&
      current.every((ip) => this.ownerOf(ip, request.key) === null)
    );
  }

  ownerOf(ip: Ip, except: string): string | null {
    for (const [key, held] of this.held) if (key !== except && held.includes(ip)) return key;
    return null;
  }

  usage(): PoolUsage[] {
    const all = [...this.held.values()].flat();
    return this.#pools.map((pool) => {
      const assigned = all.filter((ip) => addressesOf(pool).includes(ip));
      const free = addressesOf(pool).filter((ip) => this.#isFree(ip, pool));
      const ofFamily = (list: readonly Ip[], family: IpFamily): number =>
        list.filter((ip) => ipFamily(ip) === family).length;
      return {
        pool: pool.name,
        assignedIpv4: ofFamily(assigned, 4),
        assignedIpv6: ofFamily(assigned, 6),
        availableIpv4: ofFamily(free, 4),
        availableIpv6: ofFamily(free, 6),
      };
    });
  }

  #hold(key: string, addresses: readonly Ip[]): readonly Ip[] {
    if (addresses.length > 0) this.held.set(key, addresses);
    return addresses;
  }

  #asked({ families }: ServiceRequest, requested: readonly Ip[]): readonly Ip[] {
    const fits =
      requested.length === families.length &&
      requested.every((ip) => families.includes(ipFamily(ip)));
    const isFree = this.#pools.some((pool) =>
      requested.every((ip) => addressesOf(pool).includes(ip) && this.#isFree(ip, pool)),
    );
    return fits && isFree ? requested : [];
  }

  #any({ families, oneFamilyIsEnough }: ServiceRequest): readonly Ip[] {
    const wishes: (readonly IpFamily[])[] = [families];
    if (oneFamilyIsEnough) wishes.push(...families.map((family) => [family]));
    for (const wish of wishes) {
      for (const pool of this.#pools.filter((one) => one.autoAssign)) {
        const found = wish.flatMap((family) => {
          const isIt = (ip: Ip): boolean => ipFamily(ip) === family && this.#isFree(ip, pool);
          return addressesOf(pool).find(isIt) ?? [];
        });
        if (found.length === wish.length) return found;
      }
    }
    return [];
  }

  #isFree(ip: Ip, pool: AllocatablePool): boolean {
    const isBuggy = ipFamily(ip) === 4 && [0, 255].includes(Number(ip.split(".")[3]));
    if (pool.avoidBuggyIps && isBuggy) return false;
    return !this.#reserved.has(ip) && this.ownerOf(ip, "") === null;
  }
}

function isMet(requested: readonly Ip[], current: readonly Ip[]): boolean {
  if (requested.length === 0) return true;
  return requested.length === current.length && requested.every((ip) => current.includes(ip));
}

const enumerated = new WeakMap<AllocatablePool, readonly Ip[]>();

function addressesOf(pool: AllocatablePool): readonly Ip[] {
  const known = enumerated.get(pool);
  if (known !== undefined) return known;
  const all = pool.ranges.flatMap(({ family, start, end }) =>
    Array.from({ length: Number(end - start) + 1 }, (_, i) =>
      ipFromBigInt(family, start + BigInt(i)),
    ),
  );
  enumerated.set(pool, all);
  return all;
}
