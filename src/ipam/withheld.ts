// Free addresses that are not for everybody now: those that another host answers for, and those
// that a Service had not long ago.

import type { Ip } from "../core/address.ts";
import * as text from "./texts.ts";
import type { Refusal } from "./types.ts";

/** What a Service had, and another one does not get yet. */
export interface Rest {
  /** `namespace/name`: it may have it again. */
  readonly for: string;
  /** `reserved` gives way where there is nothing else; `cooling` does not. */
  readonly kind: "cooling" | "reserved";
}

export interface WithheldAddresses {
  /** Each with the host that has it. */
  readonly quarantined: ReadonlyMap<Ip, string>;
  readonly resting: ReadonlyMap<Ip, Rest>;
}

export class Withheld {
  readonly #quarantined = new Map<Ip, string>();
  readonly #resting = new Map<Ip, Rest>();

  /** `host`: who answers for it. */
  quarantine(ip: Ip, host: string): void {
    this.#quarantined.set(ip, host);
  }

  endQuarantine(ip: Ip): boolean {
    return this.#quarantined.delete(ip);
  }

  rest(ip: Ip, rest: Rest): void {
    this.#resting.set(ip, rest);
  }

  endRest(ip: Ip): boolean {
    return this.#resting.delete(ip);
  }

  /** Whether anybody gets it without asking for it. */
  isOffered(ip: Ip): boolean {
    return !this.#quarantined.has(ip) && !this.#resting.has(ip);
  }

  /** As of now. */
  all(): WithheldAddresses {
    return { quarantined: new Map(this.#quarantined), resting: new Map(this.#resting) };
  }

  quarantined(): Iterable<Ip> {
    return this.#quarantined.keys();
  }

  cooling(): Ip[] {
    return [...this.#resting].flatMap(([ip, { kind }]) => (kind === "cooling" ? [ip] : []));
  }

  /** What the Service had and may have again. */
  restingFor(key: string): Ip[] {
    return this.#ofRest((rest) => rest.for === key);
  }

  /** What is kept for others, and given to who would have nothing otherwise. */
  yielding(): Ip[] {
    return this.#ofRest((rest) => rest.kind === "reserved");
  }

  /** Why a Service that asks for the address cannot have it now, or null. */
  obstacle(ip: Ip, key: string): Refusal | null {
    const host = this.#quarantined.get(ip);
    if (host !== undefined) return { reason: "answered", detail: text.answered(ip, host) };
    const rest = this.#resting.get(ip);
    // Who asks for an address needs it: what is merely kept for another gives way.
    if (rest === undefined || rest.kind === "reserved" || rest.for === key) return null;
    return { reason: "cooling", detail: text.cooling(ip, rest.for) };
  }

  #ofRest(accepts: (rest: Rest) => boolean): Ip[] {
    return [...this.#resting].flatMap(([ip, rest]) =>
      accepts(rest) && !this.#quarantined.has(ip) ? [ip] : [],
    );
  }
}
