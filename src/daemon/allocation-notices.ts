// What Services are told by Event about their addresses: each thing once, until it is over.

import type { Ip } from "../core/address.ts";
import { compareIps, ipFamily } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { Assigned, Cleared, Decision, Pending } from "../ipam/types.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ServiceEvents } from "./service-events.ts";
import {
  currentAddresses,
  deprecatedAnnotations,
  requestedAddresses,
  requestedPool,
} from "./service-request.ts";

type Topic = "pending" | "cleared" | "lacks" | "deprecated";

export class AllocationNotices {
  readonly #events: ServiceEvents;
  readonly #told = new Map<string, Map<Topic, string>>();
  /** Quarantined addresses of which no Service was told yet. */
  readonly #untold = new Map<Ip, readonly Mac[]>();
  readonly #quarantined = new Map<Ip, string>();

  constructor(events: ServiceEvents) {
    this.#events = events;
  }

  decided(service: Service, decision: Decision): void {
    this.#cleared(service, decision.cleared);
    const isPending = decision.kind === "pending";
    const pending = isPending ? newsOf(service, decision) : null;
    if (this.#isNews(service, "pending", pending) && isPending) {
      this.#events.pending(service, decision);
    }
    const lacks = isPending ? null : decision.lacks;
    if (this.#isNews(service, "lacks", lacks)) this.#events.lacksFamily(service, lacks ?? "");
  }

  /** The status says so now; before, it said what `service` says. */
  written(service: Service, addresses: readonly Ip[]): void {
    const before = currentAddresses(service);
    const added = addresses.filter((ip) => !before.includes(ip));
    if (added.length === 0) return;
    const isMore = before.length > 0 && before.every((ip) => addresses.includes(ip));
    if (isMore) for (const ip of added) this.#events.extended(service, ip);
    else this.#events.assigned(service, addresses);
  }

  /** Another host answers for the address. */
  quarantined(address: Ip, macs: readonly Mac[]): void {
    const hosts = macs.join();
    if (this.#quarantined.get(address) === hosts) return;
    this.#quarantined.set(address, hosts);
    this.#untold.set(address, macs);
  }

  quarantineEnded(address: Ip): void {
    this.#quarantined.delete(address);
    this.#untold.delete(address);
  }

  /** The first Service that gets another address instead is told of those that came before it. */
  passedOver(
    service: Service,
    { addresses, pool }: Pick<Assigned, "addresses" | "pool">,
    poolOf: (ip: Ip) => string | null,
  ): void {
    const requested = requestedAddresses(service);
    if (this.#untold.size === 0 || "unreadable" in requested || requested.length > 0) return;
    const isBefore = (ip: Ip): boolean =>
      addresses.some((one) => ipFamily(one) === ipFamily(ip) && compareIps(ip, one) < 0);
    for (const [address, macs] of this.#untold) {
      if (poolOf(address) !== pool || !isBefore(address)) continue;
      this.#untold.delete(address);
      this.#events.inUse(service, { address, macs });
    }
  }

  deprecated(service: Service): void {
    const names = deprecatedAnnotations(service);
    const isNews = this.#isNews(service, "deprecated", names.length > 0 ? names.join() : null);
    if (isNews) for (const name of names) this.#events.deprecated(service, name);
  }

  forget(key: string): void {
    this.#told.delete(key);
  }

  forgetAll(): void {
    this.#told.clear();
    this.#untold.clear();
    this.#quarantined.clear();
  }

  /** Once: until it is written down, every attempt comes to the same. */
  #cleared(service: Service, cleared: Cleared | null): void {
    const text = cleared === null ? null : `${cleared.addresses.join()} ${cleared.detail}`;
    const isNews = this.#isNews(service, "cleared", text);
    if (isNews && cleared !== null) this.#events.cleared(service, cleared);
  }

  /** True when there is something to tell, and it was not told; null: it is over. */
  #isNews(service: Service, topic: Topic, text: string | null): boolean {
    const key = objectKey(service);
    const told = this.#told.get(key);
    if (text === null) {
      told?.delete(topic);
      if (told?.size === 0) this.#told.delete(key);
      return false;
    }
    if (told?.get(topic) === text) return false;
    this.#told.set(key, (told ?? new Map<Topic, string>()).set(topic, text));
    return true;
  }
}

/** Of full pools the counts change while nothing does for who waits. */
function newsOf(service: Service, { reason, detail }: Pending): string {
  return reason === "exhausted" ? `${reason} ${requestedPool(service)}` : `${reason} ${detail}`;
}
