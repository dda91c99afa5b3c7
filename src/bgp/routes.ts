// Which routes a node announces by BGP for its Services, to which peers, and with which attributes.
// Pure: the rules are MetalLB's (BGPAdvertisement of metallb.io).

import type { BgpAdvertisement } from "../config/bgp-advertisement.ts";
import { anySelectorMatches, type LabelSelector, type Labels } from "../config/label-selector.ts";
import type { Ip, IpFamily } from "../core/address.ts";
import { formatPrefix, ipFamily, prefixOf } from "../core/address.ts";
import type { RouteAttributes, RouteClass, RoutePrefix } from "./intent.ts";

/** A Service with its external addresses, as far as announcing them goes. */
export interface ServiceAddresses {
  /** `namespace/name`. */
  readonly key: string;
  readonly labels: Labels;
  /** `pool`: the name of the IPAddressPool that holds it. */
  readonly addresses: readonly { readonly address: Ip; readonly pool: string }[];
}

export interface RoutesInput {
  /** Labels of this node. */
  readonly labels: Labels;
  /** Names of the BGPPeers that select this node. */
  readonly peers: readonly string[];
  readonly advertisements: readonly BgpAdvertisement[];
  /** Those that this node can serve. */
  readonly services: readonly ServiceAddresses[];
}

export interface Routes {
  readonly classes: readonly RouteClass[];
  /** By Service that is announced: the peers that are told, sorted. */
  readonly announced: ReadonlyMap<string, readonly string[]>;
  /** By Service: why it is not, though an advertisement is for it. */
  readonly conflicts: ReadonlyMap<string, string>;
}

interface Entry {
  readonly prefix: RoutePrefix;
  readonly advertisements: Set<BgpAdvertisement>;
}

export function routesOf(input: RoutesInput): Routes {
  const here = input.advertisements.filter((ad) => selects(ad.nodeSelectors, input.labels));
  const entries = new Map<string, Entry>();
  const announced = new Map<string, readonly string[]>();
  const conflicts = new Map<string, string>();
  const services = [...input.services].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const service of services) {
    const wanted = entriesOf(service, here, input.peers);
    const conflict = conflictOf(wanted, entries, input.peers);
    if (conflict !== null) conflicts.set(service.key, conflict);
    if (conflict !== null || wanted.length === 0) continue;
    for (const entry of wanted) join(entries, entry);
    const told = new Set(wanted.flatMap((entry) => peersOf(entry, input.peers)));
    announced.set(service.key, [...told].sort());
  }
  return { classes: classesOf([...entries.values()], input.peers), announced, conflicts };
}

/** The advertisements of a node that are for an address of the pool and a Service of the labels. */
export function advertisementsFor(
  { pool, labels }: { readonly pool: string; readonly labels: Labels },
  advertisements: readonly BgpAdvertisement[],
): BgpAdvertisement[] {
  return advertisements.filter(
    (ad) => ad.pools.includes(pool) && selects(ad.serviceSelectors, labels),
  );
}

export function selects(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.length === 0 || anySelectorMatches(selectors, labels);
}

/** The prefixes that hold its addresses, each with the advertisements that it comes from. */
function entriesOf(
  { labels, addresses }: ServiceAddresses,
  advertisements: readonly BgpAdvertisement[],
  peers: readonly string[],
): Entry[] {
  const entries = new Map<string, Entry>();
  for (const { address, pool } of addresses) {
    const family = ipFamily(address);
    for (const ad of advertisementsFor({ pool, labels }, advertisements)) {
      if (toldBy(ad, peers).length === 0) continue;
      const text = formatPrefix(prefixOf(address, lengthOf(ad, family)));
      join(entries, { prefix: { family, text }, advertisements: new Set([ad]) });
    }
  }
  return [...entries.values()];
}

function lengthOf(ad: BgpAdvertisement, family: IpFamily): number {
  return family === 4 ? ad.aggregationLength : ad.aggregationLengthV6;
}

function join(entries: Map<string, Entry>, { prefix, advertisements }: Entry): void {
  const known = entries.get(prefix.text) ?? { prefix, advertisements: new Set() };
  for (const ad of advertisements) known.advertisements.add(ad);
  entries.set(prefix.text, known);
}

function toldBy({ peers }: BgpAdvertisement, all: readonly string[]): readonly string[] {
  return peers.length === 0 ? all : all.filter((peer) => peers.includes(peer));
}

function peersOf({ advertisements }: Entry, all: readonly string[]): string[] {
  return all.filter((peer) => adsFor(peer, [...advertisements]).length > 0);
}

function adsFor(peer: string, ads: readonly BgpAdvertisement[]): BgpAdvertisement[] {
  return ads.filter(({ peers }) => peers.length === 0 || peers.includes(peer));
}

/** One route has one local preference. With serviceSelectors that shows only here. */
function conflictOf(
  wanted: readonly Entry[],
  entries: ReadonlyMap<string, Entry>,
  peers: readonly string[],
): string | null {
  for (const { prefix, advertisements } of wanted) {
    const all = [...advertisements, ...(entries.get(prefix.text)?.advertisements ?? [])];
    for (const peer of peers) {
      const [first, ...rest] = adsFor(peer, all);
      const other = rest.find(({ localPref }) => localPref !== first?.localPref);
      if (first === undefined || other === undefined) continue;
      const [a, b] = [first, other].sort((x, y) => (x.name < y.name ? -1 : 1)).map(preference);
      return `${a} and ${b} for ${prefix.text} to peer "${peer}": a route has one localPref`;
    }
  }
  return null;
}

function preference({ name, localPref }: BgpAdvertisement): string {
  return `BGPAdvertisement "${name}" has localPref ${localPref}`;
}

/** What comes from the same advertisements is told in the same way. */
function classesOf(entries: readonly Entry[], peers: readonly string[]): RouteClass[] {
  const classes = new Map<string, { ads: BgpAdvertisement[]; prefixes: RoutePrefix[] }>();
  for (const { prefix, advertisements } of entries) {
    const ads = [...advertisements].sort((a, b) => (a.name < b.name ? -1 : 1));
    const name = ads.map((ad) => ad.name).join("+");
    const known = classes.get(name) ?? { ads, prefixes: [] };
    known.prefixes.push(prefix);
    classes.set(name, known);
  }
  return [...classes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { ads, prefixes }]) => ({
      name,
      prefixes: prefixes.sort((a, b) => (a.text < b.text ? -1 : 1)),
      peers: new Map(peers.flatMap((peer) => attributesFor(peer, ads))),
    }));
}

/** The communities of all advertisements that tell the peer of it. */
function attributesFor(
  peer: string,
  advertisements: readonly BgpAdvertisement[],
): [string, RouteAttributes][] {
  const ads = adsFor(peer, advertisements);
  if (ads.length === 0) return [];
  const communities = [...new Set(ads.flatMap((ad) => ad.communities))].sort(byNumbers);
  return [[peer, { communities, localPref: ads[0]?.localPref ?? 0 }]];
}

/** Plain ones before large ones; each by its numbers. */
function byNumbers(a: string, b: string): number {
  const numbers = (text: string): number[] => text.replace("large:", "").split(":").map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  if (left.length !== right.length) return left.length - right.length;
  const index = left.findIndex((number, at) => number !== right[at]);
  return index < 0 ? 0 : (left[index] ?? 0) - (right[index] ?? 0);
}
