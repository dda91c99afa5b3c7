// The leader's work: gives addresses to Services, writes them down in one write with the pool's
// annotation, and tells the Service's owner by Event what was decided. Level-triggered: `reconcile`
// may be called for any Service at any time and does what is missing.

import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Ip } from "../core/address.ts";
import { isOlderVersion } from "../core/resource-version.ts";
import { Allocator } from "../ipam/allocator.ts";
import type { Cleared, Decision } from "../ipam/types.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import type { ServiceStatusChange } from "../k8s-sync/service-status.ts";
import type { ServiceEvents } from "./service-events.ts";
import {
  currentAddresses,
  isOurs,
  POOL_ANNOTATION,
  serviceRequest,
  wantsAddress,
} from "./service-request.ts";

export interface AllocationPorts {
  readonly services: () => ReadonlyMap<string, Service>;
  readonly patch: (service: Service, change: ServiceStatusChange) => Promise<Outcome<Service>>;
  readonly events: ServiceEvents;
  readonly isLeader: () => boolean;
  /** Calls back in that many milliseconds. */
  readonly later: (milliseconds: number, run: () => void) => void;
}

/** A write that failed is tried again after this; after a conflict a new version may be sooner. */
const RETRY_MS = 1_000;

export class AllocationController {
  readonly #ports: AllocationPorts;
  #allocator: Allocator | null = null;
  #config: ClusterConfig | null = null;
  #reserved: ReadonlyMap<Ip, string> = new Map();
  readonly #pending = new Map<string, string>();
  readonly #writing = new Set<string>();
  /** Asked for again while a write was in flight. */
  readonly #again = new Set<string>();
  /** What the API made of our writes: newer than what the watch has brought so far. */
  readonly #written = new Map<string, Service>();
  readonly #failures = new Map<string, ApiFailure>();
  /** What was told of addresses that were given up, until that is over. */
  readonly #clearedTold = new Map<string, string>();

  constructor(ports: AllocationPorts) {
    this.#ports = ports;
  }

  /** Why a Service has no address; null when it has one, or when this node is not the leader. */
  pendingReason(key: string): string | null {
    return this.#pending.get(key) ?? null;
  }

  /** Why a decision cannot be written down now, or null. */
  failure(): ApiFailure | null {
    return this.#failures.values().next().value ?? null;
  }

  configure(config: ClusterConfig, reserved: ReadonlyMap<Ip, string>): void {
    this.#config = config;
    this.#reserved = reserved;
    if (this.#allocator === null) return;
    this.#allocator.configure(config.pools, reserved);
    this.reconcileAll();
  }

  /** Starts from the record: all statuses are taken over before anything is given away. */
  lead(): void {
    if (this.#config === null || this.#allocator !== null) return;
    this.#allocator = new Allocator();
    this.#allocator.configure(this.#config.pools, this.#reserved);
    this.reconcileAll();
  }

  follow(): void {
    this.#allocator = null;
    this.#pending.clear();
    this.#failures.clear();
    this.#clearedTold.clear();
  }

  /** What Services have is taken over first: it must not be given away. */
  reconcileAll(): void {
    const services = [...this.#ports.services().values()];
    const hasAddress = (service: Service): boolean => currentAddresses(service).length > 0;
    for (const service of services) {
      if (isOurs(service) && wantsAddress(service)) this.#allocator?.adopt(serviceRequest(service));
    }
    for (const service of services.filter(hasAddress)) this.reconcile(objectKey(service));
    for (const service of services) {
      if (!hasAddress(service)) this.reconcile(objectKey(service));
    }
  }

  reconcile(key: string): void {
    const allocator = this.#allocator;
    if (allocator === null || !this.#ports.isLeader()) return;
    if (this.#writing.has(key)) {
      this.#again.add(key);
      return;
    }
    const service = this.#newest(key);
    if (service === undefined || !isOurs(service)) return this.#forget(key);
    if (!wantsAddress(service)) {
      this.#forget(key);
      const hasAnything =
        currentAddresses(service).length > 0 || POOL_ANNOTATION in service.metadata.annotations;
      if (hasAnything) this.#write(service, [], null);
      return;
    }
    this.#apply(service, allocator.decide(serviceRequest(service)));
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

  #apply(service: Service, decision: Decision): void {
    const key = objectKey(service);
    this.#tellCleared(service, decision.cleared);
    if (decision.kind === "assigned") {
      this.#pending.delete(key);
      const { addresses, pool } = decision;
      if (!isWritten(service, addresses, pool)) this.#write(service, addresses, pool);
      if (decision.cleared !== null) this.#retryPending(key);
      return;
    }
    const isNews = this.#pending.get(key) !== decision.detail;
    this.#pending.set(key, decision.detail);
    if (isNews) this.#ports.events.pending(service, decision);
    const keeps = decision.addresses.length > 0;
    if (!keeps && currentAddresses(service).length > 0) this.#write(service, [], null);
    if (decision.cleared !== null) this.#retryPending(key);
  }

  /** Once: until it is written down, every attempt comes to the same. */
  #tellCleared(service: Service, cleared: Cleared | null): void {
    const key = objectKey(service);
    if (cleared === null) return void this.#clearedTold.delete(key);
    const text = `${cleared.addresses.join(",")} ${cleared.detail}`;
    if (this.#clearedTold.get(key) === text) return;
    this.#clearedTold.set(key, text);
    this.#ports.events.cleared(service, cleared);
  }

  #forget(key: string): void {
    this.#pending.delete(key);
    this.#failures.delete(key);
    this.#clearedTold.delete(key);
    if (!this.#ports.services().has(key)) this.#written.delete(key);
    if (this.#allocator?.release(key) === true) this.#retryPending(key);
  }

  /** An address became free: somebody may be waiting for it. */
  #retryPending(except: string): void {
    for (const key of [...this.#pending.keys()]) {
      if (key !== except) this.#ports.later(0, () => this.reconcile(key));
    }
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
      const isNews = addresses.length > 0 && !isSame(addresses, currentAddresses(service));
      if (outcome.ok && isNews) this.#ports.events.assigned(service, addresses);
      if (isAsked) this.reconcile(key);
      // A newer version brings the Service back here by itself; anything else is tried again.
      else if (!outcome.ok && outcome.failure.kind !== "not-found") {
        this.#ports.later(RETRY_MS, () => this.reconcile(key));
      }
    });
  }

  /** A conflict is no failure: somebody else wrote first, and the new version is on its way. */
  #remember(key: string, outcome: Outcome<Service>): void {
    if (outcome.ok) this.#written.set(key, outcome.value);
    const isFailure = !outcome.ok && !["conflict", "not-found"].includes(outcome.failure.kind);
    if (!outcome.ok && isFailure && this.#allocator !== null) {
      this.#failures.set(key, outcome.failure);
    } else this.#failures.delete(key);
  }
}

function isSame(a: readonly Ip[], b: readonly Ip[]): boolean {
  return a.length === b.length && a.every((ip) => b.includes(ip));
}

/** Whether status and annotation say so already; ipMode and the like do not matter. */
function isWritten(service: Service, addresses: readonly Ip[], pool: string): boolean {
  return (
    service.status.ingress.length === addresses.length &&
    isSame(addresses, currentAddresses(service)) &&
    service.metadata.annotations[POOL_ANNOTATION] === pool
  );
}
