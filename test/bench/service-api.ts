// What programs that make Services beside the API server have in common: a client that gives up on
// any failure, and the objects that they write.

import { ApiClient } from "../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { endpointSliceManifest } from "../lab/manifests.ts";

export const PATH = "/api/v1/namespaces/default/services";
export const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

const [kubeconfig = ""] = process.argv.slice(2);
const settings = loadKubeconfig(kubeconfig, { now: Date.now() as never, allowInsecure: false });

/** There are 2,768 node ports, and more Services. */
export const LOAD_BALANCER = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };

/** By the kubeconfig that the program was started with. */
export const client = new ApiClient(settings);

/** The object that the API server has then; throws what it says instead. */
export async function must<T>(method: "POST" | "PATCH", path: string, body: object): Promise<T> {
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const outcome = await client.request<T>({ method, path, body, contentType });
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value;
}

export function serviceManifest(name: string, spec: object): object {
  const ports = [{ port: 80, targetPort: 8080 }];
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports, ...spec } };
}

/** One pod that serves, on the first node. */
export function sliceManifest(service: string): object {
  const state = { ready: true, serving: true, terminating: false };
  const endpoints = [{ name: "pod", nodeName: "node1", address: "10.244.255.1", ...state }];
  const about = {
    service,
    namespace: "default",
    family: "IPv4",
    portName: "",
    port: 8080,
  } as const;
  return endpointSliceManifest({ ...about, endpoints });
}

/** A status as large as one with an address, which nobody acts on; another `count`, a change. */
export function benchStatus(count: number): object {
  const condition = {
    type: "Bench",
    status: "True",
    reason: "Bench",
    message: String(count),
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  return { status: { conditions: [condition] } };
}
