// A leader that allocates against an API that takes every write, without I/O: what Services say is
// changed by hand, and what is written and told by Event is kept for the test.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { AllocationPorts } from "../../../src/daemon/allocation-controller.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import type { WireUse } from "../../../src/ipam/address-probes.ts";
import type { FreedSettings } from "../../../src/ipam/freed-addresses.ts";
import type { AllocatablePool } from "../../../src/ipam/types.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import { success } from "../../../src/k8s-sync/outcome.ts";
import { ip } from "../../support/ipam-requests.ts";
import type { ServiceOptions } from "../../support/kubernetes-objects.ts";
import { service } from "../../support/kubernetes-objects.ts";
import { TestFormer } from "./former-harness.ts";

/** What the Services say is changed by `set`, and by what is written. */
export class AllocatingLeader {
  readonly services = new Map<string, Service>();
  /** What is known of addresses on the wire; of others `unprobed`. */
  readonly wire = new Map<Ip, WireUse>();
  unprobed: WireUse = "free";
  readonly former: TestFormer;
  readonly #events: string[] = [];
  #due: (() => void)[] = [];
  #writes = 0;
  readonly allocation: AllocationController;

  constructor(settings: { readonly freed?: FreedSettings; readonly class?: string } = {}) {
    this.former = new TestFormer(settings.freed ?? { coolDownMs: 0, reservationMs: 0 });
    this.allocation = new AllocationController(this.#ports(settings.class));
  }

  #ports(loadBalancerClass: string | undefined): AllocationPorts {
    return {
      services: () => this.services,
      patch: async (one, { ingress, annotations }) => {
        this.#writes += 1;
        const kept = Object.entries({ ...one.metadata.annotations, ...annotations });
        const next = {
          ...one,
          metadata: {
            ...one.metadata,
            resourceVersion: String(Number(one.metadata.resourceVersion) + 1),
            annotations: Object.fromEntries(kept.flatMap(([k, v]) => (v === null ? [] : [[k, v]]))),
          },
          status: { ingress },
        };
        this.services.set(objectKey(one), next);
        return success(next);
      },
      loadBalancerClass,
      events: new ServiceEvents({
        node: "n1",
        record: ({ type, reason, regarding, note }) =>
          void this.#events.push(`${type} ${reason} ${regarding.name}: ${note}`),
      }),
      isLeader: () => true,
      later: (_milliseconds, run) => void this.#due.push(run),
      wire: {
        use: (address) => this.wire.get(address) ?? this.unprobed,
        handedOut: (address) => void this.wire.delete(address),
      },
      former: this.former.former,
    };
  }

  static of(pools: readonly AllocatablePool[], ...services: readonly Service[]): AllocatingLeader {
    return new AllocatingLeader().lead(pools, services);
  }

  lead(pools: readonly AllocatablePool[], services: readonly Service[]): this {
    for (const one of services) this.services.set(objectKey(one), one);
    this.allocation.configure(pools, new Map());
    this.allocation.lead();
    return this;
  }

  /** Somebody edits the Service; its status and lbd's annotation stay. */
  set(key: string, options: ServiceOptions = {}): void {
    const before = this.services.get(key);
    const made = service(key, options);
    const pooled = before?.metadata.annotations["metallb.io/ip-allocated-from-pool"];
    const own = pooled === undefined ? {} : { "metallb.io/ip-allocated-from-pool": pooled };
    this.services.set(key, {
      ...made,
      metadata: {
        ...made.metadata,
        resourceVersion: String(Number(before?.metadata.resourceVersion ?? 0) + 1),
        annotations: { ...made.metadata.annotations, ...own },
      },
      status: before?.status ?? made.status,
    });
    this.allocation.reconcile(key);
  }

  /** Somebody writes the status. */
  edit(key: string, ips: readonly string[], ipMode?: string): void {
    const before = this.services.get(key);
    assert.ok(before !== undefined);
    const resourceVersion = String(Number(before.metadata.resourceVersion) + 1);
    const mode = ipMode === undefined ? {} : { ipMode };
    const ingress = ips.map((address) => ({ ip: address, ...mode }));
    const metadata = { ...before.metadata, resourceVersion };
    this.services.set(key, { ...before, metadata, status: { ingress } });
    this.allocation.reconcile(key);
  }

  /** The answers to a probe: a foreign host's MAC, or none. */
  probed(address: string, ...macs: readonly string[]): void {
    const use = macs.length === 0 ? "free" : { macs: macs as Mac[] };
    this.wire.set(ip(address), use);
    this.allocation.probed({ address: ip(address), use });
  }

  delete(key: string): void {
    this.services.delete(key);
    this.allocation.reconcile(key);
  }

  /** Until nothing is due any more. */
  async settle(): Promise<void> {
    for (let rounds = 0; rounds < 50; rounds++) {
      await turn();
      const due = this.#due.splice(0);
      for (const run of due) run();
      if (due.length === 0 && rounds > 2) return;
    }
    assert.fail("it does not come to rest");
  }

  addresses(key: string): string {
    return (this.services.get(key)?.status.ingress ?? []).map(({ ip }) => ip).join(" ");
  }

  /** What was told since the last call. */
  async events(): Promise<string[]> {
    await this.settle();
    return this.#events.splice(0);
  }

  /** How often a status was written since the last call. */
  writes(): number {
    const count = this.#writes;
    this.#writes = 0;
    return count;
  }
}
