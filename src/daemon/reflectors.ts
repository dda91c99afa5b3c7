// The resources that the daemon watches, and how well that goes.

import type { Random } from "../core/random.ts";
import type { BootMs, Clock } from "../core/time.ts";
import type { ApiWatches } from "../k8s-sync/client.ts";
import {
  decodeEndpointSlice,
  decodeLease,
  decodeNode,
  decodeObject,
  decodeService,
} from "../k8s-sync/decode.ts";
import type { Resource } from "../k8s-sync/lister.ts";
import type { KubernetesObject, Lease } from "../k8s-sync/model.ts";
import type { ApiFailure } from "../k8s-sync/outcome.ts";
import type { ReflectorSink } from "../k8s-sync/reflector.ts";
import { Reflector } from "../k8s-sync/reflector.ts";
import { timerSleep } from "../k8s-sync/sleep.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ConfigPlaces } from "./config-objects.ts";
import { CONFIG_KINDS, configResource } from "./config-objects.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Task } from "./tasks.ts";

export interface ReflectorsOptions extends ConfigPlaces {
  readonly client: ApiWatches;
  readonly clock: Clock;
  readonly random: Random;
  readonly leasesPath: string;
  readonly cluster: ClusterView;
  readonly namespaces: Namespaces;
  readonly leaseSink: ReflectorSink<Lease>;
  /** What is read first, and alone: others are listed after it. Null: nothing. */
  readonly first: Promise<void> | null;
  readonly onFailure: (resource: string, failure: ApiFailure) => void;
}

/** An API that leaves the first question unanswered may answer another. */
const FIRST_MS_MAX = 5_000;
const ENDPOINTS = "endpointslices";
const SERVICES = { path: "/api/v1/services", name: "services" } as const;

type Watching = {
  run(signal: AbortSignal): Promise<void>;
  state(): ReflectorStateOf;
  hurry(): void;
  relist(): Promise<void>;
};
type ReflectorStateOf = ReturnType<Reflector<KubernetesObject>["state"]>;

export class Reflectors implements Task {
  readonly name = "reflectors";
  readonly #byResource: ReadonlyMap<string, Watching>;
  readonly #first: Promise<void> | null;

  constructor(options: ReflectorsOptions) {
    this.#first = options.first;
    const { cluster, namespaces, leasesPath } = options;
    const nodes = { path: "/api/v1/nodes", name: "nodes" };
    const spaces = { path: "/api/v1/namespaces", name: "namespaces" };
    const leases = { path: leasesPath, name: "leases" };
    const slices = { path: "/apis/discovery.k8s.io/v1/endpointslices", name: ENDPOINTS };
    const config = CONFIG_KINDS.map((kind) => {
      const resource = configResource(kind, options);
      const watching = reflect(options, resource, decodeObject, cluster.configSink(kind));
      return [resource.name, watching] as const;
    });
    this.#byResource = new Map<string, Watching>([
      [SERVICES.name, reflect(options, SERVICES, decodeService, cluster.serviceSink())],
      ["nodes", reflect(options, nodes, decodeNode, cluster.nodeSink())],
      [ENDPOINTS, reflect(options, slices, decodeEndpointSlice, cluster.endpointSliceSink())],
      ["namespaces", reflect(options, spaces, decodeObject, namespaces.sink())],
      ["leases", reflect(options, leases, decodeLease, options.leaseSink)],
      ...config,
    ]);
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#first !== null) await Promise.race([this.#first, timerSleep(FIRST_MS_MAX, signal)]);
    await Promise.all([...this.#byResource.values()].map((reflector) => reflector.run(signal)));
  }

  /** Resolves when the Services were listed since. */
  async relistServices(): Promise<void> {
    await this.#byResource.get(SERVICES.name)?.relist();
  }

  /** The API has answered again: whoever waits to ask it need not. */
  hurry(): void {
    for (const reflector of this.#byResource.values()) reflector.hurry();
  }

  get count(): number {
    return this.#byResource.size;
  }

  failures(): Map<string, ApiFailure> {
    const failures = new Map<string, ApiFailure>();
    for (const [resource, reflector] of this.#byResource) {
      const { failure } = reflector.state();
      if (failure !== null) failures.set(resource, failure);
    }
    return failures;
  }

  lastContactAt(): BootMs | null {
    const times = [...this.#byResource.values()].map(
      (reflector) => reflector.state().lastContactAt,
    );
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : (Math.max(...known) as BootMs);
  }
}

function reflect<T extends KubernetesObject>(
  options: ReflectorsOptions,
  resource: Resource,
  decode: (raw: unknown) => T | null,
  sink: ReflectorSink<T>,
): Watching {
  let lastFailure: ApiFailure | null = null;
  return new Reflector<T>({
    client: options.client,
    resource,
    decode,
    sink,
    clock: options.clock,
    random: options.random,
    onState: ({ failure }) => {
      if (failure !== null && failure.message !== lastFailure?.message) {
        options.onFailure(resource.name, failure);
      }
      if (failure !== null) goWithout(options, resource.name, failure);
      lastFailure = failure;
    },
  });
}

/** Of what cannot be read and most clusters do without, the rest does not wait to be listed. */
function goWithout(options: ReflectorsOptions, resource: string, { kind: why }: ApiFailure): void {
  const { cluster } = options;
  if (resource === ENDPOINTS) cluster.skipEndpoints();
  if (why !== "not-found" && why !== "forbidden") return;
  const kind = CONFIG_KINDS.find((one) => configResource(one, options).name === resource);
  if (kind !== undefined) cluster.skipConfig(kind);
}
