// Hands every Lease that the reflector delivers to whom it concerns.

import type { Ip } from "../core/address.ts";
import type { Lease } from "../k8s-sync/model.ts";
import type { ReflectorSink } from "../k8s-sync/reflector.ts";
import type { LeaderRecord } from "../ownership/leadership.ts";
import type { OwnershipEvent, VipRecord } from "../ownership/types.ts";
import { LEADER_LEASE, recordOf, vipLeaseName } from "./records.ts";

export interface LeaseRouterPorts {
  readonly leader: (record: LeaderRecord | null) => void;
  readonly ownership: (event: OwnershipEvent) => void;
  readonly journal: { vipRecord(record: VipRecord): void; vipRecordGone(address: Ip): void };
  /** The VIP records known so far. */
  readonly known: () => readonly VipRecord[];
}

export class LeaseRouter implements ReflectorSink<Lease> {
  readonly #ports: LeaseRouterPorts;

  constructor(ports: LeaseRouterPorts) {
    this.#ports = ports;
  }

  /** What is known and not in the list was deleted while the watch was down. */
  replace(leases: readonly Lease[]): void {
    for (const lease of leases) this.upsert(lease);
    const names = new Set(leases.map((lease) => lease.metadata.name));
    if (!names.has(LEADER_LEASE)) this.#ports.leader(null);
    for (const { address } of this.#ports.known()) {
      if (!names.has(vipLeaseName(address))) this.#vipGone({ address });
    }
  }

  upsert(lease: Lease): void {
    const entry = recordOf(lease);
    if (entry.kind === "leader") this.#ports.leader(entry.record);
    else if (entry.kind === "member") {
      this.#ports.ownership({ type: "member", record: entry.record });
    } else if (entry.kind === "vip") {
      this.#ports.journal.vipRecord(entry.record);
      this.#ports.ownership({ type: "vip-record", record: entry.record });
    }
  }

  remove(lease: Lease): void {
    const entry = recordOf(lease);
    if (entry.kind === "leader") this.#ports.leader(null);
    else if (entry.kind === "member") {
      this.#ports.ownership({ type: "member-gone", node: entry.record.node });
    } else if (entry.kind === "vip") this.#vipGone(entry.record);
  }

  #vipGone(gone: { readonly address: Ip; readonly resourceVersion?: string }): void {
    const { address, resourceVersion } = gone;
    this.#ports.journal.vipRecordGone(address);
    const version = resourceVersion === undefined ? {} : { resourceVersion };
    this.#ports.ownership({ type: "vip-record-gone", address, ...version });
  }
}
