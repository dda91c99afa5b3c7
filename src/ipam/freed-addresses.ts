// The addresses that Services had: for a while another one does not get them (cool-down), and for
// longer they are kept for the Service, should it come back (reservation). Pure: `now` is an
// argument.

import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Rest } from "./withheld.ts";

export interface FreedSettings {
  /** Nobody else gets it before that many milliseconds; 0: at once. */
  readonly coolDownMs: number;
  /** It is kept for that many milliseconds for who had it; 0: not at all. */
  readonly reservationMs: number;
}

export interface Freed {
  readonly address: Ip;
  /** `namespace/name` of the Service that had it. */
  readonly service: string;
  readonly at: BootMs;
  /** The Service is there, and has another address: nothing is kept for it. */
  readonly hasMoved: boolean;
}

export interface FreedChange {
  readonly address: Ip;
  /** Null: it is for everybody again. */
  readonly rest: Rest | null;
}

export class FreedAddresses {
  readonly #settings: FreedSettings;
  readonly #freed = new Map<Ip, Freed>();
  /** As told last. */
  readonly #told = new Map<Ip, Rest["kind"]>();

  constructor(settings: FreedSettings) {
    this.#settings = settings;
  }

  /** The Service has the address no more. */
  add(freed: Freed): void {
    this.#freed.set(freed.address, freed);
    this.#told.delete(freed.address);
  }

  /** A Service has the address. */
  taken(address: Ip): void {
    this.#freed.delete(address);
    this.#told.delete(address);
  }

  clear(): void {
    this.#freed.clear();
    this.#told.clear();
  }

  /** What has changed since the last call. */
  take(now: BootMs): FreedChange[] {
    const changes: FreedChange[] = [];
    for (const freed of this.#freed.values()) {
      const { address, service } = freed;
      const kind = this.#kindOf(freed, now);
      if (kind === null) {
        this.#freed.delete(address);
        if (this.#told.delete(address)) changes.push({ address, rest: null });
      } else if (this.#told.get(address) !== kind) {
        this.#told.set(address, kind);
        changes.push({ address, rest: { for: service, kind } });
      }
    }
    return changes;
  }

  /** When `take` has something to tell next. */
  nextDeadline(now: BootMs): BootMs {
    let next = NEVER;
    for (const freed of this.#freed.values()) {
      const ends = this.#endsOf(freed).filter((end) => end > now);
      next = earliest(next, ...ends);
    }
    return next;
  }

  #kindOf(freed: Freed, now: BootMs): Rest["kind"] | null {
    const [coolUntil, keptUntil] = this.#endsOf(freed);
    if (now < coolUntil) return "cooling";
    return now < keptUntil ? "reserved" : null;
  }

  #endsOf({ at, hasMoved }: Freed): [coolUntil: BootMs, keptUntil: BootMs] {
    const { coolDownMs, reservationMs } = this.#settings;
    return [after(at, coolDownMs), after(at, hasMoved ? 0 : reservationMs)];
  }
}
