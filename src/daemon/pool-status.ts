// IPAddressPool.status: how full each pool is. The leader writes it, at most once a second a pool,
// and only what changed; what somebody else writes there is put right.

import { isDeepStrictEqual } from "node:util";
import { isOlderVersion } from "../core/resource-version.ts";
import { after, type BootMs, bootMs, type Clock } from "../core/time.ts";
import type { PoolUsage } from "../ipam/types.ts";
import type { OwnedObject, RawObject } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import { statusOf } from "./status-object.ts";
import type { Task } from "./tasks.ts";
import { repeat } from "./tasks.ts";

export type PoolStatus = Readonly<
  Record<"assignedIPv4" | "assignedIPv6" | "availableIPv4" | "availableIPv6", number>
>;

export interface PoolStatusPorts {
  readonly clock: Clock;
  /** Null: this node does not allocate. */
  readonly usage: () => readonly PoolUsage[] | null;
  /** The IPAddressPools as they were read. */
  readonly pools: () => Iterable<RawObject>;
  readonly write: (pool: string, status: PoolStatus) => Promise<Outcome<OwnedObject>>;
  /** Once for each text. */
  readonly onFailure: (failure: ApiFailure) => void;
}

const LOOK_EVERY_MS = 1_000;
const RETRY_MS = 10_000;

export class PoolStatusTask implements Task {
  readonly name = "pool-status";
  readonly #ports: PoolStatusPorts;
  readonly #writing = new Set<string>();
  /** resourceVersion of our last write, by pool: until the watch is there, it is not judged. */
  readonly #written = new Map<string, string>();
  #retryAt: BootMs = bootMs(0);
  #lastFailure = "";

  constructor(ports: PoolStatusPorts) {
    this.#ports = ports;
  }

  run(signal: AbortSignal): Promise<void> {
    return repeat(() => this.look(), LOOK_EVERY_MS, signal);
  }

  look(): void {
    const { clock, usage, pools } = this.#ports;
    const used = usage();
    if (used === null || clock.boot() < this.#retryAt) return;
    for (const { name, status } of statusesToWrite(used, this.#current(pools()))) {
      if (!this.#writing.has(name)) void this.#write(name, status);
    }
  }

  #current(pools: Iterable<RawObject>): RawObject[] {
    return [...pools].filter(({ metadata: { name, resourceVersion } }) => {
      return !isOlderVersion(resourceVersion, this.#written.get(name) ?? "");
    });
  }

  async #write(name: string, status: PoolStatus): Promise<void> {
    this.#writing.add(name);
    const outcome = await this.#ports.write(name, status);
    this.#writing.delete(name);
    const failure = outcome.ok ? notKept(outcome.value, status) : outcome.failure;
    if (outcome.ok) this.#written.set(name, outcome.value.metadata.resourceVersion);
    if (failure === null) this.#lastFailure = "";
    else this.#failed(failure);
  }

  #failed(failure: ApiFailure): void {
    this.#retryAt = after(this.#ports.clock.boot(), RETRY_MS);
    // A pool that was deleted meanwhile needs none.
    if (failure.kind === "not-found" || failure.message === this.#lastFailure) return;
    this.#lastFailure = failure.message;
    this.#ports.onFailure(failure);
  }
}

/** Definitions of before MetalLB 0.15 know no such fields, and drop them. */
function notKept(object: OwnedObject, status: PoolStatus): ApiFailure | null {
  if (isDeepStrictEqual(statusOf(object), status)) return null;
  const message =
    `Cannot write the status of IPAddressPool "${object.metadata.name}": the API server does ` +
    "not keep its fields; kubectl apply -f deploy/crds.yaml";
  return { kind: "invalid", message };
}

/** Of pools that are objects: one of the old ConfigMap has no status. */
export function statusesToWrite(
  usage: readonly PoolUsage[],
  pools: Iterable<RawObject>,
): { readonly name: string; readonly status: PoolStatus }[] {
  const byPool = new Map(usage.map((one) => [one.pool, statusFrom(one)]));
  return [...pools].flatMap((object) => {
    const { name } = object.metadata;
    const status = byPool.get(name);
    if (status === undefined || isDeepStrictEqual(statusOf(object), status)) return [];
    return [{ name, status }];
  });
}

function statusFrom(usage: PoolUsage): PoolStatus {
  return {
    assignedIPv4: usage.assignedIpv4,
    assignedIPv6: usage.assignedIpv6,
    availableIPv4: usage.availableIpv4,
    availableIPv6: usage.availableIpv6,
  };
}
