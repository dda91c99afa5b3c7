// What is left of one pool: the free addresses of each family and the shared ones with room, both
// in the order of allocation.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";
import { ipFamily, ipToBigInt } from "../core/address.ts";
import { RangeIndex } from "../core/range-index.ts";
import { FreeAddresses, isBefore, type Place } from "./free-addresses.ts";
import type { Occupant, Occupants } from "./occupants.ts";
import { groupOf } from "./occupants.ts";
import { SharedAddresses } from "./shared-addresses.ts";
import type { AllocatablePool, PoolUsage } from "./types.ts";
import { countAssigned, isBuggyIp, noneAssigned, poolSizes, poolUsage } from "./usage.ts";

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
  readonly #halves: Readonly<Record<IpFamily, Half>>;
  readonly #assigned = noneAssigned();
  readonly #sizes: Readonly<Record<IpFamily, bigint>>;

  constructor(pool: AllocatablePool, occupants: Occupants, reserved: ReadonlySet<Ip>) {
    this.pool = pool;
    this.#occupants = occupants;
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
      this.#isOffered(ip) && this.#occupants.takenPort(ip, occupant) === null;
    const beside = group === null ? null : shared.first(group, occupant.ports, hasRoom);
    const alone = free.take((ip) => this.#isOffered(ip) && !this.#occupants.has(ip));
    if (beside === null || alone === null) return (beside ?? alone)?.ip ?? null;
    if (isBefore(alone.place, beside.place)) return alone.ip;
    free.release(alone.place);
    return beside.ip;
  }

  #isOffered(ip: Ip): boolean {
    return !this.#reserved.has(ip) && this.holds(ip);
  }

  /** It was taken, and is not used after all. */
  giveBack(ip: Ip): void {
    const { free } = this.#halves[ipFamily(ip)];
    free.release(this.#placeOf(ip));
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

  usage(): PoolUsage {
    const withheld = [...this.#reserved].filter((ip) => !this.#occupants.has(ip));
    return poolUsage(this.pool, this.#assigned, { withheld, sizes: this.#sizes });
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
