// The virtual API server's memory: Leases with one growing resourceVersion, compare and swap, and
// changes told to whoever watches. It never fails and takes no time: that is the links' part.

import type { Ip } from "../../../src/core/address.ts";
import type { LeaderRecord } from "../../../src/ownership/leadership.ts";
import type { MemberRecord, VipRecord } from "../../../src/ownership/types.ts";
import type { Harm } from "./harm.ts";

export type Lease =
  | { readonly kind: "member"; readonly record: MemberRecord }
  | { readonly kind: "vip"; readonly record: VipRecord }
  | { readonly kind: "leader"; readonly record: LeaderRecord };

/** `after` null: it was deleted. */
export interface Change {
  readonly before: Lease | null;
  readonly after: Lease | null;
  /** The fault that an edit by hand is, which no daemon asked for; else null. */
  readonly byHand: Harm | null;
}

/** What the API server takes for "whatever the version"; only a mutant writes so. */
const BLIND_WRITE = "*";

export class VirtualApi {
  readonly #leases = new Map<string, Lease>();
  readonly #watchers: ((change: Change) => void)[] = [];
  /** What was edited by hand and not written since. */
  readonly #edited = new Map<string, Harm>();
  #version = 1_000;
  /** Requests to write so far, by the kind of Lease. */
  readonly writes: Record<Lease["kind"], number> = { member: 0, vip: 0, leader: 0 };

  watch(watcher: (change: Change) => void): void {
    this.#watchers.push(watcher);
  }

  list(): Lease[] {
    return [...this.#leases.values()];
  }

  member(node: string): MemberRecord | null {
    const lease = this.#leases.get(`member ${node}`);
    return lease?.kind === "member" ? lease.record : null;
  }

  vip(address: Ip): VipRecord | null {
    const lease = this.#leases.get(`vip ${address}`);
    return lease?.kind === "vip" ? lease.record : null;
  }

  leader(): LeaderRecord | null {
    const lease = this.#leases.get("leader");
    return lease?.kind === "leader" ? lease.record : null;
  }

  /** Creates (`expected` null) or replaces what still is `expected`; null: a conflict. */
  write(lease: Lease, expected: string | null): Lease | null {
    this.writes[lease.kind] += 1;
    const before = this.#leases.get(keyOf(lease)) ?? null;
    const isBlind = expected === BLIND_WRITE;
    if (!isBlind && (before?.record.resourceVersion ?? null) !== expected) {
      this.#edited.get(keyOf(lease))?.hit();
      return null;
    }
    return this.#put(lease, before, null);
  }

  /** Whatever it was: an administrator with an editor. */
  edit(lease: Lease, harm: Harm): void {
    this.#put(lease, this.#leases.get(keyOf(lease)) ?? null, harm);
  }

  remove(lease: Lease, harm: Harm): void {
    const before = this.#leases.get(keyOf(lease)) ?? null;
    if (before === null) return;
    this.#leases.delete(keyOf(lease));
    this.#edited.set(keyOf(lease), harm);
    this.#version += 1;
    for (const watcher of this.#watchers) watcher({ before, after: null, byHand: harm });
  }

  #put(lease: Lease, before: Lease | null, byHand: Harm | null): Lease {
    if (byHand === null) this.#edited.delete(keyOf(lease));
    else this.#edited.set(keyOf(lease), byHand);
    this.#version += 1;
    const after = withVersion(lease, String(this.#version));
    this.#leases.set(keyOf(lease), after);
    for (const watcher of this.#watchers) watcher({ before, after, byHand });
    return after;
  }
}

function keyOf(lease: Lease): string {
  if (lease.kind === "member") return `member ${lease.record.node}`;
  return lease.kind === "vip" ? `vip ${lease.record.address}` : "leader";
}

function withVersion(lease: Lease, resourceVersion: string): Lease {
  switch (lease.kind) {
    case "member":
      return { kind: "member", record: { ...lease.record, resourceVersion } };
    case "vip":
      return { kind: "vip", record: { ...lease.record, resourceVersion } };
    case "leader":
      return { kind: "leader", record: { ...lease.record, resourceVersion } };
  }
}
