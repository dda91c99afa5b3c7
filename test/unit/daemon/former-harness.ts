// What a leader remembers of addresses that Services had, with a clock that the test moves.

import type { WallMs } from "../../../src/core/time.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { FormerAddresses } from "../../../src/daemon/former-addresses.ts";
import type { WithheldKnowledge } from "../../../src/daemon/withheld-knowledge.ts";
import type { FreedSettings } from "../../../src/ipam/freed-addresses.ts";
import type { FreedRow } from "../../../src/store/store.ts";

/** As the leader of a plan sees it that has nothing to withhold. */
export const NOTHING_WITHHELD: WithheldKnowledge = {
  quarantined: new Map(),
  resting: new Map(),
  freed: { coolDownMs: 0, reservationMs: 0 },
  whyDeaf: null,
  isKnownFree: () => true,
};

/** Neither cool-down nor reservation, as by default. */
export function nothingFormer(): FormerAddresses {
  return new TestFormer({ coolDownMs: 0, reservationMs: 0 }).former;
}

export class TestFormer {
  remembered: readonly FreedRow[] = [];
  now = 10_000_000;
  readonly #due: { readonly at: number; readonly run: () => void }[] = [];
  readonly former: FormerAddresses;

  constructor(settings: FreedSettings) {
    this.former = new FormerAddresses({
      clock: { boot: () => bootMs(this.now), wall: () => this.wall },
      settings,
      remembered: () => this.remembered,
      later: (milliseconds, run) => void this.#due.push({ at: this.now + milliseconds, run }),
    });
  }

  get wall(): WallMs {
    return wallMs(1_700_000_000_000 + this.now);
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    const due = this.#due.filter(({ at }) => at <= this.now);
    for (const one of due) this.#due.splice(this.#due.indexOf(one), 1);
    for (const { run } of due) run();
  }
}
