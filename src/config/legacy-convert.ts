// From MetalLB's old ConfigMap to the custom resources that say the same, each with the place in
// the ConfigMap that it comes from.

import type {
  Legacy,
  LegacyAdvertisement,
  LegacyBfdProfile,
  LegacyPeer,
  LegacyPool,
} from "./legacy-schema.ts";
import type { LegacySource } from "./legacy-text.ts";
import { legacyPrefix, legacyRef } from "./legacy-text.ts";
import type { Origin } from "./resource.ts";

export interface ConvertedResource {
  readonly apiVersion: string;
  readonly kind: "IPAddressPool" | "L2Advertisement" | "BGPAdvertisement" | BgpKind;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

type BgpKind = "BGPPeer" | "Community" | "BFDProfile";

/** A resource, and where what it says stands in the ConfigMap. */
export interface Conversion {
  readonly resource: ConvertedResource;
  readonly origin: Origin;
}

/** What the ConfigMap meant when it did not say: MetalLB 0.12's hold time. */
const DEFAULT_HOLD_TIME = "90s";
const NAME_LENGTH_MAX = 63;

/** Fields of custom resources whose names are not the ConfigMap's in another spelling. */
const KEYS: Readonly<Record<string, string>> = {
  localPref: "localpref",
  ebgpMultiHop: "ebgp-multihop",
  avoidBuggyIPs: "avoid-buggy-ips",
};

/** All that the ConfigMap says, in the order in which it says it; names as they are written. */
export function convertLegacy(legacy: Legacy, source: LegacySource): Conversion[] {
  const make = maker(source);
  let layer2 = 0;
  let bgp = 0;
  const pools = legacy["address-pools"].flatMap((pool, index) => {
    const path = `address-pools[${index}]`;
    const own = make("IPAddressPool", pool.name, path, poolSpec(pool));
    const only = { ipAddressPools: [pool.name] };
    if (pool.protocol === "layer2") {
      layer2 += 1;
      return [own, make("L2Advertisement", `l2advertisement${layer2}`, path, only)];
    }
    const listed = pool["bgp-advertisements"] ?? [];
    const paths = listed.map((_, at) => `${path}.bgp-advertisements[${at}]`);
    // None listed is one that says nothing.
    const all = listed.length === 0 ? [{}] : listed;
    return [
      own,
      ...all.map((one, at) => {
        bgp += 1;
        const spec = { ...only, ...advertisementSpec(one) };
        return make("BGPAdvertisement", `bgpadvertisement${bgp}`, paths[at] ?? path, spec);
      }),
    ];
  });
  const peers = legacy.peers.map((peer, index) =>
    make("BGPPeer", `peer${index + 1}`, `peers[${index}]`, peerSpec(peer)),
  );
  const profiles = legacy["bfd-profiles"].map((profile, index) =>
    make("BFDProfile", profile.name, `bfd-profiles[${index}]`, profileSpec(profile)),
  );
  return [...pools, ...peers, ...profiles, ...communities(legacy, source)];
}

/**
 * A name that Kubernetes takes, of one that has no other characters than letters, digits, "-", "_"
 * and ".": lower case, "-" for "_", at most 63 characters, from the first letter on. May be empty.
 */
export function kubernetesName(name: string): string {
  const plain = name.toLowerCase().replaceAll("_", "-").slice(0, NAME_LENGTH_MAX);
  return plain.replace(/^[^a-z]+/, "").replace(/[^a-z0-9]+$/, "");
}

/** With names of pools and profiles that Kubernetes takes, wherever they occur. */
export function withKubernetesNames(resources: readonly ConvertedResource[]): ConvertedResource[] {
  return resources.map((resource) => {
    const spec = { ...resource.spec } as { ipAddressPools?: string[]; bfdProfile?: string };
    if (spec.ipAddressPools) spec.ipAddressPools = spec.ipAddressPools.map(kubernetesName);
    if (spec.bfdProfile) spec.bfdProfile = kubernetesName(spec.bfdProfile);
    const metadata = { ...resource.metadata, name: kubernetesName(resource.metadata.name) };
    return { ...resource, metadata, spec };
  });
}

function maker(source: LegacySource) {
  const object = legacyRef(source);
  const prefix = legacyPrefix(source);
  const { namespace } = source;
  return (
    kind: ConvertedResource["kind"],
    name: string,
    path: string,
    spec: object,
  ): Conversion => {
    const version = kind === "BGPPeer" ? "v1beta2" : "v1beta1";
    const metadata = { name, namespace };
    const at = (field: string): string =>
      [`${prefix}.${path}`, ...(field === "" ? [] : [legacyPath(field)])].join(".");
    // As JSON has it: what is undefined is not there.
    const plain = JSON.parse(JSON.stringify(spec)) as object;
    const resource = { apiVersion: `metallb.io/${version}`, kind, metadata, spec: plain };
    return { resource, origin: { object, at } };
  };
}

/** "nodeSelectors[0].matchLabels" is "node-selectors[0].match-labels" there. */
function legacyPath(path: string): string {
  return path.replace(/[a-zA-Z]\w*/g, (name) => KEYS[name] ?? kebab(name));
}

function kebab(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, "$1-$2").toLowerCase();
}

function poolSpec(pool: LegacyPool): object {
  const { addresses } = pool;
  return { addresses, autoAssign: pool["auto-assign"], avoidBuggyIPs: pool["avoid-buggy-ips"] };
}

function advertisementSpec(advertisement: LegacyAdvertisement): object {
  return {
    aggregationLength: advertisement["aggregation-length"],
    aggregationLengthV6: advertisement["aggregation-length-v6"],
    localPref: advertisement.localpref,
    communities: advertisement.communities,
  };
}

function peerSpec(peer: LegacyPeer): object {
  return {
    myASN: peer["my-asn"],
    peerASN: peer["peer-asn"],
    peerAddress: peer["peer-address"],
    sourceAddress: peer["source-address"],
    // 0 was the default, and v1beta2 has no such port.
    peerPort: peer["peer-port"] === 0 ? undefined : peer["peer-port"],
    holdTime: peer["hold-time"] ?? DEFAULT_HOLD_TIME,
    keepaliveTime: peer["keepalive-time"],
    routerID: peer["router-id"],
    nodeSelectors: peer["node-selectors"]?.map((selector) => ({
      matchLabels: selector["match-labels"],
      matchExpressions: selector["match-expressions"],
    })),
    password: peer.password,
    bfdProfile: peer["bfd-profile"],
    ebgpMultiHop: peer["ebgp-multihop"],
  };
}

function profileSpec(profile: LegacyBfdProfile): object {
  return {
    receiveInterval: profile["receive-interval"],
    transmitInterval: profile["transmit-interval"],
    detectMultiplier: profile["detect-multiplier"],
    echoInterval: profile["echo-interval"],
    echoMode: profile["echo-mode"],
    passiveMode: profile["passive-mode"],
    minimumTtl: profile["minimum-ttl"],
  };
}

/** One resource for all; its places are names there, not numbers. */
function communities(legacy: Legacy, source: LegacySource): Conversion[] {
  const aliases = Object.entries(legacy["bgp-communities"]).map(([name, value]) => ({
    name,
    value,
  }));
  if (aliases.length === 0) return [];
  const made = maker(source)("Community", "communities", "bgp-communities", {
    communities: aliases,
  });
  const at = (field: string): string => {
    const index = Number(/\[(\d+)\]/.exec(field)?.[1]);
    return `${legacyPrefix(source)}.bgp-communities.${aliases[index]?.name ?? ""}`;
  };
  return [{ ...made, origin: { ...made.origin, at } }];
}
