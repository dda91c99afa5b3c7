// Another host that runs lbd under this node's name, as its beacons show: the newer of the two owns
// nothing and writes nothing, since the records of that name are the other's.

import type { PeerNews } from "../beacon/news.ts";
import type { BootMs, Clock } from "../core/time.ts";

type NameConflict = Extract<PeerNews, { type: "name-conflict" }>;

/** It is told of once a minute for as long as it is there. */
const STAYS_MS = 90_000;

export class Namesake {
  readonly #clock: Pick<Clock, "boot">;
  #last: { readonly conflict: NameConflict; readonly at: BootMs } | null = null;

  constructor(clock: Pick<Clock, "boot">) {
    this.#clock = clock;
  }

  note(conflict: NameConflict): void {
    this.#last = { conflict, at: this.#clock.boot() };
  }

  /** Null: there is none. */
  get current(): NameConflict | null {
    if (this.#last === null || this.#clock.boot() - this.#last.at >= STAYS_MS) return null;
    return this.#last.conflict;
  }

  /** This host is the newer one: it keeps silent. */
  get isSilencing(): boolean {
    return this.current?.isNewer === true;
  }
}
