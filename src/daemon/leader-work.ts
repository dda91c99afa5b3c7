// Keeps the allocation in step with the cluster and with the leadership: only the leader allocates,
// and it begins with what the API has, not with what a watch has shown so far.

import { setTimeout as sleep } from "node:timers/promises";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { decodeService } from "../k8s-sync/decode.ts";
import { listAll } from "../k8s-sync/lister.ts";
import type { HostInterface } from "../link/host-interface.ts";
import type { AllocationController } from "./allocation-controller.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Logger } from "./logger.ts";
import { SERVICES } from "./reflectors.ts";
import { type ReservedAddresses, reservedAddresses } from "./reserved-addresses.ts";

export interface LeaderWorkOptions {
  readonly client: ApiRequests & { readonly server: string };
  readonly cluster: ClusterView;
  readonly allocation: AllocationController;
  readonly interfaces: () => readonly HostInterface[];
  readonly isLeading: () => boolean;
  readonly log: Logger;
}

const RELIST_RETRY_MS = 1_000;

export class LeaderWork {
  readonly #options: LeaderWorkOptions;
  #reserved: ReservedAddresses = { all: new Map(), ofHosts: new Map() };

  constructor(options: LeaderWorkOptions) {
    this.#options = options;
  }

  /** Addresses that are never handed out. */
  get reserved(): ReservedAddresses {
    return this.#reserved;
  }

  /** The configuration, the nodes or this host's interfaces have changed. */
  configure(): void {
    const { client, cluster, allocation, interfaces, isLeading } = this.#options;
    this.#reserved = reservedAddresses({
      nodes: cluster.nodes.values(),
      interfaces: interfaces(),
      apiHost: new URL(client.server).hostname,
    });
    allocation.configure(cluster.config, this.#reserved.all);
    if (isLeading()) allocation.lead();
  }

  onLeading(isLeading: boolean): void {
    const { allocation, log } = this.#options;
    log.info({ event: "leadership", isLeading }, isLeading ? "leading" : "not leading");
    if (isLeading) void this.#start();
    else allocation.follow();
  }

  /** What a former leader wrote last may not have come through the watch yet: read it first. */
  async #start(): Promise<void> {
    const { client, cluster, isLeading } = this.#options;
    while (isLeading()) {
      const list = await listAll(client, SERVICES, { decode: decodeService });
      if (list.ok) {
        cluster.serviceSink().replace(list.value.items);
        if (cluster.isSynced) setImmediate(() => this.configure());
        return;
      }
      await sleep(RELIST_RETRY_MS);
    }
  }
}
