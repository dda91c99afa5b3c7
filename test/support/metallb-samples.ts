// Resources of group metallb.io, good and bad, each with what lbd says to it and what the API
// server does under the schemas of deploy/crds.yaml.

import type { RawConfig, RawResource } from "../../src/config/cluster-config.ts";

export type SampleKind = keyof typeof LISTS;

export interface Sample {
  readonly title: string;
  readonly kind: SampleKind;
  /** Default: the version that is stored. */
  readonly version?: "v1beta1" | "v1beta2";
  readonly spec: unknown;
}

export interface BadSample extends Sample {
  /** What is said, each without `<kind> "metallb-system/subject" spec` in front. */
  readonly problems: readonly string[];
  /** What lbd alone can see: it takes another resource, or more than a schema can say. */
  readonly api?: "accepts";
}

export const LISTS = {
  IPAddressPool: "pools",
  L2Advertisement: "advertisements",
  BGPPeer: "bgpPeers",
  BGPAdvertisement: "bgpAdvertisements",
  BFDProfile: "bfdProfiles",
  Community: "communities",
} as const satisfies Readonly<Record<string, keyof RawConfig>>;

const PEER = { myASN: 64_600, peerASN: 64_601, peerAddress: "10.9.0.1" };
const RED = { matchLabels: { team: "red" } };
const EDGE = { matchExpressions: [{ key: "tier", operator: "In", values: ["edge", "dmz"] }] };

/** The least and the most that each kind can say. */
// biome-ignore format: a table
export const GOOD: readonly Sample[] = [
  { title: "addresses alone", kind: "IPAddressPool", spec: { addresses: ["10.9.0.50-10.9.0.80"] } },
  { title: "every field", kind: "IPAddressPool", spec: {
    addresses: ["10.9.1.0/28", "10.9.2.7 - 10.9.2.9", "fd00:9::/120"],
    autoAssign: false, avoidBuggyIPs: true,
    serviceAllocation: {
      priority: 10, namespaces: ["shop", "bank"], namespaceSelectors: [RED],
      serviceSelectors: [EDGE, RED],
    },
  } },
  { title: "a priority alone", kind: "IPAddressPool",
    spec: { addresses: ["10.9.0.0/30"], serviceAllocation: { priority: 1 } } },
  { title: "nothing", kind: "L2Advertisement", spec: undefined },
  { title: "every field", kind: "L2Advertisement", spec: {
    ipAddressPools: ["lan"], ipAddressPoolSelectors: [RED], nodeSelectors: [EDGE],
    interfaces: ["bond0", "eth1.100"], serviceSelectors: [RED],
    preferredNodeSelectors: [{ weight: 1, preference: RED }, { weight: 100, preference: {} }],
  } },
  { title: "the least", kind: "BGPPeer", spec: PEER },
  { title: "the least", kind: "BGPPeer", version: "v1beta1", spec: PEER },
  { title: "every field of its own", kind: "BGPPeer", version: "v1beta1", spec: {
    ...PEER, peerPort: 0, sourceAddress: "10.9.0.9", routerID: "10.9.0.9", holdTime: "9s",
    keepaliveTime: "3s", nodeSelectors: [RED], password: "hush", bfdProfile: "fast",
    ebgpMultiHop: true,
  } },
  { title: "every field that goes with an address", kind: "BGPPeer", spec: {
    myASN: 4_294_967_295, peerASN: 1, localASN: 65_001, peerAddress: "fd00:9::1", peerPort: 16_384,
    sourceAddress: "fd00:9::9", routerID: "10.9.0.9", holdTime: "1m30s", keepaliveTime: "30s",
    connectTime: "10s", nodeSelectors: [RED, EDGE], password: "hush", bfdProfile: "fast",
    enableGracefulRestart: true, ebgpMultiHop: true, vrf: "red", dualStackAddressFamily: true,
    disableMP: true,
  } },
  { title: "an interface, any other AS and a Secret", kind: "BGPPeer", spec: {
    myASN: 64_600, dynamicASN: "external", interface: "eth1", holdTime: "0s",
    passwordSecret: { name: "tor", namespace: "metallb-system" },
  } },
  { title: "the own AS, and a keepalive time alone", kind: "BGPPeer", spec: {
    myASN: 64_600, dynamicASN: "internal", peerAddress: "10.9.0.1", keepaliveTime: "1s",
  } },
  { title: "nothing", kind: "BGPAdvertisement", spec: undefined },
  { title: "every field", kind: "BGPAdvertisement", spec: {
    ipAddressPools: ["lan"], ipAddressPoolSelectors: [RED], aggregationLength: 30,
    aggregationLengthV6: 126, localPref: 4_294_967_295,
    communities: ["no-export-here", "64512:100", "large:64512:1:2"],
    nodeSelectors: [EDGE], peers: ["tor", "yet-to-come"],
  } },
  { title: "selected Services", kind: "BGPAdvertisement", spec: {
    serviceSelectors: [RED, EDGE], aggregationLength: 32, aggregationLengthV6: 128, localPref: 5,
  } },
  { title: "nothing", kind: "BFDProfile", spec: undefined },
  { title: "the least of each", kind: "BFDProfile", spec: {
    receiveInterval: 10, transmitInterval: 10, echoInterval: 10, detectMultiplier: 2,
    echoMode: true, passiveMode: true, minimumTtl: 1,
  } },
  { title: "the most of each", kind: "BFDProfile", spec: {
    receiveInterval: 60_000, transmitInterval: 60_000, echoInterval: 60_000,
    detectMultiplier: 255, echoMode: false, passiveMode: false, minimumTtl: 254,
  } },
  { title: "nothing", kind: "Community", spec: {} },
  { title: "two names", kind: "Community", spec: { communities: [
    { name: "mine", value: "65535:65281" }, { name: "larger", value: "large:4294967295:0:7" },
  ] } },
];

const PASSWORD_SECRET = { name: "tor" };
const ONE_OF_ASN = "expected a number, or dynamicASN, and not both";
const ONE_OF_PEER = "expected an address, or interface, and not both";
const HOLD = 'expected "0s", or from "3s" to "65535s"';
const COMMUNITY = 'expected a community such as "64512:100" or "large:64512:1:2"';
const CONNECT = 'expected whole seconds, from "1s" to "65535s"';
const POOL = { addresses: ["10.9.0.0/30"] };

/** Bounds, one after the other. */
// biome-ignore format: a table
export const BAD: readonly BadSample[] = [
  { title: "no addresses", kind: "IPAddressPool", spec: { autoAssign: true },
    problems: [".addresses: found nothing, expected a value of type array"] },
  { title: "an empty list of addresses", kind: "IPAddressPool", spec: { addresses: [] },
    problems: [".addresses: found [], expected at least 1 entry"] },
  { title: "a word", kind: "IPAddressPool", spec: { addresses: ["10.9.0.0/30", "x"] },
    api: "accepts", problems: ['.addresses[1]: found "x", expected a CIDR or a range'] },
  { title: "a namespace twice", kind: "IPAddressPool",
    spec: { ...POOL, serviceAllocation: { namespaces: ["a", "a"] } }, api: "accepts",
    problems: ['.serviceAllocation.namespaces: found ["a","a"], expected no name twice'] },
  { title: "a selector twice", kind: "IPAddressPool",
    spec: { ...POOL, serviceAllocation: { serviceSelectors: [{}, {}] } }, api: "accepts",
    problems: [".serviceAllocation.serviceSelectors: found [{},{}], expected no selector twice"] },
  { title: "a value twice", kind: "IPAddressPool", spec: { ...POOL, serviceAllocation: {
    namespaceSelectors: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b", "b"] }] }],
  } }, api: "accepts", problems: [
    ".serviceAllocation.namespaceSelectors[0].matchExpressions[0].values: " +
      'found ["b","b"], expected no value twice'] },
  { title: "a priority that is no number", kind: "IPAddressPool",
    spec: { ...POOL, serviceAllocation: { priority: "first" } }, problems: [
      '.serviceAllocation.priority: found "first", expected a value of type number'] },
  { title: "a preference of weight 0", kind: "L2Advertisement",
    spec: { preferredNodeSelectors: [{ weight: 0, preference: {} }] },
    problems: [".preferredNodeSelectors[0].weight: found 0, expected at least 1"] },
  { title: "a preference of weight 101", kind: "L2Advertisement",
    spec: { preferredNodeSelectors: [{ weight: 101, preference: {} }] },
    problems: [".preferredNodeSelectors[0].weight: found 101, expected at most 100"] },
  { title: "a preference for nothing", kind: "L2Advertisement",
    spec: { preferredNodeSelectors: [{ weight: 5 }] }, problems: [
      ".preferredNodeSelectors[0].preference: found nothing, expected a value of type object"] },
  { title: "a selector of Services twice", kind: "L2Advertisement",
    spec: { serviceSelectors: [{}, {}] }, api: "accepts",
    problems: [".serviceSelectors: found [{},{}], expected no selector twice"] },

  { title: "no number of its own", kind: "BGPPeer", spec: { ...PEER, myASN: undefined },
    problems: [".myASN: found nothing, expected a value of type number"] },
  { title: "AS 0", kind: "BGPPeer", spec: { ...PEER, myASN: 0 },
    problems: [".myASN: found 0, expected at least 1"] },
  { title: "an AS number of 33 bits", kind: "BGPPeer", spec: { ...PEER, myASN: 4_294_967_296 },
    problems: [".myASN: found 4294967296, expected at most 4294967295"] },
  { title: "no AS number of the peer", kind: "BGPPeer", spec: { ...PEER, peerASN: undefined },
    problems: [`.peerASN: found nothing, ${ONE_OF_ASN}`] },
  { title: "AS 0 of the peer", kind: "BGPPeer", spec: { ...PEER, peerASN: 0 },
    problems: [`.peerASN: found 0, ${ONE_OF_ASN}`] },
  { title: "both kinds of the peer's AS", kind: "BGPPeer",
    spec: { ...PEER, dynamicASN: "internal" }, problems: [`.peerASN: found 64601, ${ONE_OF_ASN}`] },
  { title: "an unknown kind of AS", kind: "BGPPeer",
    spec: { ...PEER, peerASN: undefined, dynamicASN: "any" },
    problems: ['.dynamicASN: found "any", expected "internal" or "external"'] },
  { title: "local AS 0", kind: "BGPPeer", spec: { ...PEER, localASN: 0 },
    problems: [".localASN: found 0, expected at least 1"] },
  { title: "no peer", kind: "BGPPeer", spec: { ...PEER, peerAddress: undefined },
    problems: [`.peerAddress: found nothing, ${ONE_OF_PEER}`] },
  { title: "an address and an interface", kind: "BGPPeer", spec: { ...PEER, interface: "eth1" },
    problems: [`.peerAddress: found "10.9.0.1", ${ONE_OF_PEER}`] },
  { title: "a host name", kind: "BGPPeer", spec: { ...PEER, peerAddress: "tor.example" },
    api: "accepts", problems: ['.peerAddress: found "tor.example", expected an IP address'] },
  { title: "a source that is a prefix", kind: "BGPPeer",
    spec: { ...PEER, sourceAddress: "10.9.0.9/24" }, api: "accepts",
    problems: ['.sourceAddress: found "10.9.0.9/24", expected an IP address'] },
  { title: "a router ID of IPv6", kind: "BGPPeer", spec: { ...PEER, routerID: "fd00::1" },
    api: "accepts", problems: ['.routerID: found "fd00::1", expected an IPv4 address'] },
  { title: "port 16385", kind: "BGPPeer", spec: { ...PEER, peerPort: 16_385 },
    problems: [".peerPort: found 16385, expected at most 16384"] },
  { title: "port -1", kind: "BGPPeer", version: "v1beta1", spec: { ...PEER, peerPort: -1 },
    problems: [".peerPort: found -1, expected at least 0"] },
  { title: "a hold time without a unit", kind: "BGPPeer", spec: { ...PEER, holdTime: "90" },
    api: "accepts",
    problems: ['.holdTime: found "90", expected a duration such as "90s" or "1m30s"'] },
  { title: "a hold time of 2 s", kind: "BGPPeer", spec: { ...PEER, holdTime: "2s" },
    api: "accepts", problems: [`.holdTime: found "2s", ${HOLD}`] },
  { title: "a hold time of a day", kind: "BGPPeer", spec: { ...PEER, holdTime: "24h" },
    api: "accepts", problems: [`.holdTime: found "24h", ${HOLD}`] },
  { title: "a keepalive time that asks for too short a hold time", kind: "BGPPeer",
    spec: { ...PEER, keepaliveTime: "0.9s" }, api: "accepts", problems: [
      '.keepaliveTime: found "0.9s", expected a third of a hold time, which is "0s", ' +
        'or from "3s" to "65535s"'] },
  { title: "keepalives rarer than the hold time", kind: "BGPPeer",
    spec: { ...PEER, holdTime: "30s", keepaliveTime: "31s" }, api: "accepts",
    problems: ['.keepaliveTime: found "31s", expected at most holdTime, which is 30 s'] },
  { title: "a connect time of 1.5 s", kind: "BGPPeer", spec: { ...PEER, connectTime: "1500ms" },
    problems: [`.connectTime: found "1500ms", ${CONNECT}`] },
  { title: "a connect time of 0", kind: "BGPPeer", spec: { ...PEER, connectTime: "0s" },
    problems: [`.connectTime: found "0s", ${CONNECT}`] },
  { title: "a connect time of 65536 s", kind: "BGPPeer", spec: { ...PEER, connectTime: "65536s" },
    problems: [`.connectTime: found "65536s", ${CONNECT}`] },
  { title: "two passwords", kind: "BGPPeer",
    spec: { ...PEER, password: "hush", passwordSecret: PASSWORD_SECRET }, problems: [
      '.passwordSecret: found {"name":"tor"}, expected nothing beside password: keep one of them',
    ] },
  { title: "a password with a line break, which is not shown", kind: "BGPPeer",
    spec: { ...PEER, password: "a\nno router bgp 1" }, api: "accepts",
    problems: [
      ".password: found (not shown), expected up to 80 characters of ASCII, without spaces"] },
  { title: "an interface that no interface can be called", kind: "BGPPeer",
    spec: { ...PEER, peerAddress: "", interface: "eth0\nx" }, api: "accepts", problems: [
      '.interface: found "eth0\\nx", ' +
        "expected the name of an interface: up to 15 characters, no spaces"] },
  { title: "a VRF that no VRF can be called", kind: "BGPPeer",
    spec: { ...PEER, vrf: "a b" }, api: "accepts", problems: [
      '.vrf: found "a b", expected the name of an interface: up to 15 characters, no spaces'] },
  { title: "a password that is a number, which is not shown", kind: "BGPPeer",
    spec: { ...PEER, password: 1234 },
    problems: [".password: found (not shown), expected a value of type string"] },
  { title: "a BFD profile that is not there", kind: "BGPPeer", spec: { ...PEER, bfdProfile: "x" },
    api: "accepts",
    problems: ['.bfdProfile: found "x", expected the name of a BFDProfile that exists'] },
  { title: "a field of v1beta2", kind: "BGPPeer", version: "v1beta1", spec: { ...PEER, vrf: "red" },
    problems: [".vrf: found an unknown key, expected a key that lbd knows (check the spelling)"] },
  { title: "no AS number of the peer", kind: "BGPPeer", version: "v1beta1",
    spec: { ...PEER, peerASN: undefined },
    problems: [
      ".peerASN: found nothing, expected a value of type number",
    ] },
  { title: "an empty address", kind: "BGPPeer", version: "v1beta1",
    spec: { ...PEER, peerAddress: "" }, api: "accepts",
    problems: ['.peerAddress: found "", expected an IP address'] },

  { title: "an aggregation length of 0", kind: "BGPAdvertisement", spec: { aggregationLength: 0 },
    problems: [".aggregationLength: found 0, expected at least 1"] },
  { title: "an aggregation length of 33", kind: "BGPAdvertisement", spec: { aggregationLength: 33 },
    problems: [".aggregationLength: found 33, expected at most 32"] },
  { title: "an aggregation length of 129", kind: "BGPAdvertisement",
    spec: { aggregationLengthV6: 129 },
    problems: [".aggregationLengthV6: found 129, expected at most 128"] },
  { title: "an aggregate of some Services", kind: "BGPAdvertisement",
    spec: { aggregationLength: 31, serviceSelectors: [{}] },
    problems: [
      ".aggregationLength: found 31, expected 32 (or nothing), since there are serviceSelectors"] },
  { title: "an IPv6 aggregate of some Services", kind: "BGPAdvertisement",
    spec: { aggregationLengthV6: 127, serviceSelectors: [{}] },
    problems: [".aggregationLengthV6: found 127, " +
      "expected 128 (or nothing), since there are serviceSelectors"] },
  { title: "a prefix wider than the pool", kind: "BGPAdvertisement",
    spec: { aggregationLength: 24 }, api: "accepts", problems: [
      ".aggregationLength: found 24, which is wider than 10.9.0.0-10.9.0.15 of pool \"lan\", " +
        "expected at least 28"] },
  { title: "a negative preference", kind: "BGPAdvertisement", spec: { localPref: -1 },
    problems: [".localPref: found -1, expected at least 0"] },
  { title: "an unknown name of a community", kind: "BGPAdvertisement",
    spec: { communities: ["64512:1", "nowhere"] }, api: "accepts", problems: [
      `.communities[1]: found "nowhere", ${COMMUNITY}, or a name from a Community resource`] },
  { title: "a peer twice", kind: "BGPAdvertisement", spec: { peers: ["tor", "tor"] },
    api: "accepts", problems: ['.peers: found ["tor","tor"], expected no name twice'] },

  ...(["receiveInterval", "transmitInterval", "echoInterval"] as const).flatMap((field) => [
    { title: `${field} 9`, kind: "BFDProfile", spec: { [field]: 9 },
      problems: [`.${field}: found 9, expected at least 10`] } as const,
    { title: `${field} 60001`, kind: "BFDProfile", spec: { [field]: 60_001 },
      problems: [`.${field}: found 60001, expected at most 60000`] } as const,
  ]),
  { title: "a multiplier of 1", kind: "BFDProfile", spec: { detectMultiplier: 1 },
    problems: [".detectMultiplier: found 1, expected at least 2"] },
  { title: "a multiplier of 256", kind: "BFDProfile", spec: { detectMultiplier: 256 },
    problems: [".detectMultiplier: found 256, expected at most 255"] },
  { title: "a TTL of 0", kind: "BFDProfile", spec: { minimumTtl: 0 },
    problems: [".minimumTtl: found 0, expected at least 1"] },
  { title: "a TTL of 255", kind: "BFDProfile", spec: { minimumTtl: 255 },
    problems: [".minimumTtl: found 255, expected at most 254"] },

  ...["65536:1", "1", "1:2:3", "large:1:2", "large:1:2:4294967296", "a:b", ":", "-1:2"].map(
    (value) => ({
      title: `"${value}"`, kind: "Community", spec: { communities: [{ name: "a", value }] },
      api: "accepts", problems: [`.communities[0].value: found "${value}", ${COMMUNITY}`],
    }) as const,
  ),
  { title: "a name twice", kind: "Community", spec: { communities: [
    { name: "a", value: "1:1" }, { name: "a", value: "1:2" },
  ] }, api: "accepts", problems: [
    '.communities[1].name: found "a", which Community "metallb-system/subject" ' +
      "spec.communities[0].name is called, too, expected every name once"] },
];

const NAMESPACE = "metallb-system";

/** The sample as the API gives it, called "subject". */
export function resourceOf({ kind, version, spec }: Sample): RawResource {
  const apiVersion = `metallb.io/${versionOf({ kind, version })}`;
  // As JSON has it: what is undefined is not there.
  const plain = spec === undefined ? undefined : JSON.parse(JSON.stringify(spec));
  return { name: "subject", namespace: NAMESPACE, labels: {}, spec: plain, apiVersion };
}

export function versionOf({ kind, version }: Pick<Sample, "kind"> & { version?: unknown }) {
  return version ?? (kind === "BGPPeer" ? "v1beta2" : "v1beta1");
}

/** A configuration with the sample beside what samples refer to. */
export function configWith(sample: Sample): RawConfig {
  const named = (name: string, spec: unknown): RawResource => ({
    ...{ name, namespace: NAMESPACE, labels: {}, spec },
  });
  const around = {
    pools: [named("lan", { addresses: ["10.9.0.0/28"] })],
    advertisements: [],
    bgpPeers: [],
    bgpAdvertisements: [],
    bfdProfiles: [named("fast", { receiveInterval: 100, echoMode: false })],
    communities: [
      named("names", { communities: [{ name: "no-export-here", value: "65535:65281" }] }),
    ],
  };
  const list = LISTS[sample.kind];
  const others = sample.kind === "IPAddressPool" ? [] : around[list];
  return { ...around, [list]: [...others, resourceOf(sample)] };
}
