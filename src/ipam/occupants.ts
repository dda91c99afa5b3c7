// Which Services use which addresses, and whether one more may: MetalLB's rules of sharing.

import type { Ip } from "../core/address.ts";
import * as text from "./texts.ts";

/** A Service as those see it that would share an address with it. */
export interface Occupant {
  /** `namespace/name`. */
  readonly key: string;
  /** Of the annotation; "": it shares with nobody. */
  readonly sharingKey: string;
  /**
   * What must be equal because packets of an address go to one node only: the selector of a Service
   * with `externalTrafficPolicy: Local`, as a text; "" for one whose packets are forwarded.
   */
  readonly backend: string;
  /** As `TCP/80`. */
  readonly ports: readonly string[];
}

export interface Held {
  readonly occupant: Occupant;
  readonly addresses: readonly Ip[];
}

interface Room {
  readonly occupants: Map<string, Occupant>;
  /** The Service that uses the port, by port. */
  readonly ports: Map<string, string>;
}

export class Occupants {
  readonly #rooms = new Map<Ip, Room>();
  readonly #held = new Map<string, Held>();

  has(ip: Ip): boolean {
    return this.#rooms.has(ip);
  }

  /** The Services that use the address, sorted. */
  of(ip: Ip): string[] {
    return [...(this.#rooms.get(ip)?.occupants.keys() ?? [])].sort();
  }

  addressesOf(key: string): readonly Ip[] {
    return this.#held.get(key)?.addresses ?? [];
  }

  /**
   * Why the Service may not use the address, or null. Alone on an address it may change its key as
   * it likes.
   */
  obstacle(ip: Ip, occupant: Occupant): string | null {
    const room = this.#rooms.get(ip);
    if (room === undefined) return null;
    const other = anotherThan(occupant.key, room);
    if (other === null) return null;
    const rule = brokenRule(occupant, other);
    if (rule !== null) {
      const others = this.of(ip).filter((key) => key !== occupant.key);
      return text.notShared({ ip, key: occupant.key, others, rule });
    }
    const taken = this.takenPort(ip, occupant);
    return taken === null ? null : text.portInUse(taken, ip);
  }

  /** A port that the Service wants and another one has on that address, or null. */
  takenPort(ip: Ip, { key, ports }: Pick<Occupant, "key" | "ports">): string | null {
    const room = this.#rooms.get(ip);
    const isTaken = (port: string): boolean => (room?.ports.get(port) ?? key) !== key;
    return ports.find(isTaken) ?? null;
  }

  /** True when just one Service uses it. */
  isAlone(ip: Ip): boolean {
    return this.#rooms.get(ip)?.occupants.size === 1;
  }

  /** One of the Services that use it, or null. */
  oneOn(ip: Ip): Occupant | null {
    return this.#rooms.get(ip)?.occupants.values().next().value ?? null;
  }

  /** All addresses in use, each once, with one of the Services that use it. */
  *all(): Iterable<readonly [Ip, Occupant]> {
    for (const [ip, { occupants }] of this.#rooms) {
      const occupant = occupants.values().next().value;
      if (occupant !== undefined) yield [ip, occupant];
    }
  }

  /** True when the Service is there already with just these properties. */
  isSame(occupant: Occupant, addresses: readonly Ip[]): boolean {
    const held = this.#held.get(occupant.key);
    if (held === undefined || held.addresses.length !== addresses.length) return false;
    return isEqual(held.occupant, occupant) && addresses.every((ip, i) => held.addresses[i] === ip);
  }

  /** There must be no obstacle, and the Service must have nothing yet. */
  add(occupant: Occupant, addresses: readonly Ip[]): void {
    this.#held.set(occupant.key, { occupant, addresses });
    for (const ip of addresses) {
      const room = this.#rooms.get(ip) ?? { occupants: new Map(), ports: new Map() };
      room.occupants.set(occupant.key, occupant);
      for (const port of occupant.ports) room.ports.set(port, occupant.key);
      this.#rooms.set(ip, room);
    }
  }

  /** Takes the Service out of all its addresses, and says what it had; null: nothing. */
  remove(key: string): Held | null {
    const held = this.#held.get(key);
    if (held === undefined) return null;
    this.#held.delete(key);
    for (const ip of held.addresses) {
      const room = this.#rooms.get(ip);
      for (const port of held.occupant.ports) room?.ports.delete(port);
      room?.occupants.delete(key);
      if (room?.occupants.size === 0) this.#rooms.delete(ip);
    }
    return held;
  }
}

/** The group that the Service may join; null: it shares with nobody. */
export function groupOf({ sharingKey, backend }: Occupant): string | null {
  return sharingKey === "" ? null : JSON.stringify([sharingKey, backend]);
}

/** All on an address have the same key and backend, so that one stands for the others. */
function anotherThan(key: string, { occupants }: Room): Occupant | null {
  for (const occupant of occupants.values()) if (occupant.key !== key) return occupant;
  return null;
}

function brokenRule(one: Occupant, other: Occupant): text.SharingRule | null {
  if (one.sharingKey === "" || other.sharingKey === "") return "no-key";
  if (one.sharingKey !== other.sharingKey) return "other-key";
  return one.backend === other.backend ? null : "other-backend";
}

function isEqual(a: Occupant, b: Occupant): boolean {
  const isAlike = a.sharingKey === b.sharingKey && a.backend === b.backend;
  return isAlike && a.ports.length === b.ports.length && a.ports.every((p, i) => p === b.ports[i]);
}
