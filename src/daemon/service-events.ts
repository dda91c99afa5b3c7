// Events on Services, in the reasons and shapes that users of MetalLB know.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import { quoteList } from "../ipam/texts.ts";
import type { Cleared, Pending, PendingReason } from "../ipam/types.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";

interface Shape {
  readonly reason: string;
  readonly lead: (key: string) => string;
}

const FAILED: Shape = {
  reason: "AllocationFailed",
  lead: (key) => `Failed to allocate IP for "${key}"`,
};
/** Those that have a reason of their own; with spaces where MetalLB's has them. */
const PENDING: Partial<Record<PendingReason, Shape>> = {
  "unreadable-request": {
    reason: "LoadBalancerFailed",
    lead: () => "Invalid requested loadbalancer IPs",
  },
  "too-few-cluster-ips": { ...FAILED, reason: "not enough clusterips" },
};

export class ServiceEvents {
  readonly #record: (event: EventInput) => void;
  readonly #node: string;

  constructor(options: { node: string; record: (event: EventInput) => void }) {
    this.#node = options.node;
    this.#record = options.record;
  }

  assigned(service: Service, addresses: readonly Ip[]): void {
    const note = `Assigned IP ${quoteList(addresses)}`;
    this.#about(service, { type: "Normal", reason: "IPAllocated", action: "Allocate", note });
  }

  /** An address of the second family, beside the one that it had. */
  extended(service: Service, address: Ip): void {
    const note = `Assigned additional IP "${address}"`;
    this.#about(service, { type: "Normal", reason: "IPAllocated", action: "Allocate", note });
  }

  pending(service: Service, decision: Pending): void {
    const { reason, lead } = PENDING[decision.reason] ?? FAILED;
    const note = `${lead(objectKey(service))}: ${decision.detail}`;
    this.#about(service, { type: "Warning", reason, action: "Allocate", note });
  }

  /** It would have a second family, and there is none for it. */
  lacksFamily(service: Service, detail: string): void {
    const note = `Failed to assign additional IP for "${objectKey(service)}": ${detail}`;
    const reason = "AdditionalAssignFailed";
    this.#about(service, { type: "Normal", reason, action: "Allocate", note });
  }

  deprecated(service: Service, annotation: string): void {
    const note =
      `the annotation "${annotation}" has a prefix that is deprecated: ` +
      "write metallb.io/ instead of metallb.universe.tf/";
    const reason = "deprecatedAnnotation";
    this.#about(service, { type: "Warning", reason, action: "Allocate", note });
  }

  cleared(service: Service, { addresses, detail }: Cleared): void {
    const note = `Current IP ${quoteList(addresses)} is given up, trying anew: ${detail}`;
    this.#about(service, { type: "Normal", reason: "ClearAssignment", action: "Allocate", note });
  }

  /** It would have got the address, were it not for another host. */
  inUse(service: Service, { address, macs }: { address: Ip; macs: readonly Mac[] }): void {
    const what = `host ${macs.join(" and ")}, which is no node of the cluster, answers for it`;
    const note = `"${address}" is passed over: ${what}; find that host and change it`;
    this.#about(service, { type: "Warning", reason: "addressInUse", action: "Allocate", note });
  }

  announcing(service: Service): void {
    const note = `announcing from node "${this.#node}" with protocol "layer2"`;
    this.#about(service, { type: "Normal", reason: "nodeAssigned", action: "Announce", note });
  }

  announcingByBgp(service: Service): void {
    const note = `announcing from node "${this.#node}" with protocol "bgp"`;
    this.#about(service, { type: "Normal", reason: "nodeAssigned", action: "Announce", note });
  }

  /** One route cannot have two local preferences. */
  conflictingAdvertisements(service: Service, why: string): void {
    const note = `not announced by BGP from node "${this.#node}": ${why}`;
    const reason = "conflictingAdvertisements";
    this.#about(service, { type: "Warning", reason, action: "Announce", note });
  }

  /** An interface that an L2Advertisement names is not there, or has no carrier. */
  announceFailed(service: Service, interfaces: readonly string[]): void {
    const names = interfaces.map((name) => `"${name}"`).join(", ");
    const note =
      `selected interfaces ${names} do not exist on node "${this.#node}" ` +
      "with protocol layer2: see spec.interfaces of its L2Advertisements";
    this.#about(service, { type: "Warning", reason: "announceFailed", action: "Announce", note });
  }

  /** No node may own it, for the reasons that are given. */
  nobodyMayAnswer(service: Service, address: Ip, why: string): void {
    const note = `nobody answers for ${address}: ${why}`;
    this.#about(service, { type: "Warning", reason: "announceFailed", action: "Announce", note });
  }

  /** `isPeer`: the host is a node with lbd. */
  conflict(
    service: Service,
    { address, mac, isPeer }: { address: Ip; mac: Mac; isPeer: boolean },
  ): void {
    const what = isPeer
      ? "it is another node's, and the higher epoch stays: were the nodes cut off from each other?"
      : "an address must be used by one host only; find that host and change it";
    const note = `host ${mac} also answers for ${address}, seen by node "${this.#node}": ${what}`;
    this.#about(service, { type: "Warning", reason: "addressConflict", action: "Announce", note });
  }

  /** Another node asked on the wire: it is not, or not only, the owner that answers. */
  unanswered(
    service: Service,
    {
      address,
      owner,
      macs,
      isDeaf,
    }: { address: Ip; owner: string; macs: readonly Mac[]; isDeaf: boolean },
  ): void {
    const who = macs.length === 0 ? "nobody answers" : `${macs.join(" and ")} answer`;
    const next = isDeaf
      ? `"${owner}" answers when it is asked alone, so it lets no frames to groups in: name the ` +
        "interface in promiscuousInterfaces of its node file"
      : `look at the port of "${owner}" and at the switch's filters`;
    const note =
      `node "${owner}" owns ${address}, but on the wire ${who} for it, as node "${this.#node}" ` +
      `finds: ${next}`;
    this.#about(service, { type: "Warning", reason: "wireMismatch", action: "Announce", note });
  }

  #about(service: Service, event: Omit<EventInput, "regarding">): void {
    const { namespace, name, uid } = service.metadata;
    const regarding = { kind: "Service", apiVersion: "v1", namespace, name, uid };
    this.#record({ regarding, ...event });
  }
}
