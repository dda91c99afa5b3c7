// The objects that the cluster is configured with, kind by kind: where the API has them, what was
// read of them, and the configuration that they make together.

import type { ClusterConfig, RawResource } from "../config/cluster-config.ts";
import { parseClusterConfig } from "../config/cluster-config.ts";
import type { Labels } from "../config/label-selector.ts";
import type { ParsedConfig } from "../config/resource.ts";
import type { RawObject } from "../k8s-sync/model.ts";

/** What nothing works without: until these can be read, what was known before stays in use. */
const NEEDED = ["pool", "advertisement"] as const;
const RESOURCES = {
  pool: "v1beta1/ipaddresspools",
  advertisement: "v1beta1/l2advertisements",
  "bgp-peer": "v1beta2/bgppeers",
  "bgp-advertisement": "v1beta1/bgpadvertisements",
  "bfd-profile": "v1beta1/bfdprofiles",
  community: "v1beta1/communities",
} as const;

export type ConfigKind = keyof typeof RESOURCES;
export const CONFIG_KINDS = Object.keys(RESOURCES) as readonly ConfigKind[];

export type ConfigObjects = Readonly<Record<ConfigKind, ReadonlyMap<string, RawObject>>>;

/** Nothing of any kind. */
export function noConfigObjects(): Record<ConfigKind, Map<string, RawObject>> {
  const entries = CONFIG_KINDS.map((kind) => [kind, new Map<string, RawObject>()] as const);
  return Object.fromEntries(entries) as Record<ConfigKind, Map<string, RawObject>>;
}

/** Whether the rest is worked with while the kind cannot be read: most clusters have none of it. */
export function isNeeded(kind: ConfigKind): boolean {
  return NEEDED.some((needed) => needed === kind);
}

/** Where the objects of a kind are listed; `name` is that of the resource. */
export function configResource(kind: ConfigKind, namespace: string) {
  const [version, name = ""] = RESOURCES[kind].split("/");
  return { path: `/apis/metallb.io/${version}/namespaces/${namespace}/${name}`, name };
}

export function parseConfigObjects(
  objects: ConfigObjects,
  nodes: readonly Labels[],
): ParsedConfig<ClusterConfig> {
  const read = (kind: ConfigKind) => [...objects[kind].values()].map(toResource);
  return parseClusterConfig({
    pools: read("pool"),
    advertisements: read("advertisement"),
    bgpPeers: read("bgp-peer"),
    bgpAdvertisements: read("bgp-advertisement"),
    bfdProfiles: read("bfd-profile"),
    communities: read("community"),
    nodes,
  });
}

/** Whether labels of nodes decide what is valid. */
export function dependsOnNodes(objects: ConfigObjects): boolean {
  return objects["bgp-peer"].size + objects["bgp-advertisement"].size > 1;
}

function toResource({ apiVersion, metadata, spec }: RawObject): RawResource {
  const { name, namespace, labels } = metadata;
  return { name, namespace, labels, spec, apiVersion };
}
