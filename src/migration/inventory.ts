// What a cluster that runs MetalLB, or ran it, has of it: as it was read, without judgement.

export interface FoundWorkload {
  readonly kind: "Deployment" | "DaemonSet";
  readonly namespace: string;
  readonly name: string;
  readonly images: readonly string[];
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Pods that are available. */
  readonly available: number;
}

/** One of type LoadBalancer. */
export interface FoundService {
  readonly key: string;
  readonly addresses: readonly string[];
  /** Null: none, and so anybody's. */
  readonly loadBalancerClass: string | null;
  readonly annotations: readonly string[];
}

export interface FoundDefinition {
  readonly name: string;
  /** Helm made it, and would remove it. */
  readonly isHelms: boolean;
  /** It has the annotation by which a Helm upgrade leaves it. */
  readonly isKept: boolean;
  /** `namespace/name` of the Service that converts between its versions; null: none does. */
  readonly conversion: string | null;
}

export interface FoundWebhook {
  readonly name: string;
  readonly resourceVersion: string;
  /** The Services that it asks, `namespace/name`. */
  readonly services: readonly string[];
  /** A request that it cannot be asked about is refused. */
  readonly isFatal: boolean;
}

export interface Inventory {
  readonly namespace: string;
  readonly workloads: readonly FoundWorkload[];
  readonly services: readonly FoundService[];
  /** Names of custom resources by kind. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly definitions: readonly FoundDefinition[];
  readonly webhooks: readonly FoundWebhook[];
  /** Every Service, `namespace/name`; null: they cannot be read, and none counts as gone. */
  readonly present: readonly string[] | null;
  /** Objects of status that a Pod owns, by kind: they go with it. */
  readonly ownedByPods: Readonly<Record<string, number>>;
  /** ConfigMaps of the namespace, by name. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Nodes with the label that excludes them from load balancers. */
  readonly excludedNodes: readonly string[];
  readonly nodes: readonly string[];
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}
