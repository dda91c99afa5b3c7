// The leader tells, by an Event on its Services, of an address that no node may own: once for each
// reason, and not of what passes by itself.

import type { Ip } from "../core/address.ts";
import type { Task } from "./tasks.ts";
import { repeat } from "./tasks.ts";

export interface UnownedEventsOptions {
  /** False: not the leader, or the cluster is not fully known. */
  readonly mayTell: () => boolean;
  /** Those that may have no owner. */
  readonly addresses: () => readonly Ip[];
  /** Why no node may own it, or null. */
  readonly why: (address: Ip) => string | null;
  readonly tell: (address: Ip, reason: string) => void;
}

/** A reason is told when it is found twice. */
const LOOK_EVERY_MS = 10_000;

export class UnownedEvents implements Task {
  readonly name = "unowned-events";
  readonly #options: UnownedEventsOptions;
  readonly #found = new Map<Ip, { readonly reason: string; isTold: boolean }>();

  constructor(options: UnownedEventsOptions) {
    this.#options = options;
  }

  run(signal: AbortSignal): Promise<void> {
    return repeat(() => this.look(), LOOK_EVERY_MS, signal);
  }

  look(): void {
    const { mayTell, addresses, why } = this.#options;
    if (!mayTell()) return this.#found.clear();
    const present = new Set(addresses());
    for (const address of this.#found.keys()) {
      if (!present.has(address)) this.#found.delete(address);
    }
    for (const address of present) {
      const reason = why(address);
      if (reason === null) this.#found.delete(address);
      else this.#note(address, reason);
    }
  }

  #note(address: Ip, reason: string): void {
    const known = this.#found.get(address);
    if (known?.reason !== reason) {
      this.#found.set(address, { reason, isTold: false });
      return;
    }
    if (known.isTold) return;
    known.isTold = true;
    this.#options.tell(address, reason);
  }
}
