// What follows from a change of the cluster, or of this host's interfaces: who has to be told what.

import type { OwnershipEvent } from "../ownership/types.ts";
import { needsNamespaces } from "./allocatable-pools.ts";
import type { AllocationController } from "./allocation-controller.ts";
import type { Bgp } from "./bgp.ts";
import type { ClusterChange, ClusterView } from "./cluster-view.ts";
import type { Drain } from "./drain.ts";
import { EarlyVips, rangesOf } from "./early-vips.ts";
import type { HostInterfaces } from "./host-interfaces.ts";
import type { Journal } from "./journal.ts";
import type { LeaderWork } from "./leader-work.ts";
import type { Logger } from "./logger.ts";
import type { MissingInterfaces } from "./missing-interfaces.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Rivals } from "./rivals.ts";
import type { Snapshots } from "./snapshots.ts";
import type { StatusObjects } from "./status-objects.ts";

export interface ReactionParts {
  readonly node: string;
  readonly log: Logger;
  readonly cluster: ClusterView;
  readonly snapshots: Snapshots;
  readonly drain: Drain;
  readonly allocation: AllocationController;
  readonly leaderWork: LeaderWork;
  readonly rivals: Pick<Rivals, "nodesChanged">;
  readonly host: HostInterfaces;
  readonly missing: MissingInterfaces;
  readonly statuses: Pick<StatusObjects, "kick">;
  readonly bgp: Pick<Bgp, "kick">;
  readonly journal: Pick<Journal, "servicesChanged">;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  readonly tellResponder: (message: ToResponder) => void;
}

export class Reactions {
  readonly #parts: ReactionParts;
  readonly early: EarlyVips;

  constructor(parts: ReactionParts) {
    this.#parts = parts;
    this.early = new EarlyVips(parts);
  }

  onCluster(change: ClusterChange): void {
    const { node, cluster, snapshots, drain, allocation, leaderWork, journal } = this.#parts;
    this.#tellVips();
    journal.servicesChanged(change.services);
    snapshots.save(change);
    if (change.config) this.#onConfig();
    drain.setCordoned(cluster.nodes.get(node)?.unschedulable === true);
    if (change.nodes) this.#parts.rivals.nodesChanged();
    if (change.config || change.nodes) leaderWork.configure();
    else for (const key of change.services) allocation.reconcile(key);
    this.#checkInterfaces();
    this.#parts.statuses.kick();
    this.#parts.bgp.kick({ config: change.config });
  }

  onInterfaces(): void {
    if (this.#parts.cluster.isSynced) this.#parts.leaderWork.configure();
    this.#checkInterfaces();
  }

  onNamespaces(): void {
    const { cluster, leaderWork } = this.#parts;
    if (cluster.isSynced && needsNamespaces(cluster.config.pools)) leaderWork.configure();
  }

  #tellVips(): void {
    const { changed, freed: free } = this.#parts.cluster.takeVips();
    const freed = [...free, ...this.early.takeGone()];
    if (changed.length + freed.length === 0) return;
    this.#parts.tellOwnership({ type: "vips", changed, freed });
  }

  #onConfig(): void {
    const { cluster, log, tellResponder } = this.#parts;
    const { pools } = cluster.config;
    const problems = cluster.configProblems.length;
    log.info({ event: "config", pools: pools.length, problems }, "configuration read");
    tellResponder({ type: "ranges", ranges: rangesOf(pools) });
  }

  #checkInterfaces(): void {
    const { node, cluster, host, missing } = this.#parts;
    if (!cluster.isSynced) return;
    missing.check({ node, cluster, present: new Set(host.all.map(({ name }) => name)) });
  }
}
