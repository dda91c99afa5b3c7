// The cluster's configuration: the resources of group metallb.io, read together and accepted as a
// whole or not at all. Raw objects in, config or all problems out.

import type { BfdProfile } from "./bfd-profile.ts";
import { parseBfdProfile } from "./bfd-profile.ts";
import type { BgpAdvertisement } from "./bgp-advertisement.ts";
import { parseBgpAdvertisement } from "./bgp-advertisement.ts";
import { bgpProblems } from "./bgp-checks.ts";
import type { BgpPeer } from "./bgp-peer.ts";
import { parseBgpPeer } from "./bgp-peer.ts";
import type { CommunityAlias } from "./community.ts";
import { aliasNames, aliasProblems, parseCommunities } from "./community.ts";
import type { Advertisement } from "./l2-advertisement.ts";
import { parseL2Advertisement } from "./l2-advertisement.ts";
import type { Labels } from "./label-selector.ts";
import { overlapProblems } from "./overlap.ts";
import type { Pool } from "./pool.ts";
import { parsePool } from "./pool.ts";
import type { ConfigProblem, ParsedConfig, RawResource, Sourced } from "./resource.ts";
import { byName } from "./resource.ts";

export type { Advertisement, PreferredNodes } from "./l2-advertisement.ts";
export type { Pool } from "./pool.ts";
export type { ConfigProblem, RawResource } from "./resource.ts";

/** What is validated already and not acted on yet. */
export interface BgpConfig {
  readonly peers: readonly BgpPeer[];
  readonly advertisements: readonly BgpAdvertisement[];
  readonly bfdProfiles: readonly BfdProfile[];
  readonly communities: readonly CommunityAlias[];
}

/** Every list is sorted by name. */
export interface ClusterConfig {
  readonly pools: readonly Pool[];
  readonly advertisements: readonly Advertisement[];
  readonly bgp: BgpConfig;
}

export const EMPTY_CLUSTER_CONFIG: ClusterConfig = {
  pools: [],
  advertisements: [],
  bgp: { peers: [], advertisements: [], bfdProfiles: [], communities: [] },
};

export interface RawConfig {
  readonly pools: readonly RawResource[];
  readonly advertisements: readonly RawResource[];
  readonly bgpPeers?: readonly RawResource[];
  readonly bgpAdvertisements?: readonly RawResource[];
  readonly bfdProfiles?: readonly RawResource[];
  readonly communities?: readonly RawResource[];
  /** Labels of the nodes, for what must not meet on one of them. */
  readonly nodes?: readonly Labels[];
}

/** Each list of resources, read by the `kind` that the Kubernetes API gives them. */
export function rawConfigOf(
  read: (kind: string) => readonly RawResource[],
): Required<Omit<RawConfig, "nodes">> {
  return {
    pools: read("IPAddressPool"),
    advertisements: read("L2Advertisement"),
    bgpPeers: read("BGPPeer"),
    bgpAdvertisements: read("BGPAdvertisement"),
    bfdProfiles: read("BFDProfile"),
    communities: read("Community"),
  };
}

/** The whole configuration from raw resources; any problem refuses all of it. */
export function parseClusterConfig(raw: RawConfig): ParsedConfig<ClusterConfig> {
  const problems: ConfigProblem[] = [];
  const rawPools = [...raw.pools].sort(byName);
  const pools = parseAll(rawPools, (one) => parsePool(one, problems));
  const advertisements = parseAll(raw.advertisements, (one) =>
    parseL2Advertisement(one, rawPools, problems),
  );
  problems.push(...overlapProblems(pools));
  const bgp = parseBgp({ raw, rawPools, pools }, problems);
  if (problems.length > 0) return { ok: false, problems };
  const value = { pools: valuesOf(pools), advertisements: valuesOf(advertisements), bgp };
  return { ok: true, value };
}

interface BgpInput {
  readonly raw: RawConfig;
  readonly rawPools: readonly RawResource[];
  readonly pools: readonly Sourced<Pool>[];
}

function parseBgp({ raw, rawPools, pools }: BgpInput, problems: ConfigProblem[]): BgpConfig {
  const { bfdProfiles = [], communities = [], nodes = [] } = raw;
  const profiles = parseAll(bfdProfiles, (one) => parseBfdProfile(one, problems));
  const peers = parseAll(raw.bgpPeers ?? [], (one) => parseBgpPeer(one, problems));
  const aliases = [...communities].sort(byName).flatMap((one) => parseCommunities(one, problems));
  problems.push(...aliasProblems(aliases));
  const around = { rawPools, aliases, aliasNames: aliasNames(communities) };
  const advertisements = parseAll(raw.bgpAdvertisements ?? [], (one) =>
    parseBgpAdvertisement(one, around, problems),
  );
  const profileNames = new Set(bfdProfiles.map(({ name }) => name));
  problems.push(...bgpProblems({ pools, peers, advertisements, profiles, profileNames, nodes }));
  return {
    peers: valuesOf(peers),
    advertisements: valuesOf(advertisements),
    bfdProfiles: valuesOf(profiles),
    communities: valuesOf(aliases).sort(byName),
  };
}

function parseAll<T>(
  raws: readonly RawResource[],
  parse: (raw: RawResource) => Sourced<T> | null,
): Sourced<T>[] {
  return [...raws].sort(byName).flatMap((raw) => parse(raw) ?? []);
}

function valuesOf<T>(all: readonly Sourced<T>[]): T[] {
  return all.map(({ value }) => value);
}
