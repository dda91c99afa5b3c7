// The objects that the cluster is configured with, kind by kind: where the API has them, what was
// read of them, and the configuration that they make together.

import { isDeepStrictEqual } from "node:util";
import type { ClusterConfig, RawResource } from "../config/cluster-config.ts";
import type { ConfigSources } from "../config/config-sources.ts";
import { parseConfigSources } from "../config/config-sources.ts";
import type { Labels } from "../config/label-selector.ts";
import type { ObjectRef, ParsedConfig } from "../config/resource.ts";
import type { EventRegarding } from "../k8s-sync/events.ts";
import type { Resource } from "../k8s-sync/lister.ts";
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

type ResourceKind = keyof typeof RESOURCES;
/** `config-map`: the one that MetalLB was configured with up to 0.12. */
export type ConfigKind = ResourceKind | "config-map";
const RESOURCE_KINDS = Object.keys(RESOURCES) as readonly ResourceKind[];
export const CONFIG_KINDS: readonly ConfigKind[] = [...RESOURCE_KINDS, "config-map"];

/** The `kind` of the objects; in a list they do not say it. */
export const KIND_NAMES: Readonly<Record<ConfigKind, string>> = {
  pool: "IPAddressPool",
  advertisement: "L2Advertisement",
  "bgp-peer": "BGPPeer",
  "bgp-advertisement": "BGPAdvertisement",
  "bfd-profile": "BFDProfile",
  community: "Community",
  "config-map": "ConfigMap",
};

export type ConfigObjects = Readonly<Record<ConfigKind, ReadonlyMap<string, RawObject>>>;

const KINDS: Readonly<Record<string, ConfigKind>> = {
  IPAddressPool: "pool",
  L2Advertisement: "advertisement",
  BGPPeer: "bgp-peer",
  BGPAdvertisement: "bgp-advertisement",
  BFDProfile: "bfd-profile",
  Community: "community",
  ConfigMap: "config-map",
};

/** Whose Event it is when something about the object is told. */
export function regardingOf(objects: ConfigObjects, ref: ObjectRef): EventRegarding {
  const { kind, namespace, name } = ref;
  const configKind = KINDS[kind] ?? "config-map";
  const isResource = configKind !== "config-map";
  const version = isResource ? RESOURCES[configKind].split("/")[0] : "";
  const apiVersion = isResource ? `metallb.io/${version}` : "v1";
  const uid = objects[configKind].get(`${namespace}/${name}`)?.metadata.uid;
  return { kind, apiVersion, namespace, name, uid };
}

/** Whether two states of an object are the same configuration: its status is none. */
export function saysTheSame(a: RawObject | undefined, b: RawObject | undefined): boolean {
  const about = (one: RawObject | undefined) => one && [one.spec, one.data, one.metadata.labels];
  return isDeepStrictEqual(about(a), about(b));
}

/** Nothing of any kind. */
export function noConfigObjects(): Record<ConfigKind, Map<string, RawObject>> {
  const entries = CONFIG_KINDS.map((kind) => [kind, new Map<string, RawObject>()] as const);
  return Object.fromEntries(entries) as Record<ConfigKind, Map<string, RawObject>>;
}

/** Null: it is of no kind that lbd is configured with. */
export function configKindOf(object: {
  readonly apiVersion: string;
  readonly kind: string;
}): ConfigKind | null {
  const kind = CONFIG_KINDS.find((one) => KIND_NAMES[one] === object.kind) ?? null;
  const isCore = object.apiVersion === "v1";
  const isRight = kind === "config-map" ? isCore : object.apiVersion.startsWith("metallb.io/");
  return isRight ? kind : null;
}

/** Whether the rest is worked with while the kind cannot be read: most clusters have none of it. */
export function isNeeded(kind: ConfigKind): boolean {
  return NEEDED.some((needed) => needed === kind);
}

export interface ConfigPlaces {
  /** Of the custom resources. */
  readonly namespace: string;
  /** `namespace/name` of the ConfigMap. */
  readonly legacyConfigMap: string;
}

/** Where the objects of a kind are listed; `name` is that of the resource. */
export function configResource(kind: ConfigKind, places: ConfigPlaces): Resource {
  if (kind === "config-map") {
    const [namespace, name = ""] = places.legacyConfigMap.split("/");
    // The permission is for this one only, and a list of one is what may be asked for with it.
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    return { path, fieldSelector: `metadata.name=${name}`, name: "configmaps" };
  }
  const [version, name = ""] = RESOURCES[kind].split("/");
  return { path: `/apis/metallb.io/${version}/namespaces/${places.namespace}/${name}`, name };
}

/** The configuration that the objects make; `nodes` are the labels of each. */
export function parseConfigObjects(
  objects: ConfigObjects,
  nodes: readonly Labels[],
): ParsedConfig<ClusterConfig> {
  const read = (kind: ResourceKind) => [...objects[kind].values()].map(toResource);
  const resources = {
    pools: read("pool"),
    advertisements: read("advertisement"),
    bgpPeers: read("bgp-peer"),
    bgpAdvertisements: read("bgp-advertisement"),
    bfdProfiles: read("bfd-profile"),
    communities: read("community"),
    nodes,
  };
  return parseConfigSources({ resources, legacy: legacyOf(objects) });
}

function legacyOf(objects: ConfigObjects): ConfigSources["legacy"] {
  const [configMap] = objects["config-map"].values();
  if (configMap === undefined) return null;
  const { namespace, name } = configMap.metadata;
  return { namespace, name, text: configMap.data.config ?? null };
}

/** Whether labels of nodes decide what is valid. */
export function dependsOnNodes(objects: ConfigObjects): boolean {
  const bgp = objects["bgp-peer"].size + objects["bgp-advertisement"].size;
  return bgp > 1 || objects["config-map"].size > 0;
}

function toResource({ apiVersion, metadata, spec }: RawObject): RawResource {
  const { name, namespace, labels } = metadata;
  return { name, namespace, labels, spec, apiVersion };
}
