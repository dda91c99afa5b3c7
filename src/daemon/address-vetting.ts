// Keeps addresses that were chosen for Services back until it is known that no foreign host uses
// them. What a Service has already is never asked for: it is not taken away.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { WireUse } from "../ipam/address-probes.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import { currentAddresses } from "./service-request.ts";

/** What is known of addresses on the wire. */
export interface WireKnowledge {
  /** When it is "unknown" it is being found out, and told later. */
  use(address: Ip): WireUse;
  /** A Service has it now. */
  handedOut(address: Ip): void;
}

export type Vetted = "free" | "unknown" | { readonly address: Ip; readonly macs: readonly Mac[] };

export class AddressVetting {
  readonly #wire: WireKnowledge;
  /** By Service: the addresses that it waits for. */
  readonly #waiting = new Map<string, readonly Ip[]>();
  readonly #waitingFor = new Map<Ip, Set<string>>();

  constructor(wire: WireKnowledge) {
    this.#wire = wire;
  }

  /** `ownersOf`: the Services for which an address was chosen. */
  vet(service: Service, addresses: readonly Ip[], ownersOf: (ip: Ip) => string[]): Vetted {
    const key = objectKey(service);
    this.forget(key);
    const current = currentAddresses(service);
    const unknown: Ip[] = [];
    for (const address of addresses) {
      if (current.includes(address) || this.#isHeld(address, key, ownersOf)) continue;
      const use = this.#wire.use(address);
      if (typeof use === "object") return { address, macs: use.macs };
      if (use === "unknown") unknown.push(address);
    }
    if (unknown.length === 0) return "free";
    this.#waiting.set(key, unknown);
    for (const address of unknown) {
      const keys = this.#waitingFor.get(address) ?? new Set();
      this.#waitingFor.set(address, keys.add(key));
    }
    return "unknown";
  }

  /** The Services that wait for what is known of the address. */
  waitingFor(address: Ip): string[] {
    return [...(this.#waitingFor.get(address) ?? [])];
  }

  /** What the Service waits for, in words, or null. */
  reason(key: string): string | null {
    const addresses = this.#waiting.get(key);
    if (addresses === undefined) return null;
    return `it gets ${addresses.join(" and ")} unless somebody on the network answers for it`;
  }

  forget(key: string): void {
    for (const address of this.#waiting.get(key) ?? []) {
      const keys = this.#waitingFor.get(address);
      keys?.delete(key);
      if (keys?.size === 0) this.#waitingFor.delete(address);
    }
    this.#waiting.delete(key);
  }

  clear(): void {
    this.#waiting.clear();
    this.#waitingFor.clear();
  }

  /** Another Service shares it that does not wait: the cluster answers for it itself. */
  #isHeld(address: Ip, key: string, ownersOf: (ip: Ip) => string[]): boolean {
    return ownersOf(address).some((owner) => owner !== key && !this.#waiting.has(owner));
  }
}
