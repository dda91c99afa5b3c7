// What is left of one pool: the free addresses of each family and the shared ones with room, both
// in the order of allocation.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";
import { ipFamily, ipToBigInt } from "../core/address.ts";
import { RangeIndex } from "../core/range-index.ts";
import { FreeAddresses, isBefore, type Place } from "./free-addresses.ts";
import type { Occupant, Occupants } from "./occupants.ts";
import { groupOf } from "./occupants.ts";
import { SharedAddresses } from "./shared-addresses.ts";
import type { AllocatablePool, PoolFill } from "./types.ts";
import { countAssigned, isBuggyIp, noneAssigned, poolSizes, poolUsage } from "./usage.ts";
import type { Withheld } from "./withheld.ts";

/** What all pools have in common. */
export interface PoolSurroundings {
  readonly occupants: Occupants;
  readonly withheld: Withheld;
}

interface Row {
  readonly ranges: readonly [IpRange];
  readonly index: number;
}

/** One family of the pool. */
interface Half {
  readonly rows: RangeIndex<Row>;
  readonly free: FreeAddresses;
  readonly shared: SharedAddresses;
}

export class PoolSpace {
  readonly pool: AllocatablePool;
  readonly #occupants: Occupants;
  /** Of this pool, never handed out. */
  readonly #reserved: ReadonlySet<Ip>;
  readonly #withheld: Withheld;
  readonly #halves: Readonly<Record<IpFamily, Half>>;
  readonly #assigned = noneAssigned();
  readonly #sizes: Readonly<Record<IpFamily, bigint>>;

  constructor(pool: AllocatablePool, around: PoolSurroundings, reserved: ReadonlySet<Ip>) {
    this.pool = pool;
    this.#occupants = around.occupants;
    this.#withheld = around.withheld;
    this.#reserved = reserved;
    this.#sizes = poolSizes(pool);
    this.#halves = { 4: halfOf(pool, 4), 6: halfOf(pool, 6) };
  }

  /** False for what avoidBuggyIPs leaves out, as if no range held it. */
  holds(ip: Ip): boolean {
    return !(this.pool.avoidBuggyIps && isBuggyIp(ip));
  }

  /** The first address that the Service can have without asking for it, or null. */
  take(family: IpFamily, occupant: Occupant): Ip | null {
    const { free, shared } = this.#halves[family];
    const group = groupOf(occupant);
    const hasRoom = (ip: Ip): boolean =>
      this.isHandedOut(ip) &&
      this.#withheld.isOffered(ip) &&
      this.#occupants.takenPort(ip, occupant) === null;
    const beside = group === null ? null : shared.first(group, occupant.ports, hasRoom);
    const alone = free.take((ip) => this.#isOffered(ip));
    if (beside === null || alone === null) return (beside ?? alone)?.ip ?? null;
    if (isBefore(alone.place, beside.place)) return alone.ip;
    free.release(alone.place);
    return beside.ip;
  }

  /** How many addresses of the family nobody has, those that are withheld among them. */
  free(family: IpFamily): number {
    return Math.max(0, Number(this.#sizes[family]) - this.#assigned[family]);
  }

  /** The next `count` free addresses, which stay free. */
  upcoming(family: IpFamily, count: number): Ip[] {
    const { free } = this.#halves[family];
    const found: { readonly ip: Ip; readonly place: Place }[] = [];
    while (found.length < count) {
      const next = free.take((ip) => this.#isOffered(ip));
      if (next === null) break;
      found.push(next);
    }
    for (const { place } of found) free.release(place);
    return found.map(({ ip }) => ip);
  }

  /** False for what no Service gets, whoever asks. */
  isHandedOut(ip: Ip): boolean {
    return !this.#reserved.has(ip) && this.holds(ip);
  }

  /** Nobody has it, and anybody may. */
  #isOffered(ip: Ip): boolean {
    return this.isHandedOut(ip) && this.#withheld.isOffered(ip) && !this.#occupants.has(ip);
  }

  /** It was taken, and is not used after all. */
  giveBack(ip: Ip): void {
    const { free } = this.#halves[ipFamily(ip)];
    free.release(this.#placeOf(ip));
  }

  /** What spoke against handing it out is over. */
  offerAgain(ip: Ip): void {
    const occupant = this.#occupants.oneOn(ip);
    const group = occupant === null ? null : groupOf(occupant);
    if (group !== null) this.#halves[ipFamily(ip)].shared.changed(group);
    if (occupant === null) this.giveBack(ip);
  }

  /** The Service uses the address now, which others may do already. */
  joined(ip: Ip, occupant: Occupant): void {
    if (this.#occupants.isAlone(ip)) this.inUse(ip, occupant);
  }

  /** The address is in use, by the Service among others. */
  inUse(ip: Ip, occupant: Occupant): void {
    countAssigned(this.#assigned, ip, 1);
    const group = groupOf(occupant);
    const address = { ip, place: this.#placeOf(ip) };
    if (group !== null) this.#halves[ipFamily(ip)].shared.add(group, address);
  }

  /** The Service uses it no more; others may. */
  left(ip: Ip, occupant: Occupant): void {
    const group = groupOf(occupant);
    const { shared } = this.#halves[ipFamily(ip)];
    if (this.#occupants.has(ip)) {
      if (group !== null) shared.changed(group);
      return;
    }
    countAssigned(this.#assigned, ip, -1);
    if (group !== null) shared.remove(group, ip);
    this.giveBack(ip);
  }

  usage(): PoolFill {
    const isFree = (ip: Ip): boolean => !this.#occupants.has(ip);
    const isMine = (ip: Ip): boolean =>
      this.#contains(ip) && this.isHandedOut(ip) && !this.#occupants.has(ip);
    const quarantined = new Set([...this.#withheld.quarantined()].filter(isMine));
    const cooling = this.#withheld.cooling().filter((ip) => isMine(ip) && !quarantined.has(ip));
    const withheld = [...[...this.#reserved].filter(isFree), ...quarantined, ...cooling];
    const usage = poolUsage(this.pool, this.#assigned, { withheld, sizes: this.#sizes });
    return { ...usage, quarantined: quarantined.size, cooling: cooling.length };
  }

  #contains(ip: Ip): boolean {
    return this.#halves[ipFamily(ip)].rows.find(ip) !== null;
  }

  #placeOf(ip: Ip): Place {
    const row = this.#halves[ipFamily(ip)].rows.find(ip);
    return { range: row?.index ?? 0, value: ipToBigInt(ip) };
  }
}

function halfOf({ ranges }: AllocatablePool, family: IpFamily): Half {
  const own = ranges.filter((range) => range.family === family);
  return {
    rows: new RangeIndex(own.map((range, index): Row => ({ ranges: [range], index }))),
    free: new FreeAddresses(own),
    shared: new SharedAddresses(),
  };
}
