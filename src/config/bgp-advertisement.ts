// BGPAdvertisement: which routes are announced for some pools, how, from where, and to whom.

import { z } from "zod";
import type { CommunityAlias } from "./community.ts";
import { COMMUNITY_EXPECTED, parseCommunity } from "./community.ts";
import { selectors, uint32, uniqueStrings } from "./fields.ts";
import type { LabelSelector } from "./label-selector.ts";
import { selectedPools } from "./pool-selection.ts";
import type { Broken, ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec, problemOf } from "./resource.ts";

export interface BgpAdvertisement {
  readonly name: string;
  /** Pool names; every pool when the resource selects none. */
  readonly pools: readonly string[];
  /** Length of the prefix that is announced for an IPv4 address, 1 to 32. */
  readonly aggregationLength: number;
  /** For an IPv6 address, 1 to 128. */
  readonly aggregationLengthV6: number;
  /** Told to peers of the same AS. */
  readonly localPref: number;
  /** Canonical values, names replaced. */
  readonly communities: readonly string[];
  /** OR-ed; empty: every node. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** Names of BGPPeers; empty: every peer. */
  readonly peers: readonly string[];
  /** OR-ed, on the labels of Services; empty: every Service. */
  readonly serviceSelectors: readonly LabelSelector[];
}

const V4_BITS = 32;
const V6_BITS = 128;

export const bgpAdvertisementSpecSchema = z.strictObject({
  ipAddressPools: uniqueStrings().default([]),
  ipAddressPoolSelectors: selectors().default([]),
  aggregationLength: z.int().min(1).max(V4_BITS).default(V4_BITS),
  aggregationLengthV6: z.int().min(1).max(V6_BITS).default(V6_BITS),
  localPref: uint32.default(0),
  communities: uniqueStrings().default([]),
  nodeSelectors: selectors().default([]),
  peers: uniqueStrings().default([]),
  serviceSelectors: selectors().default([]),
});

const RULES = {
  kind: "BGPAdvertisement",
  schema: bgpAdvertisementSpecSchema,
  rules: brokenRules,
} as const;

export interface BgpSurroundings {
  readonly rawPools: readonly RawResource[];
  readonly aliases: readonly Sourced<CommunityAlias>[];
  /** Names of all aliases, those of resources that are not valid too. */
  readonly aliasNames: ReadonlySet<string>;
}

/** An advertisement that is valid by itself and in the names it uses, or null. */
export function parseBgpAdvertisement(
  raw: RawResource,
  { rawPools, aliases, aliasNames }: BgpSurroundings,
  problems: ConfigProblem[],
): Sourced<BgpAdvertisement> | null {
  const parsed = parseSpec(raw, RULES, problems);
  if (parsed === null) return null;
  const { ipAddressPools: _names, ipAddressPoolSelectors: _labels, ...rest } = parsed.value;
  const pools = selectedPools(parsed.value, rawPools);
  const named = new Map(aliases.map(({ value }) => [value.name, value.value]));
  const communities = rest.communities.flatMap((text, index) => {
    const value = named.get(text) ?? parseCommunity(text);
    if (value !== null) return [value];
    if (aliasNames.has(text)) return [];
    const expected = `${COMMUNITY_EXPECTED}, or a name from a Community resource`;
    const found = `"${text}"`;
    problems.push(problemOf(parsed.origin, `communities[${index}]`, { found, expected }));
    return [];
  });
  return { value: { name: raw.name, pools, ...rest, communities }, origin: parsed.origin };
}

/** A route that others' addresses fall into, too, cannot be announced for some Services only. */
function brokenRules(spec: Readonly<Record<string, unknown>>): Broken[] {
  const { serviceSelectors, aggregationLength, aggregationLengthV6 } = spec;
  if (!Array.isArray(serviceSelectors) || serviceSelectors.length === 0) return [];
  const expected = (bits: number) => `${bits} (or nothing), since there are serviceSelectors`;
  return [
    ...((aggregationLength ?? V4_BITS) === V4_BITS
      ? []
      : [{ field: "aggregationLength", expected: expected(V4_BITS) }]),
    ...((aggregationLengthV6 ?? V6_BITS) === V6_BITS
      ? []
      : [{ field: "aggregationLengthV6", expected: expected(V6_BITS) }]),
  ];
}
