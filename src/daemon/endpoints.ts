// Where the Services can be served, from their EndpointSlices.

import type { EndpointSlice, Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { Serving } from "../ownership/types.ts";

/** On a slice: the Service that it belongs to. */
const SERVICE_LABEL = "kubernetes.io/service-name";
/** Endpoints that name no node: any node can forward to them, and none has them. */
const NO_NODE = "";

type NodeStates = ReadonlyMap<string, "ready" | "terminating">;

export class Endpoints {
  /** By Service, then by slice. */
  readonly #slices = new Map<string, Map<string, NodeStates>>();

  /** The key of the Service that the slice belongs to; null: to none. */
  static serviceOf({ metadata }: EndpointSlice): string | null {
    const name = metadata.labels[SERVICE_LABEL];
    return name === undefined ? null : `${metadata.namespace}/${name}`;
  }

  static areOfOne(a: EndpointSlice, b: EndpointSlice): boolean {
    return Endpoints.serviceOf(a) === Endpoints.serviceOf(b);
  }

  /** True when that changes where the Service can be served. */
  set(slice: EndpointSlice): boolean {
    const service = Endpoints.serviceOf(slice);
    if (service === null) return false;
    const slices = this.#slices.get(service) ?? new Map<string, NodeStates>();
    const key = objectKey(slice);
    const states = statesOf(slice);
    const isSame = sameStates(slices.get(key) ?? new Map(), states);
    this.#slices.set(service, slices.set(key, states));
    return !isSame;
  }

  remove(slice: EndpointSlice): boolean {
    const service = Endpoints.serviceOf(slice);
    const slices = service === null ? undefined : this.#slices.get(service);
    if (service === null || slices === undefined) return false;
    const isKnown = slices.delete(objectKey(slice));
    if (slices.size === 0) this.#slices.delete(service);
    return isKnown;
  }

  /** Where the Services that share an address can be served (`externalTrafficPolicy`). */
  serving(services: readonly Service[]): Serving {
    const nodes = new Map<string, "ready" | "terminating">();
    for (const service of services) {
      const states = [...(this.#slices.get(objectKey(service))?.values() ?? [])].flatMap(
        (slice) => [...slice],
      );
      const isLocal = service.spec.externalTrafficPolicy === "Local";
      if (!isLocal && states.length > 0) return "everywhere";
      for (const [node, state] of states) add(nodes, node, state);
    }
    nodes.delete(NO_NODE);
    return nodes;
  }
}

function statesOf({ endpoints }: EndpointSlice): NodeStates {
  const states = new Map<string, "ready" | "terminating">();
  for (const { nodeName, isReady, isServing } of endpoints) {
    if (isReady || isServing) add(states, nodeName ?? NO_NODE, isReady ? "ready" : "terminating");
  }
  return states;
}

/** One that is ready is enough. */
function add(
  states: Map<string, "ready" | "terminating">,
  node: string,
  state: "ready" | "terminating",
): void {
  if (states.get(node) !== "ready") states.set(node, state);
}

function sameStates(a: NodeStates, b: NodeStates): boolean {
  return a.size === b.size && [...a].every(([node, state]) => b.get(node) === state);
}
