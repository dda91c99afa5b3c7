// Short ways to write Kubernetes objects for tests, decoded as the API's answers are, and a
// ClusterView that has listed some.

import { ClusterView } from "../../src/daemon/cluster-view.ts";
import { CONFIG_KINDS } from "../../src/daemon/config-objects.ts";
import {
  decodeEndpointSlice,
  decodeLease,
  decodeNode,
  decodeObject,
  decodeService,
} from "../../src/k8s-sync/decode.ts";
import type { EndpointSlice, Lease, Node, RawObject, Service } from "../../src/k8s-sync/model.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface ServiceOptions {
  readonly spec?: Fields;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Addresses in its status. */
  readonly ips?: readonly string[];
}

/** `key` is `namespace/name`. One of type LoadBalancer with an IPv4 cluster IP, unless said. */
export function service(key: string, options: ServiceOptions = {}): Service {
  const { spec = {}, annotations = {}, labels = {}, ips = [] } = options;
  const [namespace, name] = key.split("/");
  const metadata = { namespace, name, uid: `uid of ${key}`, annotations, labels };
  return present(
    decodeService({
      metadata: { ...metadata, resourceVersion: "1" },
      spec: { type: "LoadBalancer", clusterIPs: ["10.96.0.1"], ...spec },
      status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
    }),
  );
}

export interface NodeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Fields[];
  readonly conditions?: readonly Fields[];
  readonly addresses?: readonly string[];
  readonly unschedulable?: boolean;
}

/** One without taints and conditions, which counts as healthy. */
export function node(name: string, options: NodeOptions = {}): Node {
  const { labels = {}, taints = [], conditions = [], addresses = [] } = options;
  const { unschedulable = false } = options;
  const typed = addresses.map((address) => ({ type: "InternalIP", address }));
  return present(
    decodeNode({
      metadata: { name, resourceVersion: "1", labels },
      spec: { taints, unschedulable },
      status: { conditions, addresses: typed },
    }),
  );
}

export function lease(name: string, spec: Fields = {}, annotations: Fields = {}): Lease {
  return present(decodeLease({ metadata: { name, resourceVersion: "7", annotations }, spec }));
}

/** An IPAddressPool or L2Advertisement. */
export function resource(name: string, spec: Fields = {}): RawObject {
  return present(decodeObject({ metadata: { name, resourceVersion: "1" }, spec }));
}

/** A namespace, or anything else that only its labels matter of. */
export function withLabels(name: string, labels: Fields = {}): RawObject {
  return present(decodeObject({ metadata: { name, resourceVersion: "1", labels } }));
}

/** An endpoint by its node; null: on none. */
export function endpoint(nodeName: string | null, conditions: Fields = {}): Fields {
  return { nodeName, conditions };
}

/** `key` is `namespace/name`; `of` is the Service in its label, null: it has no label. */
export function slice(key: string, of: string | null, endpoints: readonly Fields[]): EndpointSlice {
  const [namespace, name] = key.split("/");
  const labels = of === null ? {} : { "kubernetes.io/service-name": of };
  return present(
    decodeEndpointSlice({ metadata: { namespace, name, resourceVersion: "1", labels }, endpoints }),
  );
}

export interface ClusterObjects {
  readonly services?: readonly Service[];
  readonly nodes?: readonly Node[];
  readonly pools?: readonly RawObject[];
  readonly advertisements?: readonly RawObject[];
  readonly bgpPeers?: readonly RawObject[];
  readonly bgpAdvertisements?: readonly RawObject[];
  /** None: they cannot be read. */
  readonly slices?: readonly EndpointSlice[];
}

export function clusterOf(objects: ClusterObjects): ClusterView {
  const cluster = new ClusterView({ onChange: () => {}, defer: (run) => run() });
  cluster.serviceSink().replace(objects.services ?? []);
  cluster.nodeSink().replace(objects.nodes ?? []);
  cluster.configSink("pool").replace(objects.pools ?? []);
  cluster.configSink("advertisement").replace(objects.advertisements ?? []);
  if (objects.bgpPeers !== undefined) cluster.configSink("bgp-peer").replace(objects.bgpPeers);
  if (objects.bgpAdvertisements !== undefined) {
    cluster.configSink("bgp-advertisement").replace(objects.bgpAdvertisements);
  }
  skipBgp(cluster);
  if (objects.slices === undefined) cluster.skipEndpoints();
  else cluster.endpointSliceSink().replace(objects.slices);
  return cluster;
}

/** As in a cluster whose API has none of these resources, and that has no old ConfigMap. */
export function skipBgp(cluster: ClusterView): void {
  cluster.configSink("config-map").replace([]);
  for (const kind of CONFIG_KINDS) cluster.skipConfig(kind);
}

function present<T>(object: T | null): T {
  if (object === null) throw new Error("The object has no name");
  return object;
}
