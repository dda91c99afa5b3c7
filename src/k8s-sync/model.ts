// The part of the Kubernetes objects that lbd reads, as typed values. Pure, and only the shape:
// what a field means is decided where it is used. Everything else in an object is dropped.

import type { WallMs } from "../core/time.ts";

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

export interface ObjectMeta {
  readonly name: string;
  /** "" for objects of the cluster scope. */
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339; there while the object waits for its finalizers. */
  readonly deletionTimestamp?: string;
}

export interface KubernetesObject {
  readonly metadata: ObjectMeta;
}

/** An object whose content another module validates, such as IPAddressPool or L2Advertisement. */
export interface RawObject extends KubernetesObject {
  /** "" in items of a list, which do not repeat it. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: unknown;
  readonly status: unknown;
  /** Of ConfigMap (text) and Secret (base64). */
  readonly data: Readonly<Record<string, string>>;
}

/** One that says whose it is, and goes with its owner. */
export interface OwnedObject extends RawObject {
  readonly ownerReferences: readonly OwnerReference[];
}

export interface ServicePort {
  readonly protocol: string;
  readonly port: number;
  readonly name?: string;
}

export interface ServiceIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly type: string;
    readonly loadBalancerIP?: string;
    readonly loadBalancerClass?: string;
    readonly clusterIPs: readonly string[];
    readonly ipFamilies: readonly string[];
    readonly ipFamilyPolicy?: string;
    readonly externalTrafficPolicy?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports: readonly ServicePort[];
  };
  readonly status: { readonly ingress: readonly ServiceIngress[] };
}

export interface Node extends KubernetesObject {
  readonly unschedulable: boolean;
  readonly taints: readonly { readonly key: string; readonly effect: string }[];
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}

/** A terminating endpoint is not ready, and serving for as long as it takes requests. */
export interface Endpoint {
  /** Null: it belongs to no node of the cluster. */
  readonly nodeName: string | null;
  readonly isReady: boolean;
  readonly isServing: boolean;
}

export interface EndpointSlice extends KubernetesObject {
  readonly endpoints: readonly Endpoint[];
}

export interface LeaseSpec {
  readonly holderIdentity: string | null;
  readonly leaseDurationSeconds: number | null;
  readonly acquireTime: WallMs | null;
  readonly renewTime: WallMs | null;
  readonly leaseTransitions: number | null;
}

export interface Lease extends KubernetesObject {
  readonly spec: LeaseSpec;
}

/** `namespace/name`, or the name alone in the cluster scope: unique within one resource type. */
export function objectKey(object: KubernetesObject): string {
  const { namespace, name } = object.metadata;
  return namespace === "" ? name : `${namespace}/${name}`;
}
