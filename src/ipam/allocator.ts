// Gives addresses of pools to Services, by MetalLB's rules. Synchronous and pure: the caller hands
// in one Service at a time and writes the decision down. Service status is the record: call `adopt`
// for all Services before `decide` for any, or an address that one has could be given to another.

import type { Ip, IpFamily } from "../core/address.ts";
import { compareIps, ipFamily } from "../core/address.ts";
import { RangeIndex } from "../core/range-index.ts";
import { Occupants } from "./occupants.ts";
import { PoolSpace } from "./pool-space.ts";
import { fitsFamilies, isOneOfTwo, isRequestMet } from "./request-fit.ts";
import * as text from "./texts.ts";
import type {
  AllocatablePool,
  Assigned,
  Decision,
  PoolFill,
  Refusal,
  ServiceRequest,
} from "./types.ts";
import type { Rest, WithheldAddresses } from "./withheld.ts";
import { Withheld } from "./withheld.ts";

type Chosen = { readonly addresses: readonly Ip[]; readonly pool: string };

export class Allocator {
  #pools: readonly AllocatablePool[] = [];
  /** Those with autoAssign, in the order in which they are tried. */
  #automatic: readonly AllocatablePool[] = [];
  #index = new RangeIndex<AllocatablePool>([]);
  #spaces = new Map<string, PoolSpace>();
  #reserved: ReadonlyMap<Ip, string> = new Map();
  readonly #occupants = new Occupants();
  readonly #withheld = new Withheld();
  #generation = 0;

  /**
   * Replaces pools (sorted by name) and the addresses never to be handed out, each with the reason
   * ("the address of node n1"). Allocations stay; `decide` says later which are no longer allowed.
   */
  configure(pools: readonly AllocatablePool[], reserved: ReadonlyMap<Ip, string>): void {
    this.#pools = pools;
    this.#automatic = pools.filter((pool) => pool.autoAssign).sort((a, b) => rank(a) - rank(b));
    this.#index = new RangeIndex(pools);
    this.#reserved = reserved;
    const reservedIn = Map.groupBy(reserved.keys(), (ip) => this.#index.find(ip)?.name);
    const around = { occupants: this.#occupants, withheld: this.#withheld };
    this.#spaces = new Map(
      pools.map((pool) => {
        const ofHosts = new Set(reservedIn.get(pool.name) ?? []);
        return [pool.name, new PoolSpace(pool, around, ofHosts)];
      }),
    );
    for (const [ip, occupant] of this.#occupants.all()) this.#spaceOf(ip)?.inUse(ip, occupant);
    this.#generation += 1;
  }

  /**
   * Grows whenever something may have become possible that was refused before: those who wait, or
   * lack a second family, are to be decided on again.
   */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Takes over what the Services have, where that is allowed. Those with most addresses come first:
   * of two that claim one address, the one that would lose more keeps it.
   */
  adoptAll(requests: readonly ServiceRequest[]): void {
    const inOrder = (a: ServiceRequest, b: ServiceRequest): number =>
      b.current.length - a.current.length || (a.key < b.key ? -1 : 1);
    for (const request of [...requests].sort(inOrder)) this.adopt(request);
  }

  /** Takes over what the Service has, where that is allowed and nobody else has it; no more. */
  adopt(request: ServiceRequest): void {
    const { key, current } = request;
    // What was decided since the status was read is newer than the status.
    if (current.length === 0 || this.#occupants.addressesOf(key).length > 0) return;
    if (this.#refusalToKeep(request, current) === null) this.#hold(request, current);
  }

  /** Keeps, chooses or refuses; the allocation is recorded here at once. */
  decide(request: ServiceRequest): Decision {
    const held = this.#occupants.addressesOf(request.key);
    const current = request.current.length > 0 ? request.current : held;
    const loss = current.length === 0 ? null : this.#loss(request, current);
    if (current.length > 0 && loss === null) return this.#keep(request, current);
    this.release(request.key);
    const cleared = loss === null ? null : { addresses: current, detail: loss.detail };
    const chosen = this.#allocate(request);
    if ("reason" in chosen) return { kind: "pending", addresses: [], cleared, ...chosen };
    this.#hold(request, chosen.addresses);
    return { kind: "assigned", how: "new", lacks: null, cleared, ...chosen };
  }

  /** Frees what the Service has, and says what that was. */
  release(key: string): readonly Ip[] {
    const held = this.#occupants.remove(key);
    if (held === null) return [];
    for (const ip of held.addresses) this.#spaceOf(ip)?.left(ip, held.occupant);
    this.#generation += 1;
    return held.addresses;
  }

  /** The Services that have `ip`, sorted. */
  ownersOf(ip: Ip): string[] {
    return this.#occupants.of(ip);
  }

  /** Another host answers for it: nobody gets it until `endQuarantine`. Who has it keeps it. */
  quarantine(ip: Ip, host: string): void {
    this.#withheld.quarantine(ip, host);
  }

  endQuarantine(ip: Ip): void {
    if (this.#withheld.endQuarantine(ip)) this.#offerAgain(ip);
  }

  /** It is for the Service that had it, if for anybody, until `endRest`. */
  rest(ip: Ip, rest: Rest): void {
    this.#withheld.rest(ip, rest);
    this.#offerAgain(ip);
  }

  endRest(ip: Ip): void {
    if (this.#withheld.endRest(ip)) this.#offerAgain(ip);
  }

  /** What is not for everybody now. */
  withheld(): WithheldAddresses {
    return this.#withheld.all();
  }

  poolOf(ip: Ip): string | null {
    return this.#index.find(ip)?.name ?? null;
  }

  /** Of each pool, the next free addresses of the family: so many as `count` says of the free. */
  upcoming(family: IpFamily, count: (free: number) => number): Ip[] {
    const spaces = [...this.#spaces.values()];
    return spaces.flatMap((space) => space.upcoming(family, count(space.free(family))));
  }

  #offerAgain(ip: Ip): void {
    this.#spaceOf(ip)?.offerAgain(ip);
    this.#generation += 1;
  }

  usage(): PoolFill[] {
    return [...this.#spaces.values()].map((space) => space.usage());
  }

  /** Why the Service may not go on having what it has, or null. */
  #loss(request: ServiceRequest, current: readonly Ip[]): Refusal | null {
    const refusal = this.#refusalAtAll(request) ?? this.#refusalToKeep(request, current);
    // A request that cannot be read changes nothing.
    if (refusal !== null || "unreadable" in request.requested) return refusal;
    const pool = this.#index.find(current[0] as Ip);
    if (request.pool !== null && request.pool !== pool?.name) {
      return { reason: "other-pool", detail: text.poolChanged(request.pool) };
    }
    if (isRequestMet(request.requested, current)) return null;
    return { reason: "family-mismatch", detail: text.requestChanged(request.requested) };
  }

  #keep(request: ServiceRequest, current: readonly Ip[]): Decision {
    this.#hold(request, current);
    if ("unreadable" in request.requested) {
      const detail = request.requested.unreadable;
      const reason = "unreadable-request";
      return { kind: "pending", reason, detail, addresses: current, cleared: null };
    }
    const pool = this.#index.find(current[0] as Ip)?.name ?? "";
    const kept = {
      kind: "assigned",
      how: "kept",
      addresses: current,
      pool,
      cleared: null,
    } as const;
    // Who asks for certain addresses has them, and would lose them with another beside them.
    if (!isOneOfTwo(request, current) || request.requested.length > 0) {
      return { ...kept, lacks: null };
    }
    return this.#extend(request, { ...kept, lacks: null });
  }

  /** An address of the second family, from the pool of the first and no other. */
  #extend(request: ServiceRequest, kept: Assigned): Assigned {
    const [first] = kept.addresses;
    const missing = request.families.find((family) => first && family !== ipFamily(first)) ?? 6;
    const more = this.#spaces.get(kept.pool)?.take(missing, request) ?? null;
    if (more === null) return { ...kept, lacks: text.noSecondFamily(missing, kept.pool) };
    const addresses = [...kept.addresses, more];
    this.#hold(request, addresses);
    return { ...kept, how: "extended", addresses };
  }

  /** Why the Service can have no address whatsoever, or null. */
  #refusalAtAll(request: ServiceRequest): Refusal | null {
    if (this.#pools.length === 0) return { reason: "no-pool", detail: text.noPools() };
    if (request.familyPolicy === "RequireDualStack" && request.families.length < 2) {
      return { reason: "too-few-cluster-ips", detail: text.tooFewClusterIps() };
    }
    return null;
  }

  #refusalToKeep(request: ServiceRequest, current: readonly Ip[]): Refusal | null {
    if (!fitsFamilies(request, current) && !isOneOfTwo(request, current)) {
      return { reason: "family-mismatch", detail: text.familyMismatch(current, request.families) };
    }
    return this.#refusal(request, current);
  }

  /** Why these addresses cannot be this Service's, or null. What is reserved may be kept. */
  #refusal(request: ServiceRequest, addresses: readonly Ip[]): Refusal | null {
    const pools = new Set(addresses.map((ip) => this.#index.find(ip)));
    const [pool] = pools;
    if (pools.size !== 1 || pool === undefined || pool === null) {
      return { reason: "not-in-any-pool", detail: text.notInConfig(addresses) };
    }
    for (const ip of addresses) {
      if (this.#spaces.get(pool.name)?.holds(ip) === true) continue;
      return { reason: "not-in-any-pool", detail: text.avoided(ip, pool.name) };
    }
    if (pool.allotment?.admits(request) === false) {
      return { reason: "not-admitted", detail: text.notAdmitted(pool.name) };
    }
    for (const ip of addresses) {
      const obstacle = this.#occupants.obstacle(ip, request);
      if (obstacle !== null) return { reason: "in-use", detail: obstacle };
    }
    return null;
  }

  #allocate(request: ServiceRequest): Refusal | Chosen {
    const refusal = this.#refusalAtAll(request);
    if (refusal !== null) return refusal;
    if ("unreadable" in request.requested) {
      return { reason: "unreadable-request", detail: request.requested.unreadable };
    }
    if (request.requested.length > 0) return this.#allocateRequested(request, request.requested);
    if (request.pool !== null) return this.#allocateFrom(request, request.pool);
    return this.#allocateAutomatically(request);
  }

  #allocateRequested(request: ServiceRequest, requested: readonly Ip[]): Refusal | Chosen {
    if (!fitsFamilies(request, requested)) {
      const detail = text.familyMismatch(requested, request.families);
      return { reason: "family-mismatch", detail };
    }
    const refusal =
      this.#refusal(request, requested) ??
      this.#refusalOfReserved(requested) ??
      this.#refusalOfWithheld(request.key, requested);
    if (refusal !== null) return refusal;
    const pool = this.#index.find(requested[0] as Ip)?.name ?? "";
    if (request.pool !== null && request.pool !== pool) {
      return { reason: "other-pool", detail: text.otherPool(requested, request.pool) };
    }
    // MetalLB's order: owners are ranked by the first one, which must not depend on who wrote it.
    return { addresses: [...requested].sort(), pool };
  }

  #refusalOfReserved(addresses: readonly Ip[]): Refusal | null {
    for (const ip of addresses) {
      const use = this.#reserved.get(ip);
      if (use !== undefined) return { reason: "reserved", detail: text.reserved(ip, use) };
    }
    return null;
  }

  #refusalOfWithheld(key: string, addresses: readonly Ip[]): Refusal | null {
    for (const ip of addresses) {
      const refusal = this.#withheld.obstacle(ip, key);
      if (refusal !== null) return refusal;
    }
    return null;
  }

  #allocateFrom(request: ServiceRequest, name: string): Refusal | Chosen {
    const space = this.#spaces.get(name);
    if (space === undefined) return { reason: "unknown-pool", detail: text.unknownPool(name) };
    if (space.pool.allotment?.admits(request) === false) {
      return { reason: "not-admitted", detail: text.notAdmitted(name) };
    }
    const chosen = this.#choose(request, [space]);
    return chosen ?? { reason: "exhausted", detail: text.poolExhausted(space.usage()) };
  }

  #allocateAutomatically(request: ServiceRequest): Refusal | Chosen {
    const spaces = this.#automatic
      .filter(({ allotment }) => allotment === null || allotment.offersTo(request))
      .flatMap((pool) => this.#spaces.get(pool.name) ?? []);
    const chosen = this.#choose(request, spaces);
    if (chosen !== null) return chosen;
    return { reason: "exhausted", detail: text.exhausted(spaces.map((space) => space.usage())) };
  }

  /** Both families from one pool where there is one, before one family from any. */
  #choose(request: ServiceRequest, spaces: readonly PoolSpace[]): Chosen | null {
    const { families, familyPolicy } = request;
    const wishes: (readonly IpFamily[])[] = [families.toSorted()];
    if (familyPolicy === "PreferDualStack" && families.length > 1) {
      wishes.push(...families.map((family) => [family]));
    }
    const former = this.#withheld.restingFor(request.key);
    const back = former.length === 0 ? null : this.#chooseAmong(former, { wishes, spaces });
    if (back !== null) return back;
    for (const wish of wishes) {
      for (const space of spaces) {
        const addresses = takeAll(space, wish, request);
        if (addresses !== null) return { addresses, pool: space.pool.name };
      }
    }
    // What is kept for a Service that may never come back is better than nothing.
    const yielding = this.#withheld.yielding();
    if (yielding.length === 0) return null;
    const free = spaces.flatMap((space) => families.flatMap((family) => space.upcoming(family, 1)));
    return this.#chooseAmong([...yielding, ...free], { wishes, spaces });
  }

  /** Of these addresses, those of a pool that meet a wish; the lowest. */
  #chooseAmong(
    candidates: readonly Ip[],
    { wishes, spaces }: { wishes: readonly (readonly IpFamily[])[]; spaces: readonly PoolSpace[] },
  ): Chosen | null {
    const sorted = [...candidates].sort(compareIps);
    for (const wish of wishes) {
      for (const space of spaces) {
        const isFit = (ip: Ip): boolean => this.#spaceOf(ip) === space && this.#isFree(ip);
        const addresses = wish.flatMap(
          (family) => sorted.find((ip) => ipFamily(ip) === family && isFit(ip)) ?? [],
        );
        if (addresses.length === wish.length) return { addresses, pool: space.pool.name };
      }
    }
    return null;
  }

  #isFree(ip: Ip): boolean {
    return this.#spaceOf(ip)?.isHandedOut(ip) === true && !this.#occupants.has(ip);
  }

  /** What is held already is not freed for a moment: that would be offered again, each time. */
  #hold(request: ServiceRequest, addresses: readonly Ip[]): void {
    if (this.#occupants.isSame(request, addresses)) return;
    this.release(request.key);
    const { key, sharingKey, backend, ports } = request;
    const occupant = { key, sharingKey, backend, ports };
    this.#occupants.add(occupant, addresses);
    for (const ip of addresses) {
      this.#withheld.endRest(ip);
      this.#spaceOf(ip)?.joined(ip, occupant);
    }
  }

  #spaceOf(ip: Ip): PoolSpace | undefined {
    return this.#spaces.get(this.#index.find(ip)?.name ?? "");
  }
}

/** Pools that are for certain Services come first, by priority. */
function rank({ allotment }: AllocatablePool): number {
  if (allotment === null) return Number.POSITIVE_INFINITY;
  return allotment.priority > 0 ? allotment.priority : Number.MAX_SAFE_INTEGER;
}

/** One address of each family, or null and nothing taken. */
function takeAll(
  space: PoolSpace,
  families: readonly IpFamily[],
  request: ServiceRequest,
): readonly Ip[] | null {
  const taken: Ip[] = [];
  for (const family of families) {
    const ip = space.take(family, request);
    if (ip === null) {
      for (const other of taken) space.giveBack(other);
      return null;
    }
    taken.push(ip);
  }
  return taken;
}
