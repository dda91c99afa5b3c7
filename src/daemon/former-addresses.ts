// What the leader remembers of addresses that Services had, and tells the allocator when it is
// due. What happened before it led, the store knows: every daemon writes down what it sees freed,
// so that whoever leads next has it, without one write to the API for it.

import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { BootMs, Clock } from "../core/time.ts";
import { after } from "../core/time.ts";
import type { Allocator } from "../ipam/allocator.ts";
import type { Freed, FreedSettings } from "../ipam/freed-addresses.ts";
import { FreedAddresses } from "../ipam/freed-addresses.ts";
import type { Rest } from "../ipam/withheld.ts";
import type { FreedRow } from "../store/store.ts";

export interface FormerOptions {
  readonly clock: Clock;
  readonly settings: FreedSettings;
  /** What the store says. */
  readonly remembered: () => readonly FreedRow[];
  readonly later: (milliseconds: number, run: () => void) => void;
}

/** Who allocates from now on. */
export interface FormerTerm {
  readonly allocator: Allocator;
  /** Whether the Service is there and has an address. */
  readonly hasAddress: (service: string) => boolean;
  /** An address is for everybody again. */
  readonly onOffered: () => void;
}

/** A timer of Node counts no further than 2^31 ms; a day is enough. */
const LOOK_AGAIN_MS_MAX = 86_400_000;

export class FormerAddresses {
  readonly #options: FormerOptions;
  readonly #freed: FreedAddresses;
  #term: FormerTerm | null = null;
  /** How often it was told who allocates: timers of before mean nothing. */
  #terms = 0;
  #dueAt: BootMs | null = null;

  constructor(options: FormerOptions) {
    this.#options = options;
    this.#freed = new FreedAddresses(options.settings);
  }

  get #isOff(): boolean {
    const { coolDownMs, reservationMs } = this.#options.settings;
    return coolDownMs === 0 && reservationMs === 0;
  }

  /** The allocator has taken over what Services have. */
  lead(term: FormerTerm): void {
    this.follow();
    this.#term = term;
    if (this.#isOff) return;
    const { allocator, hasAddress } = term;
    for (const freed of this.#remembered(hasAddress)) {
      if (allocator.ownersOf(freed.address).length === 0) this.#freed.add(freed);
    }
    this.#look();
  }

  get settings(): FreedSettings {
    return this.#options.settings;
  }

  /** What a new leader would begin with, those included that Services have. */
  resting(hasAddress: FormerTerm["hasAddress"]): ReadonlyMap<Ip, Rest> {
    if (this.#isOff) return new Map();
    const { settings, clock } = this.#options;
    const all = new FreedAddresses(settings);
    for (const freed of this.#remembered(hasAddress)) all.add(freed);
    const changes = all.take(clock.boot());
    return new Map(changes.flatMap(({ address, rest }) => (rest ? [[address, rest]] : [])));
  }

  #remembered(hasAddress: FormerTerm["hasAddress"]): Freed[] {
    const { clock, remembered } = this.#options;
    const [boot, wall] = [clock.boot(), clock.wall()];
    return remembered().flatMap(({ address, service, at }) => {
      const ip = parseIp(address);
      // The wall clock may have been set back since.
      const freedAt = after(boot, -Math.max(0, wall - at));
      if (ip === null) return [];
      return [{ address: ip, service, at: freedAt, hasMoved: hasAddress(service) }];
    });
  }

  follow(): void {
    this.#term = null;
    this.#terms += 1;
    this.#dueAt = null;
    this.#freed.clear();
  }

  /** The Service has these no more; those that others have, too, are not free. */
  freed(service: string, addresses: readonly Ip[], { hasMoved }: { hasMoved: boolean }): void {
    const allocator = this.#term?.allocator;
    if (allocator === undefined || this.#isOff) return;
    const at = this.#options.clock.boot();
    for (const address of addresses) {
      if (allocator.ownersOf(address).length > 0) continue;
      this.#freed.add({ address, service, at, hasMoved });
    }
    this.#look();
  }

  taken(address: Ip): void {
    this.#freed.taken(address);
  }

  #look(): void {
    const now = this.#options.clock.boot();
    if (this.#term === null) return;
    const { allocator, onOffered } = this.#term;
    for (const { address, rest } of this.#freed.take(now)) {
      // It has come to be another's, on request or because nothing else was left.
      if (allocator.ownersOf(address).length > 0) this.#freed.taken(address);
      else if (rest === null || rest.kind === "reserved") {
        if (rest === null) allocator.endRest(address);
        else allocator.rest(address, rest);
        onOffered();
      } else allocator.rest(address, rest);
    }
    this.#arm(now);
  }

  #arm(now: BootMs): void {
    const next = this.#freed.nextDeadline(now);
    if (!Number.isFinite(next) || (this.#dueAt !== null && this.#dueAt <= next)) return;
    this.#dueAt = next;
    const terms = this.#terms;
    this.#options.later(Math.min(LOOK_AGAIN_MS_MAX, Math.ceil(next - now)), () => {
      if (terms !== this.#terms) return;
      this.#dueAt = null;
      this.#look();
    });
  }
}
