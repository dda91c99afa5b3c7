// What is wrong with BGP resources only when they are looked at together: with each other, with the
// pools they announce, and with the nodes that they meet on.

import type { IpRange } from "../core/address.ts";
import { addressBits, formatRange, rangeSize } from "../core/address.ts";
import type { BfdProfile } from "./bfd-profile.ts";
import type { BgpAdvertisement } from "./bgp-advertisement.ts";
import type { BgpPeer } from "./bgp-peer.ts";
import type { LabelSelector, Labels } from "./label-selector.ts";
import { anySelectorMatches } from "./label-selector.ts";
import type { Pool } from "./pool.ts";
import type { ConfigProblem, Sourced } from "./resource.ts";
import { objectText, problemOf } from "./resource.ts";

export interface BgpResources {
  readonly pools: readonly Sourced<Pool>[];
  readonly peers: readonly Sourced<BgpPeer>[];
  readonly advertisements: readonly Sourced<BgpAdvertisement>[];
  readonly profiles: readonly Sourced<BfdProfile>[];
  /** Names of all profiles, those that are not valid too. */
  readonly profileNames: ReadonlySet<string>;
  /** Labels of the nodes; what meets on none of them is not in conflict. */
  readonly nodes: readonly Labels[];
}

export function bgpProblems(resources: BgpResources): ConfigProblem[] {
  return [
    ...resources.peers.flatMap((peer) => missingProfile(peer, resources)),
    ...resources.peers.flatMap((peer) => echoOverIpv6(peer, resources)),
    ...peerConflicts(resources),
    ...resources.advertisements.flatMap((ad) => tooWide(ad, resources)),
    ...preferenceConflicts(resources),
  ];
}

function missingProfile(
  { value, origin }: Sourced<BgpPeer>,
  { profileNames }: BgpResources,
): ConfigProblem[] {
  const { bfdProfile } = value;
  if (bfdProfile === null || profileNames.has(bfdProfile)) return [];
  const expected = "the name of a BFDProfile that exists";
  return [problemOf(origin, "bfdProfile", { found: `"${bfdProfile}"`, expected })];
}

/** FRR has no BFD echo for IPv6 sessions, and routes of IPv6 may go over any session. */
function echoOverIpv6(
  { value: peer, origin }: Sourced<BgpPeer>,
  { profiles, advertisements, pools }: BgpResources,
): ConfigProblem[] {
  const profile = profiles.find(({ value }) => value.name === peer.bfdProfile);
  if (profile?.value.echoMode !== true) return [];
  const covered = advertisements
    .filter(({ value: { peers } }) => peers.length === 0 || peers.includes(peer.name))
    .flatMap(({ value }) => value.pools);
  const pool = pools.find(({ value }) => covered.includes(value.name) && hasFamily(value, 6));
  if (pool === undefined) return [];
  const found = `"${peer.bfdProfile}", which has echoMode`;
  const expected = `one without, since pool "${pool.value.name}" has IPv6 addresses`;
  return [problemOf(origin, "bfdProfile", { found, expected })];
}

/** What a routing daemon cannot have twice: a peer, an AS number of a VRF, a router ID. */
function peerConflicts({ peers, nodes }: BgpResources): ConfigProblem[] {
  return pairsOf(peers).flatMap(([first, second]) => {
    const [a, b] = [first.value, second.value];
    if (!meet(a.nodeSelectors, b.nodeSelectors, nodes)) return [];
    const other = objectText(first.origin.object);
    const problem = (field: string, found: string, expected: string): ConfigProblem =>
      problemOf(second.origin, field, { found, expected: `${expected} (as in ${other})` });
    const problems: ConfigProblem[] = [];
    if (a.routerId !== null && b.routerId !== null && a.routerId !== b.routerId) {
      problems.push(problem("routerID", `"${b.routerId}"`, `one on a node: "${a.routerId}"`));
    }
    if (a.vrf !== b.vrf) return problems;
    if (textOf(a.to) === textOf(b.to)) {
      const field = "address" in b.to ? "peerAddress" : "interface";
      problems.push(problem(field, `"${textOf(b.to)}"`, "each peer of a node and VRF once"));
    }
    if (a.myAsn !== b.myAsn) {
      problems.push(problem("myASN", String(b.myAsn), `one in a VRF of a node: ${a.myAsn}`));
    }
    return problems;
  });
}

/** A prefix that is wider than all blocks of an entry would draw traffic that is not ours. */
function tooWide(
  { value: ad, origin }: Sourced<BgpAdvertisement>,
  { pools }: BgpResources,
): ConfigProblem[] {
  const covered = new Set(ad.pools);
  return pools.flatMap(({ value: pool }) => {
    if (!covered.has(pool.name)) return [];
    const ranges = pool.ranges.filter((range) => lengthFor(ad, range) < widestPrefix(range));
    return ranges.slice(0, 1).map((range) => {
      const field = range.family === 4 ? "aggregationLength" : "aggregationLengthV6";
      const where = `${formatRange(range)} of pool "${pool.name}"`;
      const found = `${lengthFor(ad, range)}, which is wider than ${where}`;
      return problemOf(origin, field, { found, expected: `at least ${widestPrefix(range)}` });
    });
  });
}

/** One route has one local preference. With serviceSelectors it shows only when announcing. */
function preferenceConflicts({ pools, advertisements, nodes }: BgpResources): ConfigProblem[] {
  return pairsOf(advertisements).flatMap(([first, second]) => {
    const [a, b] = [first.value, second.value];
    if (a.localPref === b.localPref) return [];
    if (a.serviceSelectors.length + b.serviceSelectors.length > 0) return [];
    if (!sharesPeers(a, b) || !meet(a.nodeSelectors, b.nodeSelectors, nodes)) return [];
    const pool = pools.find(({ value }) => isSameRoute(value, a, b));
    if (pool === undefined) return [];
    const { name } = pool.value;
    const other = objectText(first.origin.object);
    const found = `${b.localPref}, while ${other} has ${a.localPref} for routes of pool "${name}"`;
    const expected = "one for the same pool, length, node and peer";
    return [problemOf(second.origin, "localPref", { found, expected })];
  });
}

function isSameRoute(pool: Pool, a: BgpAdvertisement, b: BgpAdvertisement): boolean {
  if (!a.pools.includes(pool.name) || !b.pools.includes(pool.name)) return false;
  const isSameV4 = a.aggregationLength === b.aggregationLength && hasFamily(pool, 4);
  return isSameV4 || (a.aggregationLengthV6 === b.aggregationLengthV6 && hasFamily(pool, 6));
}

function sharesPeers(a: BgpAdvertisement, b: BgpAdvertisement): boolean {
  if (a.peers.length === 0 || b.peers.length === 0) return true;
  return a.peers.some((peer) => b.peers.includes(peer));
}

/** Whether both lists select one node, or, whatever nodes there will be, every node. */
function meet(
  a: readonly LabelSelector[],
  b: readonly LabelSelector[],
  nodes: readonly Labels[],
): boolean {
  if (a.length === 0 && b.length === 0) return true;
  return nodes.some((labels) => selects(a, labels) && selects(b, labels));
}

function selects(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.length === 0 || anySelectorMatches(selectors, labels);
}

function lengthFor(ad: BgpAdvertisement, { family }: IpRange): number {
  return family === 4 ? ad.aggregationLength : ad.aggregationLengthV6;
}

/** Length of the prefix of the largest aligned block in the range. */
export function widestPrefix(range: IpRange): number {
  // A power of two that fits in by size may not fit by alignment; the next smaller one does.
  const exponent = rangeSize(range).toString(2).length - 1;
  const bits = addressBits(range.family);
  return bits - (holdsBlock(range, BigInt(exponent)) ? exponent : exponent - 1);
}

function holdsBlock({ start, end }: IpRange, exponent: bigint): boolean {
  const size = 1n << exponent;
  const first = ((start + size - 1n) >> exponent) << exponent;
  return first + size - 1n <= end;
}

function hasFamily(pool: Pool, family: 4 | 6): boolean {
  return pool.ranges.some((range) => range.family === family);
}

function textOf(to: BgpPeer["to"]): string {
  return "address" in to ? to.address : to.interface;
}

function pairsOf<T>(all: readonly T[]): (readonly [T, T])[] {
  return all.flatMap((second, index) =>
    all.slice(0, index).map((first) => [first, second] as const),
  );
}
