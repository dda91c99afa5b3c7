// What the socket API tells of the external addresses. Pure.

import type { VipView } from "../api/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { OwnershipDriver } from "./ownership-driver.ts";
import type { Responder } from "./responder.ts";
import { followedIn, routedBy } from "./routed-by.ts";

export function vipViews(
  cluster: ClusterView,
  ownership: Pick<OwnershipDriver, "machine">,
  responder: Pick<Responder, "answersFor">,
): VipView[] {
  const advertisements = followedIn(cluster);
  return cluster.addresses().map((address) => {
    const view = ownership.machine.views.state(address);
    const phase = view?.phase;
    return {
      address,
      pool: cluster.poolOf(address)?.name ?? "",
      services: cluster.servicesOf(address),
      owner: view?.record?.owner ?? null,
      epoch: view?.record?.epoch ?? 0,
      here: phase?.kind ?? "idle",
      interfaces: phase?.kind === "owning" ? phase.interfaces : [],
      answered: phase?.kind === "owning" ? (responder.answersFor(address)?.answered ?? 0) : null,
      bgp: routedBy(address, cluster, advertisements),
    };
  });
}
