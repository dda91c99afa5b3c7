// Kubernetes objects that the lab makes itself.

import type { LabNode } from "./node.ts";

export function namespaceManifest(name: string): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

/** A node as its kubelet would register it: addresses, pod CIDR, Ready. */
export function nodeManifest(node: LabNode): object {
  const addresses = [
    { type: "InternalIP", address: node.address() },
    { type: "InternalIP", address: node.address6() },
    { type: "Hostname", address: node.name },
  ];
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      labels: { "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux" },
    },
    spec: { podCIDR: node.podCidr, podCIDRs: [node.podCidr, node.podCidr6] },
    status: { addresses, conditions: [{ type: "Ready", status: "True", reason: "Lab" }] },
  };
}

export interface EndpointState {
  readonly name: string;
  readonly nodeName: string;
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export interface SlicePlan {
  readonly service: string;
  readonly namespace: string;
  readonly family: "IPv4" | "IPv6";
  /** Must be the name of the Service's port; empty for a Service with one unnamed port. */
  readonly portName: string;
  readonly port: number;
  /** Default: TCP. */
  readonly protocol?: "TCP" | "UDP";
  readonly endpoints: readonly EndpointState[];
}

/** What the EndpointSlice controller would write for the pods of a Service. */
export function endpointSliceManifest(plan: SlicePlan): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${plan.service}-${plan.family.toLowerCase()}`,
      namespace: plan.namespace,
      labels: { "kubernetes.io/service-name": plan.service },
    },
    addressType: plan.family,
    ports: [{ name: plan.portName, port: plan.port, protocol: plan.protocol ?? "TCP" }],
    endpoints: plan.endpoints.map((endpoint) => ({
      addresses: [endpoint.address],
      nodeName: endpoint.nodeName,
      targetRef: { kind: "Pod", name: endpoint.name, namespace: plan.namespace },
      conditions: {
        ready: endpoint.ready,
        serving: endpoint.serving,
        terminating: endpoint.terminating,
      },
    })),
  };
}
