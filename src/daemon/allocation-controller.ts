// The leader's work: gives addresses to Services, writes them down in one write with the pool's
// annotation, and tells the Service's owner by Event what was decided. Level-triggered: `reconcile`
// may be called for any Service at any time and does what is missing.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import { isOlderVersion } from "../core/resource-version.ts";
import type { UseChange } from "../ipam/address-probes.ts";
import { Allocator } from "../ipam/allocator.ts";
import type { AllocatablePool, Assigned, Decision, PoolUsage } from "../ipam/types.ts";
import type { WithheldAddresses } from "../ipam/withheld.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import type { ServiceStatusChange } from "../k8s-sync/service-status.ts";
import type { WireKnowledge } from "./address-vetting.ts";
import { AddressVetting } from "./address-vetting.ts";
import { AllocationNotices } from "./allocation-notices.ts";
import type { FormerAddresses } from "./former-addresses.ts";
import type { ServiceEvents } from "./service-events.ts";
import {
  currentAddresses,
  isLeftToProxy,
  isOurs,
  POOL_ANNOTATION,
  serviceRequest,
  wantsAddress,
} from "./service-request.ts";

export interface AllocationPorts {
  readonly services: () => ReadonlyMap<string, Service>;
  readonly patch: (service: Service, change: ServiceStatusChange) => Promise<Outcome<Service>>;
  readonly events: ServiceEvents;
  /** Which Services are lbd's: see isOurs(). */
  readonly loadBalancerClass?: string | undefined;
  readonly isLeader: () => boolean;
  /** Calls back in that many milliseconds. */
  readonly later: (milliseconds: number, run: () => void) => void;
  readonly wire: WireKnowledge;
  readonly former: FormerAddresses;
}

interface Vetted {
  readonly decision: Decision;
  /** No foreign host uses the addresses, as far as that can be known. */
  readonly isVetted: boolean;
}

/** A write that failed is tried again after this; after a conflict a new version may be sooner. */
const RETRY_MS = 1_000;
/**
 * Free addresses of each pool that are probed before a Service asks for one: a fourth of them, as
 * what is known of an address may be some minutes old, and enough for a chart of Services at once.
 */
const AHEAD_OF_NEED = { least: 8, part: 1 / 4, most: 64, ofAllPools: 1_024 } as const;

export class AllocationController {
  readonly #ports: AllocationPorts;
  #allocator: Allocator | null = null;
  #pools: readonly AllocatablePool[] | null = null;
  #reserved: ReadonlyMap<Ip, string> = new Map();
  readonly #notices: AllocationNotices;
  readonly #vetting: AddressVetting;
  /** Null: it may have changed since. */
  #upcoming: readonly Ip[] | null = null;
  readonly #pending = new Map<string, string>();
  /** Services that have an address and would have one of a second family as well. */
  readonly #lacking = new Set<string>();
  /** Of the allocator, when those who wait were asked last. */
  #generation = 0;
  #isRetryDue = false;
  readonly #writing = new Set<string>();
  /** Asked for again while a write was in flight. */
  readonly #again = new Set<string>();
  /** What the API made of our writes: newer than what the watch has brought so far. */
  readonly #written = new Map<string, Service>();
  readonly #failures = new Map<string, ApiFailure>();
  #failedWrites = 0;

  constructor(ports: AllocationPorts) {
    this.#ports = ports;
    this.#notices = new AllocationNotices(ports.events);
    this.#vetting = new AddressVetting(ports.wire);
  }

  /** Why a Service has no address; null when it has one, or when this node is not the leader. */
  pendingReason(key: string): string | null {
    return this.#pending.get(key) ?? this.#vetting.reason(key);
  }

  /** The addresses that are likely to be handed out next; none while this node does not lead. */
  upcoming(): readonly Ip[] {
    const { least, part, most, ofAllPools } = AHEAD_OF_NEED;
    const share = Math.min(most, ofAllPools / Math.max(1, this.#pools?.length ?? 0));
    const count = (free: number) => Math.max(least, Math.floor(Math.min(free * part, share)));
    this.#upcoming ??= this.#allocator?.upcoming(4, count) ?? [];
    return this.#upcoming;
  }

  /** What is known of an address on the wire has changed: who waits for that goes on. */
  probed({ address, use }: UseChange): void {
    if (this.#allocator === null) return;
    this.#upcoming = null;
    if (typeof use === "object") this.#quarantine(this.#allocator, address, use.macs);
    else {
      this.#allocator.endQuarantine(address);
      this.#notices.quarantineEnded(address);
    }
    for (const key of this.#vetting.waitingFor(address)) this.reconcile(key);
    this.#retryWaiting(this.#allocator);
  }

  #quarantine(allocator: Allocator, address: Ip, macs: readonly Mac[]): void {
    allocator.quarantine(address, macs.join(" and "));
    this.#notices.quarantined(address, macs);
  }

  /** Why a decision cannot be written down now, or null. */
  failure(): ApiFailure | null {
    return this.#failures.values().next().value ?? null;
  }

  /** How many decisions could not be written down, each attempt counted. */
  get failedWrites(): number {
    return this.#failedWrites;
  }

  /** Of every pool; none when this node does not lead. */
  usage(): readonly PoolUsage[] {
    return this.#allocator?.usage() ?? [];
  }

  /** What is not for everybody now; null when this node does not lead. */
  withheld(): WithheldAddresses | null {
    return this.#allocator?.withheld() ?? null;
  }

  configure(pools: readonly AllocatablePool[], reserved: ReadonlyMap<Ip, string>): void {
    this.#pools = pools;
    this.#reserved = reserved;
    this.#upcoming = null;
    if (this.#allocator === null) return;
    this.#allocator.configure(pools, reserved);
    this.reconcileAll();
  }

  /** Starts from the record: all statuses are taken over before anything is given away. */
  lead(): void {
    if (this.#pools === null || this.#allocator !== null) return;
    this.#upcoming = null;
    const allocator = new Allocator();
    this.#allocator = allocator;
    allocator.configure(this.#pools, this.#reserved);
    this.#adoptAll([...this.#ports.services().values()]);
    this.#ports.former.lead({
      allocator,
      hasAddress: (key) => this.#hasAddress(key),
      onOffered: () => this.#retryWaiting(allocator),
    });
    this.reconcileAll();
  }

  #hasAddress(key: string): boolean {
    const service = this.#newest(key);
    return service !== undefined && currentAddresses(service).length > 0;
  }

  follow(): void {
    this.#allocator = null;
    this.#ports.former.follow();
    this.#upcoming = null;
    this.#pending.clear();
    this.#vetting.clear();
    this.#lacking.clear();
    this.#failures.clear();
    this.#notices.forgetAll();
  }

  /** What Services have is taken over first: it must not be given away. */
  reconcileAll(): void {
    const services = [...this.#ports.services().values()];
    const hasAddress = (service: Service): boolean => currentAddresses(service).length > 0;
    this.#adoptAll(services);
    for (const service of services.filter(hasAddress)) this.reconcile(objectKey(service));
    for (const service of services) {
      if (!hasAddress(service)) this.reconcile(objectKey(service));
    }
  }

  #adoptAll(services: readonly Service[]): void {
    const ours = services.filter((one) => this.#isOurs(one) && wantsAddress(one));
    this.#allocator?.adoptAll(ours.map(serviceRequest));
  }

  reconcile(key: string): void {
    const allocator = this.#allocator;
    if (allocator === null || !this.#ports.isLeader()) return;
    if (this.#writing.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#upcoming = null;
    const service = this.#newest(key);
    if (service === undefined || !this.#isOurs(service)) this.#forget(key);
    else if (wantsAddress(service)) {
      this.#notices.deprecated(service);
      this.#apply(service, this.#decide(allocator, service));
    } else {
      this.#forget(key);
      this.#clear(service);
    }
    this.#retryWaiting(allocator);
  }

  #isOurs(service: Service): boolean {
    return isOurs(service, this.#ports.loadBalancerClass);
  }

  /** It is no Service that has an address, or not any more. */
  #clear(service: Service): void {
    const hasAnything =
      currentAddresses(service).length > 0 || POOL_ANNOTATION in service.metadata.annotations;
    if (hasAnything) this.#write(service, [], null);
  }

  #newest(key: string): Service | undefined {
    const service = this.#ports.services().get(key);
    const written = this.#written.get(key);
    if (service === undefined || written === undefined) return service;
    const isBehind = isOlderVersion(
      service.metadata.resourceVersion,
      written.metadata.resourceVersion,
    );
    if (isBehind) return written;
    this.#written.delete(key);
    return service;
  }

  /** What another host turns out to answer for is passed over, for good or until that has gone. */
  #decide(allocator: Allocator, service: Service): Vetted {
    const request = serviceRequest(service);
    for (;;) {
      const decision = allocator.decide(request);
      if (decision.kind !== "assigned") {
        this.#vetting.forget(request.key);
        return { decision, isVetted: true };
      }
      const ownersOf = (ip: Ip): string[] => allocator.ownersOf(ip);
      const vetted = this.#vetting.vet(service, decision.addresses, ownersOf);
      if (typeof vetted !== "object") return { decision, isVetted: vetted === "free" };
      this.#quarantine(allocator, vetted.address, vetted.macs);
      allocator.release(request.key);
    }
  }

  #apply(service: Service, { decision, isVetted }: Vetted): void {
    const key = objectKey(service);
    this.#notices.decided(service, decision);
    const hasMoved = decision.addresses.length > 0;
    this.#ports.former.freed(key, decision.cleared?.addresses ?? [], { hasMoved });
    this.#lacking.delete(key);
    if (decision.kind === "assigned") {
      this.#pending.delete(key);
      if (decision.lacks !== null) this.#lacking.add(key);
      if (isVetted) this.#assign(service, decision);
      // What it may not have any more could be given to another one meanwhile.
      else if (decision.cleared !== null) this.#clear(service);
      return;
    }
    this.#pending.set(key, decision.detail);
    const keeps = decision.addresses.length > 0;
    if (!keeps) this.#clear(service);
  }

  #assign(service: Service, decision: Assigned): void {
    const { addresses, pool } = decision;
    if (isWritten(service, addresses, pool)) return;
    if (decision.how === "new" || currentAddresses(service).length === 0) {
      this.#notices.passedOver(service, decision, (ip) => this.#allocator?.poolOf(ip) ?? null);
    }
    this.#write(service, addresses, pool);
  }

  #forget(key: string): void {
    const isWaiting = this.#vetting.reason(key) !== null;
    this.#vetting.forget(key);
    this.#pending.delete(key);
    this.#lacking.delete(key);
    this.#failures.delete(key);
    this.#notices.forget(key);
    if (!this.#ports.services().has(key)) this.#written.delete(key);
    const had = this.#allocator?.release(key) ?? [];
    // What it only waited for, it never had.
    if (!isWaiting) this.#ports.former.freed(key, had, { hasMoved: false });
  }

  /** Something became possible, such as an address free: those who wait are asked again. */
  #retryWaiting({ generation }: Allocator): void {
    if (generation === this.#generation) return;
    this.#generation = generation;
    this.#upcoming = null;
    if (this.#isRetryDue || this.#pending.size + this.#lacking.size === 0) return;
    this.#isRetryDue = true;
    this.#ports.later(0, () => {
      this.#isRetryDue = false;
      for (const key of [...this.#pending.keys(), ...this.#lacking]) this.reconcile(key);
    });
  }

  #write(service: Service, addresses: readonly Ip[], pool: string | null): void {
    const key = objectKey(service);
    this.#writing.add(key);
    const change = {
      ingress: addresses.map((ip) => ({ ip })),
      annotations: { [POOL_ANNOTATION]: pool },
    };
    void this.#ports.patch(service, change).then((outcome) => {
      this.#writing.delete(key);
      const isAsked = this.#again.delete(key);
      this.#remember(key, outcome);
      if (outcome.ok) {
        this.#notices.written(service, addresses);
        for (const address of addresses) this.#handedOut(address);
      }
      if (isAsked) this.reconcile(key);
      // A newer version brings the Service back here by itself; anything else is tried again.
      else if (!outcome.ok && outcome.failure.kind !== "not-found") {
        this.#ports.later(RETRY_MS, () => this.reconcile(key));
      }
    });
  }

  /** What is found out about it from now on is no reason to withhold it: a Service has it. */
  #handedOut(address: Ip): void {
    this.#ports.wire.handedOut(address);
    this.#ports.former.taken(address);
    this.#allocator?.endQuarantine(address);
    this.#notices.quarantineEnded(address);
  }

  /** A conflict is no failure: somebody else wrote first, and the new version is on its way. */
  #remember(key: string, outcome: Outcome<Service>): void {
    if (outcome.ok) this.#written.set(key, outcome.value);
    const isFailure = !outcome.ok && !["conflict", "not-found"].includes(outcome.failure.kind);
    if (isFailure) this.#failedWrites += 1;
    if (!outcome.ok && isFailure && this.#allocator !== null) {
      this.#failures.set(key, outcome.failure);
    } else this.#failures.delete(key);
  }
}

function isSame(a: readonly Ip[], b: readonly Ip[]): boolean {
  return a.length === b.length && a.every((ip) => b.includes(ip));
}

/** Whether status and annotation say so already; what the API server fills in does not matter. */
function isWritten(service: Service, addresses: readonly Ip[], pool: string): boolean {
  return (
    service.status.ingress.length === addresses.length &&
    isSame(addresses, currentAddresses(service)) &&
    !isLeftToProxy(service) &&
    service.metadata.annotations[POOL_ANNOTATION] === pool
  );
}
