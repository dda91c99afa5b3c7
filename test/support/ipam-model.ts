// An allocator that is slow and plain: it keeps lists and looks at every address of every pool. The
// reference that the real one is compared with.

import type { Ip, IpFamily } from "../../src/core/address.ts";
import { ipFamily, ipFromBigInt } from "../../src/core/address.ts";
import type { AllocatablePool, PoolFill, ServiceRequest } from "../../src/ipam/types.ts";

interface Held {
  readonly request: ServiceRequest;
  readonly addresses: readonly Ip[];
}

export class ModelAllocator {
  #pools: readonly AllocatablePool[] = [];
  #reserved: ReadonlySet<Ip> = new Set();
  readonly held = new Map<string, Held>();

  configure(pools: readonly AllocatablePool[], reserved: ReadonlySet<Ip>): void {
    this.#pools = pools;
    this.#reserved = reserved;
  }

  /** The addresses that the Service ends up with. */
  decide(request: ServiceRequest): readonly Ip[] {
    const { key, requested } = request;
    const held = this.held.get(key)?.addresses ?? [];
    const current = request.current.length > 0 ? request.current : held;
    this.held.delete(key);
    if (request.familyPolicy === "RequireDualStack" && request.families.length < 2) return [];
    if (current.length > 0 && this.mayKeep(request, current)) {
      if ("unreadable" in requested) return this.#hold(request, current);
      if (this.isMet(request, current)) return this.#hold(request, this.#grown(request, current));
    }
    if ("unreadable" in requested) return [];
    const isAsked = requested.length > 0;
    return this.#hold(request, isAsked ? this.#asked(request, requested) : this.#any(request));
  }

  /** Whether what is asked for in particular is what the Service has. */
  isMet({ requested, pool }: ServiceRequest, current: readonly Ip[]): boolean {
    if ("unreadable" in requested) return false;
    if (pool !== null && this.#poolOf(current)?.name !== pool) return false;
    if (requested.length === 0) return true;
    return requested.length === current.length && requested.every((ip) => current.includes(ip));
  }

  mayKeep(request: ServiceRequest, current: readonly Ip[]): boolean {
    if (request.familyPolicy === "RequireDualStack" && request.families.length < 2) return false;
    const families = current.map(ipFamily);
    const isContent = request.familyPolicy === "PreferDualStack" && families.length === 1;
    const pool = this.#poolOf(current);
    return (
      (families.length === request.families.length || isContent) &&
      new Set(families).size === families.length &&
      families.every((family) => request.families.includes(family)) &&
      pool !== undefined &&
      pool.allotment?.admits(request) !== false &&
      current.every((ip) => this.mayJoin(request, ip))
    );
  }

  /** Nobody else is on the address, or all agree to share it. */
  mayJoin(request: ServiceRequest, ip: Ip): boolean {
    return this.othersOn(ip, request.key).every(
      (other) =>
        request.sharingKey !== "" &&
        other.sharingKey === request.sharingKey &&
        other.backend === request.backend &&
        !other.ports.some((port) => request.ports.includes(port)),
    );
  }

  othersOn(ip: Ip, except: string): ServiceRequest[] {
    return [...this.held.values()].flatMap(({ request, addresses }) =>
      request.key !== except && addresses.includes(ip) ? [request] : [],
    );
  }

  usage(): PoolFill[] {
    const all = [...new Set([...this.held.values()].flatMap(({ addresses }) => addresses))];
    return this.#pools.map((pool) => {
      const assigned = all.filter((ip) => everyAddress(pool).includes(ip));
      const isFree = (ip: Ip): boolean => this.#isOffered(ip) && !all.includes(ip);
      const free = addressesOf(pool).filter(isFree);
      const ofFamily = (list: readonly Ip[], family: IpFamily): number =>
        list.filter((ip) => ipFamily(ip) === family).length;
      return {
        pool: pool.name,
        assignedIpv4: ofFamily(assigned, 4),
        assignedIpv6: ofFamily(assigned, 6),
        availableIpv4: ofFamily(free, 4),
        availableIpv6: ofFamily(free, 6),
        quarantined: 0,
        cooling: 0,
      };
    });
  }

  #hold(request: ServiceRequest, addresses: readonly Ip[]): readonly Ip[] {
    if (addresses.length > 0) this.held.set(request.key, { request, addresses });
    return addresses;
  }

  #poolOf(addresses: readonly Ip[]): AllocatablePool | undefined {
    return this.#pools.find((pool) => addresses.every((ip) => addressesOf(pool).includes(ip)));
  }

  #grown(request: ServiceRequest, current: readonly Ip[]): readonly Ip[] {
    const isAsked = !("unreadable" in request.requested) && request.requested.length > 0;
    const pool = this.#poolOf(current);
    if (isAsked || pool === undefined) return current;
    const missing = request.families.filter((one) => !current.map(ipFamily).includes(one));
    return [...current, ...missing.flatMap((family) => this.#first(request, pool, family) ?? [])];
  }

  #asked(request: ServiceRequest, requested: readonly Ip[]): readonly Ip[] {
    const { families, pool } = request;
    const fits =
      requested.length === families.length &&
      requested.every((ip) => families.includes(ipFamily(ip)));
    const found = this.#poolOf(requested);
    const isMine = found !== undefined && (pool === null || pool === found.name);
    const isAdmitted = found?.allotment?.admits(request) !== false;
    const isFree = requested.every((ip) => this.#isOffered(ip) && this.mayJoin(request, ip));
    return fits && isMine && isAdmitted && isFree ? [...requested].sort() : [];
  }

  #any(request: ServiceRequest): readonly Ip[] {
    const wishes: (readonly IpFamily[])[] = [[...request.families].sort()];
    if (request.familyPolicy === "PreferDualStack") {
      wishes.push(...request.families.map((family) => [family]));
    }
    for (const wish of wishes) {
      for (const pool of this.#poolsFor(request)) {
        const found = wish.flatMap((family) => this.#first(request, pool, family) ?? []);
        if (found.length === wish.length) return found;
      }
    }
    return [];
  }

  #poolsFor(request: ServiceRequest): AllocatablePool[] {
    if (request.pool !== null) {
      const isIt = (pool: AllocatablePool): boolean =>
        pool.name === request.pool && pool.allotment?.admits(request) !== false;
      return this.#pools.filter(isIt);
    }
    const open = this.#pools.filter((pool) => pool.autoAssign);
    const mine = open.filter((pool) => pool.allotment?.offersTo(request) === true);
    const priority = (pool: AllocatablePool): number => pool.allotment?.priority ?? 0;
    const ofPriority = (wanted: number) => mine.filter((pool) => priority(pool) === wanted);
    const numbers = [...new Set(mine.map(priority))].filter((one) => one > 0).sort((a, b) => a - b);
    const unordered = mine.filter((pool) => priority(pool) <= 0);
    const forAll = open.filter((pool) => pool.allotment === null);
    return [...numbers.flatMap(ofPriority), ...unordered, ...forAll];
  }

  #first(request: ServiceRequest, pool: AllocatablePool, family: IpFamily): Ip | undefined {
    return addressesOf(pool).find(
      (ip) => ipFamily(ip) === family && this.#isOffered(ip) && this.mayJoin(request, ip),
    );
  }

  #isOffered(ip: Ip): boolean {
    return !this.#reserved.has(ip);
  }
}

const enumerated = new WeakMap<AllocatablePool, readonly Ip[]>();

function addressesOf(pool: AllocatablePool): readonly Ip[] {
  const isBuggy = (ip: Ip): boolean =>
    ipFamily(ip) === 4 && [0, 255].includes(Number(ip.split(".")[3]));
  return everyAddress(pool).filter((ip) => !pool.avoidBuggyIps || !isBuggy(ip));
}

/** With those that avoidBuggyIPs leaves out. */
function everyAddress(pool: AllocatablePool): readonly Ip[] {
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
