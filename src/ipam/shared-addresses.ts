// The addresses that a Service with a sharing key may be put on beside others, first in the order
// of allocation. What was found full once is not looked at again until something there has changed,
// so that filling a pool with Services of one key stays linear.

import type { Ip } from "../core/address.ts";
import type { Place } from "./free-addresses.ts";
import { isBefore } from "./free-addresses.ts";
import { Heap } from "./heap.ts";

export interface SharedAddress {
  readonly ip: Ip;
  readonly place: Place;
}

/** For one set of ports: how many of the addresses were looked at, and those with room. */
interface Search {
  seen: number;
  readonly open: Heap<SharedAddress>;
}

interface Group {
  readonly addresses: Map<Ip, SharedAddress>;
  /** The addresses in the order in which they came; null: one has gone since it was made. */
  log: SharedAddress[] | null;
  readonly searches: Map<string, Search>;
}

/** Of one group; more sets of ports than that are unlikely, and cost a second look only. */
const SEARCHES_MAX = 1_000;

export class SharedAddresses {
  readonly #groups = new Map<string, Group>();

  add(group: string, address: SharedAddress): void {
    const known = this.#groups.get(group) ?? makeGroup();
    this.#groups.set(group, known);
    known.addresses.set(address.ip, address);
    known.log?.push(address);
  }

  remove(group: string, ip: Ip): void {
    const known = this.#groups.get(group);
    if (known === undefined || !known.addresses.delete(ip)) return;
    if (known.addresses.size === 0) this.#groups.delete(group);
    known.log = null;
    known.searches.clear();
  }

  /** Ports have become free on addresses of the group. */
  changed(group: string): void {
    this.#groups.get(group)?.searches.clear();
  }

  /** The first address of the group on which `hasRoom` for these ports, or null. */
  first(
    group: string,
    ports: readonly string[],
    hasRoom: (ip: Ip) => boolean,
  ): SharedAddress | null {
    const known = this.#groups.get(group);
    if (known === undefined) return null;
    const search = searchFor(known, ports);
    known.log ??= [...known.addresses.values()];
    for (; search.seen < known.log.length; search.seen += 1) {
      const address = known.log[search.seen];
      if (address !== undefined && hasRoom(address.ip)) search.open.push(address);
    }
    for (let top = search.open.peek(); top !== undefined; top = search.open.peek()) {
      if (hasRoom(top.ip)) return top;
      search.open.pop();
    }
    return null;
  }
}

function makeGroup(): Group {
  return { addresses: new Map(), log: [], searches: new Map() };
}

function searchFor({ searches }: Group, ports: readonly string[]): Search {
  const name = [...ports].sort().join(" ");
  const known = searches.get(name);
  if (known !== undefined) return known;
  if (searches.size >= SEARCHES_MAX) searches.clear();
  const search: Search = { seen: 0, open: new Heap((a, b) => isBefore(a.place, b.place)) };
  searches.set(name, search);
  return search;
}
