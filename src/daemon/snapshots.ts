// What the cluster looked like, kept in the store: written as it changes, and read by a daemon that
// starts when there is no API to ask.

import type { Clock } from "../core/time.ts";
import { decodeNode, decodeObject, decodeService } from "../k8s-sync/decode.ts";
import type { Node, Service } from "../k8s-sync/model.ts";
import type { OwnershipEvent } from "../ownership/types.ts";
import type { Store } from "../store/store.ts";
import type { ClusterChange, ClusterMemory, ClusterView } from "./cluster-view.ts";
import { CONFIG_KINDS, noConfigObjects } from "./config-objects.ts";
import type { Logger } from "./logger.ts";
import { rememberedRecords } from "./records.ts";
import { currentAddresses, POOL_ANNOTATION } from "./service-request.ts";

export class Snapshots {
  readonly #store: Store;
  readonly #cluster: ClusterView;
  readonly #clock: Pick<Clock, "wall">;

  constructor(store: Store, cluster: ClusterView, clock: Pick<Clock, "wall">) {
    this.#store = store;
    this.#cluster = cluster;
    this.#clock = clock;
  }

  /** What is not valid is not remembered: nothing at all could be answered for with it. */
  save({ services, config, nodes }: ClusterChange): void {
    this.#saveServices(services);
    if (config && this.#cluster.isConfigCurrent) {
      for (const kind of CONFIG_KINDS) {
        this.#store.saveSnapshot(kind, this.#cluster.configObjects[kind]);
      }
    }
    if (nodes) {
      const rows = [...this.#cluster.nodes].map(([name, node]) => [name, nodeJson(node)] as const);
      this.#store.saveSnapshot("node", new Map(rows));
    }
  }

  /** The API cannot be read, and was not since the start: what was known last has to do. */
  recall(log: Logger, tellOwnership: (event: OwnershipEvent) => void): void {
    const memory = this.load();
    if (memory === null) return;
    log.warn({ event: "recall" }, "the API is away: working from what was known last");
    this.#cluster.restore(memory);
    const vips = rememberedRecords(this.#store.tenures());
    tellOwnership({ type: "remembered", vips, nodes: [...memory.nodes.keys()] });
  }

  /** Null: this node has never seen the cluster. What cannot be read is left out. */
  load(): ClusterMemory | null {
    const read = <T>(kind: Parameters<Store["snapshot"]>[0], decode: (raw: unknown) => T | null) =>
      new Map(
        [...this.#store.snapshot(kind)].flatMap(([key, raw]): [string, T][] => {
          const object = decode(raw);
          return object === null ? [] : [[key, object]];
        }),
      );
    const config = noConfigObjects();
    for (const kind of CONFIG_KINDS) config[kind] = read(kind, decodeObject);
    if (config.pool.size + config["config-map"].size === 0) return null;
    return {
      services: read("service", (raw) => decodeService(raw)),
      nodes: read("node", (raw) => decodeNode(raw)),
      config,
    };
  }

  #saveServices(keys: ReadonlySet<string>): void {
    const changes = [...keys].map((key) => {
      const service = this.#cluster.services.get(key);
      const pool = service?.metadata.annotations[POOL_ANNOTATION] ?? "";
      const addresses = service === undefined ? [] : currentAddresses(service);
      const allocations = addresses.map((address) => ({ address, pool }));
      const object = service === undefined ? null : serviceJson(service);
      return { key, object, allocations };
    });
    if (changes.length > 0) this.#store.saveServices(changes, this.#clock.wall());
  }
}

/** As the API has it, so that it is read back with the same care. */
function serviceJson({ metadata, spec, status }: Service): object {
  return { metadata, spec, status: { loadBalancer: { ingress: status.ingress } } };
}

function nodeJson({ metadata, unschedulable, taints, conditions, addresses }: Node): object {
  return { metadata, spec: { unschedulable, taints }, status: { conditions, addresses } };
}
