// What node n1 knows when `lbctl explain` is asked: nothing but the cluster.

import { epochOf } from "../../src/core/epoch.ts";
import { bootMs } from "../../src/core/time.ts";
import { NO_BGP_YET } from "../../src/daemon/bgp-task.ts";
import type { ClusterView } from "../../src/daemon/cluster-view.ts";
import type { ExplainSources } from "../../src/daemon/explain.ts";
import type { VipView } from "../../src/ownership/views.ts";
import { ip } from "./ipam-requests.ts";

export const NOW = bootMs(100_000);
export const VIP = ip("10.0.0.1");

/** n1 leads. */
export function explainSources(
  cluster: ClusterView,
  changes: Partial<ExplainSources> = {},
): ExplainSources {
  return {
    node: "n1",
    cluster,
    vip: () => null,
    answers: () => null,
    pending: () => null,
    isLeader: true,
    leader: "n1",
    notAllocating: null,
    muted: null,
    reserved: new Map(),
    note: () => null,
    bgp: () => NO_BGP_YET,
    now: NOW,
    ...changes,
  };
}

/** By n1. */
export const OWNED: VipView = {
  address: VIP,
  phase: { kind: "owning", epoch: epochOf(4), interfaces: ["eth0"], isRewriting: false },
  record: { address: VIP, owner: "n1", epoch: 4, resourceVersion: "1" },
  rankBy: VIP,
  serving: "everywhere",
  verdicts: [],
};
