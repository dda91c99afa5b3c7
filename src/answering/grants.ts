// What this host may answer for now: the addresses that were granted, on which interfaces, whom it
// stands in for, and until when it may speak on each interface. Of both families; the responders of
// ARP and NDP ask it for every frame.
//
// Not guaranteed: a reply that was handed to the kernel cannot be taken back, and no host can
// correct another's neighbour cache.

import type { Ip } from "../core/address.ts";
import { type AddressKey, addressKey } from "../core/address-key.ts";
import type { Mac } from "../core/mac.ts";
import { macToBytes } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";

export interface Grant {
  readonly address: Ip;
  /** By interface: whose MAC the answer has; null: this host's. */
  readonly macs: ReadonlyMap<string, Uint8Array | null>;
}

/** Nothing is answered from `until` on. */
export interface Tenure {
  until: BootMs;
}

/** What a request for it gets on the interface of that name and tenure. */
export function answerOf(
  { macs }: Grant,
  on: { readonly name: string; readonly tenure: Tenure },
  now: BootMs,
): "answered" | "stood-in" | "wrong-interface" | "tenure-lapsed" {
  const mac = macs.get(on.name);
  if (mac === undefined) return "wrong-interface";
  if (now >= on.tenure.until) return "tenure-lapsed";
  return mac === null ? "answered" : "stood-in";
}

export class Grants {
  /** Somebody else answers from this host: nothing is answered or announced by this. */
  isMuted = false;
  readonly #grants = new Map<AddressKey, Grant>();
  /** Beside the grants: nothing is owned by them. */
  readonly #standIns = new Map<AddressKey, Grant>();
  /** By interface: shared with who looks at its frames. */
  readonly #tenures = new Map<string, Tenure>();

  /** Allows answering for `address` on `interfaces` while the tenure lasts. */
  grant(address: Ip, interfaces: readonly string[]): void {
    const macs = new Map(interfaces.map((name) => [name, null]));
    this.#grants.set(addressKey(address), { address, macs });
  }

  /** Answers on the interface for the host with that MAC, if this one may speak; null: no more. */
  standIn(address: Ip, interfaceName: string, mac: Mac | null): void {
    const key = addressKey(address);
    const macs = new Map(this.#standIns.get(key)?.macs);
    if (mac === null) macs.delete(interfaceName);
    else macs.set(interfaceName, macToBytes(mac));
    if (macs.size === 0) this.#standIns.delete(key);
    else this.#standIns.set(key, { address, macs });
  }

  revoke(address: Ip): void {
    this.#grants.delete(addressKey(address));
  }

  /** The end of the tenure of every grant on the interface. */
  setTenure(interfaceName: string, until: BootMs): void {
    this.tenureOn(interfaceName).until = until;
  }

  /** True when `address` may be announced on the interface now. */
  maySpeak(address: Ip, interfaceName: string, now: BootMs): boolean {
    const grant = this.#grants.get(addressKey(address));
    if (this.isMuted || grant?.macs.has(interfaceName) !== true) return false;
    return this.hasTenure(interfaceName, now);
  }

  /** The MAC that a request on the interface would get now, or null: none from this host. */
  standsInWith(address: Ip, interfaceName: string, now: BootMs): Uint8Array | null {
    const mac = this.#standIns.get(addressKey(address))?.macs.get(interfaceName) ?? null;
    return !this.isMuted && this.hasTenure(interfaceName, now) ? mac : null;
  }

  /** Where the address is granted, or somebody stood in for. */
  interfacesOf(address: Ip): readonly string[] {
    const key = addressKey(address);
    const both = [this.#grants.get(key), this.#standIns.get(key)];
    return [...new Set(both.flatMap((grant) => [...(grant?.macs.keys() ?? [])]))];
  }

  all(): { address: Ip; interfaces: string[] }[] {
    return [...this.#grants.values()].map(({ address, macs }) => ({
      address,
      interfaces: [...macs.keys()],
    }));
  }

  hasTenure(interfaceName: string, now: BootMs): boolean {
    return now < this.tenureOn(interfaceName).until;
  }

  /** Of the interface, whatever becomes of it. */
  tenureOn(interfaceName: string): Tenure {
    let tenure = this.#tenures.get(interfaceName);
    if (tenure === undefined) {
      tenure = { until: Number.NEGATIVE_INFINITY as BootMs };
      this.#tenures.set(interfaceName, tenure);
    }
    return tenure;
  }

  isGranted(key: AddressKey): boolean {
    return this.#grants.has(key);
  }

  /** Of a grant, or of whom it stands in for. */
  grantOf(key: AddressKey): Grant | undefined {
    return this.#grants.get(key) ?? this.#standIns.get(key);
  }
}
