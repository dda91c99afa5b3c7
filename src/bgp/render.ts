// From what is to be said to the lines of FRR's configuration, in the form in which FRR prints them
// (tried with 8.4). Pure.

import type { BfdProfile } from "../config/bfd-profile.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import { DEFAULT_PORT } from "../config/bgp-peer.ts";
import { type IpFamily, ipFamily } from "../core/address.ts";
import type { BgpIntent, PeerIntent, RouteAttributes, RouteClass } from "./intent.ts";
import type { ConfigLine } from "./lines.ts";
import * as names from "./names.ts";

/** What is known of the instance that the lines go to. */
export interface InstanceForm {
  /** The administrator's: its settings stay as they are. */
  readonly isForeign: boolean;
  /** Sessions carry IPv4 routes unless it is said that they do not: FRR's default. */
  readonly hasDefaultIpv4: boolean;
}

export const OWN_INSTANCE: InstanceForm = { isForeign: false, hasDefaultIpv4: false };

/** Sooner than FRR's 120 s: a router that was away is soon connected again. */
const CONNECT_SECONDS = 10;
/** What FRR does not print, since it is so anyway (RFC 5880 leaves it to the implementation). */
export const BFD_DEFAULTS: Readonly<Record<string, number>> = {
  "detect-multiplier": 3,
  "transmit-interval": 300,
  "receive-interval": 300,
  "echo transmit-interval": 50,
  "echo receive-interval": 50,
  "minimum-ttl": 254,
};
/** RFC 1997, 3765, 7999, 8326, and IANA's registry, as FRR calls them. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  "0:0": "internet",
  "65535:0": "graceful-shutdown",
  "65535:1": "accept-own",
  "65535:2": "route-filter-translated-v4",
  "65535:3": "route-filter-v4",
  "65535:4": "route-filter-translated-v6",
  "65535:5": "route-filter-v6",
  "65535:6": "llgr-stale",
  "65535:7": "no-llgr",
  "65535:8": "accept-own-nexthop",
  "65535:666": "blackhole",
  "65535:65281": "no-export",
  "65535:65282": "no-advertise",
  "65535:65283": "local-AS",
  "65535:65284": "no-peer",
};
/** Of an instance that lbd makes. */
export const OWN_SETTINGS = [
  "no bgp ebgp-requires-policy",
  "no bgp default ipv4-unicast",
  "bgp graceful-restart preserve-fw-state",
  "no bgp network import-check",
] as const;
const FAMILIES = [4, 6] as const;

const LAST = 65_535;

/** By VRF; "": the host's main routing table. */
export type FormOf = (vrf: string) => InstanceForm;

export function renderFrr(intent: BgpIntent, formOf: FormOf): ConfigLine[] {
  if (intent.peers.length === 0) return [];
  const numbers = names.classNumbers(intent.classes.map(({ name }) => name));
  return [
    ...intent.bfdProfiles.flatMap(profileLines),
    { in: [], line: `route-map ${names.MAP_IN} deny 10` },
    ...intent.classes.flatMap((one) => mapNetworkLines(one, numbers)),
    ...intent.peers.flatMap(({ peer }) => mapOutLines(peer.name, intent.classes, numbers)),
    ...vrfsOf(intent.peers).flatMap((vrf) => instanceLines(vrf, intent, formOf(vrf))),
  ];
}

export function vrfsOf(peers: readonly PeerIntent[]): string[] {
  return [...new Set(peers.map(({ peer }) => peer.vrf))].sort();
}

export function instanceHeader(asn: number, vrf: string): string {
  return vrf === "" ? `router bgp ${asn}` : `router bgp ${asn} vrf ${vrf}`;
}

/** By which FRR knows the session. */
export function neighborName({ to }: Pick<BgpPeer, "to">): string {
  return "address" in to ? to.address : to.interface;
}

function profileLines(profile: BfdProfile): ConfigLine[] {
  const header = `profile ${names.profileName(profile.name)}`;
  const { receiveIntervalMs, transmitIntervalMs, echoIntervalMs } = profile;
  const { detectMultiplier, minimumTtl } = profile;
  const unlessUsual = (value: number | null, verb: string): string[] =>
    value === null || value === BFD_DEFAULTS[verb] ? [] : [`${verb} ${value}`];
  const lines = [
    ...unlessUsual(detectMultiplier, "detect-multiplier"),
    ...unlessUsual(transmitIntervalMs, "transmit-interval"),
    ...unlessUsual(receiveIntervalMs, "receive-interval"),
    ...(profile.passiveMode ? ["passive-mode"] : []),
    ...(profile.echoMode ? ["echo-mode"] : []),
    ...unlessUsual(echoIntervalMs, "echo transmit-interval"),
    ...unlessUsual(echoIntervalMs, "echo receive-interval"),
    ...unlessUsual(minimumTtl, "minimum-ttl"),
  ];
  return [
    { in: [], line: "bfd" },
    { in: ["bfd"], line: header },
    ...lines.map((line) => ({ in: ["bfd", header], line })),
  ];
}

type Numbers = ReadonlyMap<string, number>;

/** A tag, and no list of prefixes: FRR takes half a minute for a list of a thousand. */
function mapNetworkLines({ name }: RouteClass, numbers: Numbers): ConfigLine[] {
  const header = `route-map ${names.mapNetwork(name)} permit 10`;
  const line = `set tag ${names.tagOf(numbers.get(name) ?? 0)}`;
  return [
    { in: [], line: header },
    { in: [header], line },
  ];
}

/** Whatever is in no class is not told: a route-map ends with "deny". */
function mapOutLines(peer: string, classes: readonly RouteClass[], numbers: Numbers): ConfigLine[] {
  const map = names.mapOut(peer);
  const used = classes.flatMap(({ name, peers }) => {
    const attributes = peers.get(peer);
    const number = numbers.get(name) ?? 0;
    if (attributes === undefined) return [];
    const header = `route-map ${map} permit ${number}`;
    const lines = [`match tag ${names.tagOf(number)}`, ...setLines(attributes)];
    return [{ in: [], line: header }, ...lines.map((line) => ({ in: [header], line }))];
  });
  // Without an entry there would be no such route-map, which is the same as none: all is told. The
  // last number: what is let out later must not wait for this one to go.
  return used.length > 0 ? used : [{ in: [], line: `route-map ${map} deny ${LAST}` }];
}

function setLines({ communities, localPref }: RouteAttributes): string[] {
  const large = communities.flatMap((one) => (one.startsWith("large:") ? [one.slice(6)] : []));
  const plain = communities.filter((one) => !one.startsWith("large:"));
  return [
    ...(plain.length === 0 ? [] : [`set community ${plain.map(communityName).join(" ")}`]),
    ...(large.length === 0 ? [] : [`set large-community ${large.join(" ")}`]),
    ...(localPref === 0 ? [] : [`set local-preference ${localPref}`]),
  ];
}

function communityName(value: string): string {
  return WELL_KNOWN[value] ?? value;
}

function instanceLines(vrf: string, intent: BgpIntent, form: InstanceForm): ConfigLine[] {
  const peers = intent.peers.filter(({ peer }) => peer.vrf === vrf);
  const header = instanceHeader(peers[0]?.peer.myAsn ?? 0, vrf);
  const routerId = peers.map(({ peer }) => peer.routerId).find((id) => id !== null);
  const settings = [
    ...(routerId === undefined ? [] : [`bgp router-id ${routerId}`]),
    ...OWN_SETTINGS,
  ];
  return [
    ...(form.isForeign ? [] : [{ in: [], line: header }]),
    ...(form.isForeign ? [] : settings.map((line) => ({ in: [header], line }))),
    ...peers.flatMap((one) => sessionLines(one).map((line) => ({ in: [header], line }))),
    ...FAMILIES.flatMap((family) => familyLines({ family, header, peers, intent, form })),
  ];
}

function sessionLines({ peer, password }: PeerIntent): string[] {
  const name = neighborName(peer);
  const remote = `remote-as ${peer.peerAsn}`;
  const of = (rest: string): string => `neighbor ${name} ${rest}`;
  const { localAsn, port, sourceAddress, timers, connectMs, bfdProfile } = peer;
  const seconds = (ms: number): number => Math.round(ms / 1_000);
  return [
    "address" in peer.to ? of(remote) : of(`interface ${remote}`),
    of(`description ${names.description(peer.name)}`),
    ...(localAsn === null ? [] : [of(`local-as ${localAsn} no-prepend replace-as`)]),
    ...(bfdProfile === null ? [] : [of("bfd"), of(`bfd profile ${names.profileName(bfdProfile)}`)]),
    ...(password === null ? [] : [of(`password ${password}`)]),
    ...(port === DEFAULT_PORT ? [] : [of(`port ${port}`)]),
    ...(peer.ebgpMultiHop && isExternal(peer) ? [of("ebgp-multihop 255")] : []),
    ...(isFarWithoutSaying(peer) ? [of("disable-connected-check")] : []),
    ...(sourceAddress === null ? [] : [of(`update-source ${sourceAddress}`)]),
    ...(timers === null
      ? []
      : [of(`timers ${seconds(timers.keepaliveMs)} ${seconds(timers.holdMs)}`)]),
    of(`timers connect ${connectMs === null ? CONNECT_SECONDS : seconds(connectMs)}`),
    ...(peer.gracefulRestart ? [of("graceful-restart")] : []),
  ];
}

/** As MetalLB has it: over IPv6 a peer of another AS need not be on a network of the host. */
function isFarWithoutSaying({ to, ebgpMultiHop, peerAsn, myAsn }: BgpPeer): boolean {
  if (!("address" in to) || ipFamily(to.address) === 4 || ebgpMultiHop) return false;
  return isExternal({ to, peerAsn, myAsn });
}

/** Of another AS, and known by its address: to others FRR says nothing of hops. */
function isExternal({ to, peerAsn, myAsn }: Pick<BgpPeer, "to" | "peerAsn" | "myAsn">): boolean {
  return "address" in to && peerAsn !== "internal" && peerAsn !== myAsn;
}

interface FamilyInput {
  readonly family: IpFamily;
  readonly header: string;
  readonly peers: readonly PeerIntent[];
  readonly intent: BgpIntent;
  readonly form: InstanceForm;
}

function familyLines({ family, header, peers, intent, form }: FamilyInput): ConfigLine[] {
  const block = `address-family ipv${family} unicast`;
  const told = intent.classes.filter((one) => peers.some(({ peer }) => one.peers.has(peer.name)));
  const prefixes = told.flatMap(({ name, prefixes: all }) =>
    all
      .filter((prefix) => prefix.family === family)
      .map(({ text }) => `network ${text} route-map ${names.mapNetwork(name)}`),
  );
  const sessions = peers.flatMap(({ peer }) => {
    const name = neighborName(peer);
    const isOn = familiesOf(peer).includes(family);
    const isDefault = family === 4 && form.hasDefaultIpv4;
    if (!isOn) return isDefault ? [`no neighbor ${name} activate`] : [];
    return [
      `neighbor ${name} route-map ${intent.routeMapIn ?? names.MAP_IN} in`,
      `neighbor ${name} route-map ${names.mapOut(peer.name)} out`,
      ...(isDefault ? [] : [`neighbor ${name} activate`]),
    ];
  });
  return [...prefixes, ...sessions].map((line) => ({ in: [header, block], line }));
}

/** Over IPv4 go routes of IPv4, over IPv6 those of IPv6; over both go both where that is asked. */
function familiesOf({ to, dualStackAddressFamily }: BgpPeer): readonly IpFamily[] {
  if (dualStackAddressFamily || "interface" in to) return FAMILIES;
  return [ipFamily(to.address)];
}
