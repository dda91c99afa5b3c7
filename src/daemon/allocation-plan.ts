// What the leader would make of all Services with other pools: the allocator is taken through the
// steps that AllocationController takes it through, with what is withheld now and what would be
// because Services give it up. Pure; nothing is written.

import type { Ip } from "../core/address.ts";
import { bootMs } from "../core/time.ts";
import { Allocator } from "../ipam/allocator.ts";
import type { FreedSettings } from "../ipam/freed-addresses.ts";
import { FreedAddresses } from "../ipam/freed-addresses.ts";
import type { AllocatablePool, Decision, ServiceRequest } from "../ipam/types.ts";
import type { WithheldAddresses } from "../ipam/withheld.ts";

export interface PoolChange {
  readonly before: readonly AllocatablePool[];
  readonly after: readonly AllocatablePool[];
  /** Never handed out. */
  readonly reserved: ReadonlyMap<Ip, string>;
  /** Not handed out now. */
  readonly withheld: WithheldAddresses;
  /** What becomes of addresses that Services give up. */
  readonly freed: FreedSettings;
}

export interface PlannedAddresses {
  readonly addresses: readonly Ip[];
  /** Why it loses what it has, or gets nothing; null: there is nothing to say. */
  readonly why: string | null;
}

/** Who waits is asked again while something becomes free; each round serves somebody or ends. */
const ROUNDS_MAX = 1_000;

/** By the key of the Service; `requests` in the order in which the leader has the Services. */
export function planAllocation(
  requests: readonly ServiceRequest[],
  { before, after, reserved, withheld, freed }: PoolChange,
): Map<string, PlannedAddresses> {
  const allocator = new Allocator();
  // It holds what Services have by the pools of before, until each is decided on: nobody gets an
  // address that another Service is about to lose before that one has lost it.
  allocator.configure(before, reserved);
  allocator.adoptAll(requests);
  allocator.configure(after, reserved);
  allocator.adoptAll(requests);
  for (const [ip, host] of withheld.quarantined) allocator.quarantine(ip, host);
  for (const [ip, rest] of withheld.resting) {
    if (allocator.ownersOf(ip).length === 0) allocator.rest(ip, rest);
  }
  const plans = new Plans(allocator, freed);
  const having = requests.filter(({ current }) => current.length > 0);
  const waiting = requests.filter(({ current }) => current.length === 0);
  for (const request of [...having, ...waiting]) plans.decide(request);
  for (let round = 0; round < ROUNDS_MAX && plans.isRoundDue(); round++) {
    for (const request of [...waiting, ...having].filter((one) => plans.isOpen(one))) {
      plans.decide(request);
    }
  }
  return plans.all;
}

class Plans {
  readonly all = new Map<string, PlannedAddresses>();
  readonly #allocator: Allocator;
  readonly #open = new Set<string>();
  /** Why it had to give up what it had: that stays the reason in later rounds. */
  readonly #lost = new Map<string, string>();
  readonly #freed: FreedAddresses;
  #generation: number;

  constructor(allocator: Allocator, freed: FreedSettings) {
    this.#allocator = allocator;
    this.#freed = new FreedAddresses(freed);
    this.#generation = allocator.generation;
  }

  /** It has no address, or lacks one of a second family. */
  isOpen({ key }: ServiceRequest): boolean {
    return this.#open.has(key);
  }

  /** Something has become possible since the last time. */
  isRoundDue(): boolean {
    const { generation } = this.#allocator;
    const isDue = generation !== this.#generation && this.#open.size > 0;
    this.#generation = generation;
    return isDue;
  }

  decide(request: ServiceRequest): void {
    const { key } = request;
    const current = this.all.get(key)?.addresses ?? request.current;
    const decision = this.#allocator.decide({ ...request, current });
    const isOpen = decision.kind === "pending" || decision.lacks !== null;
    if (isOpen) this.#open.add(key);
    else this.#open.delete(key);
    if (decision.cleared !== null) {
      this.#lost.set(key, decision.cleared.detail);
      this.#giveUp(key, decision.cleared.addresses, decision.addresses.length > 0);
    }
    const why = whyOf(decision, this.#lost.get(key) ?? null);
    this.all.set(key, { addresses: decision.addresses, why });
  }

  /** All in one moment: nothing is given up longer ago than anything else. */
  #giveUp(service: string, addresses: readonly Ip[], hasMoved: boolean): void {
    const at = bootMs(0);
    for (const address of addresses) {
      if (this.#allocator.ownersOf(address).length > 0) continue;
      this.#freed.add({ address, service, at, hasMoved });
    }
    for (const { address, rest } of this.#freed.take(at)) {
      if (rest !== null) this.#allocator.rest(address, rest);
    }
  }
}

function whyOf(decision: Decision, lost: string | null): string | null {
  const pending = decision.kind === "pending" ? decision.detail : decision.lacks;
  const reasons = [...new Set([lost, pending])].filter((reason) => reason !== null);
  return reasons.length === 0 ? null : reasons.join("; ");
}
