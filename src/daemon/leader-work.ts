// Keeps the allocation in step with the cluster and with the leadership: only the leader allocates,
// and it begins with what the API has, not with what a watch has shown so far.

import type { HostInterface } from "../link/host-interface.ts";
import { allocatablePools, needsNamespaces } from "./allocatable-pools.ts";
import type { AllocationController } from "./allocation-controller.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Logger } from "./logger.ts";
import type { Namespaces } from "./namespaces.ts";
import { type ReservedAddresses, reservedAddresses } from "./reserved-addresses.ts";

export interface LeaderWorkOptions {
  /** URL of the API server; "" before there is a kubeconfig. */
  readonly server: () => string;
  readonly cluster: ClusterView;
  readonly namespaces: Pick<Namespaces, "labels">;
  readonly allocation: AllocationController;
  readonly interfaces: () => readonly HostInterface[];
  /** Resolves when the Services were listed since. */
  readonly relistServices: () => Promise<void>;
  /** Resolves when nothing can arrive any more that was sent by who led before; see fence.ts. */
  readonly fence: () => Promise<"written" | "not-needed">;
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

export class LeaderWork {
  readonly #options: LeaderWorkOptions;
  #reserved: ReservedAddresses = { all: new Map(), ofHosts: new Map() };
  /** Whether the Services were listed since this node leads: until then nothing is given away. */
  #isUpToDate = false;
  /** How often the leadership has come or gone. */
  #terms = 0;

  constructor(options: LeaderWorkOptions) {
    this.#options = options;
  }

  /** Addresses that are never handed out. */
  get reserved(): ReservedAddresses {
    return this.#reserved;
  }

  /** The configuration, the nodes, the namespaces or this host's interfaces have changed. */
  configure(): void {
    const { server, cluster, namespaces, allocation, interfaces, isLeading } = this.#options;
    this.#reserved = reservedAddresses({
      nodes: cluster.nodes.values(),
      interfaces: interfaces(),
      apiHost: URL.parse(server())?.hostname ?? "",
    });
    const { pools } = cluster.config;
    const { labels } = namespaces;
    // Addresses would go to, and be taken from, the wrong Services.
    if (labels === null && needsNamespaces(pools)) return allocation.follow();
    allocation.configure(allocatablePools(pools, labels ?? new Map()), this.#reserved.all);
    if (isLeading() && this.#isUpToDate) allocation.lead();
  }

  onLeading(isLeading: boolean): void {
    const { allocation, log } = this.#options;
    log.info({ event: "leadership", isLeading }, isLeading ? "leading" : "not leading");
    this.#terms += 1;
    this.#isUpToDate = false;
    if (isLeading) void this.#start(this.#terms);
    else allocation.follow();
  }

  /** What a former leader wrote last may not have come through the watch yet: list it first. */
  async #start(term: number): Promise<void> {
    const { cluster, fence, isLeading, relistServices } = this.#options;
    await relistServices();
    if (term !== this.#terms) return;
    // What arrived before the fence did is known by another list.
    if ((await fence()) === "written") await relistServices();
    if (term !== this.#terms) return;
    this.#isUpToDate = true;
    if (isLeading() && cluster.isSynced) setImmediate(() => this.configure());
  }
}
