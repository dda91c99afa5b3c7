// The cluster's configuration: IPAddressPools and L2Advertisements of group metallb.io, read
// together and accepted as a whole or not at all. Raw objects in, config or all problems out.

import { z } from "zod";
import type { IpRange } from "../core/address.ts";
import type { Parsed, Problem } from "../core/problem.ts";
import { parseAddressEntry } from "./address-entry.ts";
import type { LabelSelector, Labels } from "./label-selector.ts";
import { anySelectorMatches, labelSelectorSchema } from "./label-selector.ts";
import { overlapProblems } from "./overlap.ts";
import { type ServiceAllocation, serviceAllocationSchema } from "./service-allocation.ts";
import { problemsOf } from "./zod-problems.ts";

/** A custom resource as the API gave it; `spec` is not yet trusted. */
export interface RawResource {
  readonly name: string;
  readonly labels: Labels;
  readonly spec: unknown;
}

/** A named set of address ranges: `IPAddressPool`. */
export interface Pool {
  readonly name: string;
  /** In the order they were written, which is the order of allocation. */
  readonly ranges: readonly IpRange[];
  /** False: only on explicit request. */
  readonly autoAssign: boolean;
  /** Leave out IPv4 addresses that end in .0 and .255. */
  readonly avoidBuggyIps: boolean;
  /** Which Services it is for; null: for all. */
  readonly serviceAllocation: ServiceAllocation | null;
}

/** Where the addresses of some pools are answered for: `L2Advertisement`. */
export interface Advertisement {
  readonly name: string;
  /** Pool names; every pool when the resource selects none. */
  readonly pools: readonly string[];
  /** OR-ed; empty: every node. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** Exact interface names; empty: all that fit. */
  readonly interfaces: readonly string[];
  /** OR-ed, over the labels of the Service; empty: every Service. */
  readonly serviceSelectors: readonly LabelSelector[];
  /** Of the nodes selected, those that should rather own than others. */
  readonly preferredNodeSelectors: readonly PreferredNodes[];
}

export interface PreferredNodes {
  /** 1 to 100; the weights of all that match a node add up. */
  readonly weight: number;
  readonly preference: LabelSelector;
}

export interface ClusterConfig {
  /** Sorted by name. */
  readonly pools: readonly Pool[];
  /** Sorted by name. */
  readonly advertisements: readonly Advertisement[];
}

export const EMPTY_CLUSTER_CONFIG: ClusterConfig = { pools: [], advertisements: [] };

const addressEntry = z.string().transform((text, context) => {
  const entry = parseAddressEntry(text);
  if (entry.ok) return entry.range;
  context.addIssue({ code: "custom", message: entry.expected });
  return z.NEVER;
});

const poolSpecSchema = z.strictObject({
  addresses: z.array(addressEntry).min(1),
  autoAssign: z.boolean().default(true),
  avoidBuggyIPs: z.boolean().default(false),
  serviceAllocation: serviceAllocationSchema.nullish(),
});

const advertisementSpecSchema = z.strictObject({
  ipAddressPools: uniqueStrings().default([]),
  ipAddressPoolSelectors: z.array(labelSelectorSchema).default([]),
  nodeSelectors: z.array(labelSelectorSchema).default([]),
  interfaces: uniqueStrings().default([]),
  serviceSelectors: z.array(labelSelectorSchema).default([]),
  preferredNodeSelectors: z
    .array(z.strictObject({ weight: z.int().min(1).max(100), preference: labelSelectorSchema }))
    .default([]),
});

/** The whole configuration from raw resources; any problem refuses all of it. */
export function parseClusterConfig(resources: {
  readonly pools: readonly RawResource[];
  readonly advertisements: readonly RawResource[];
}): Parsed<ClusterConfig> {
  const problems: Problem[] = [];
  const byName = (a: RawResource, b: RawResource): number => (a.name < b.name ? -1 : 1);
  const rawPools = [...resources.pools].sort(byName);
  const pools = rawPools.flatMap((raw) => parsePool(raw, problems));
  const advertisements = [...resources.advertisements]
    .sort(byName)
    .flatMap((raw) => parseAdvertisement(raw, rawPools, problems));
  problems.push(...overlapProblems(pools));
  return problems.length === 0
    ? { ok: true, value: { pools, advertisements } }
    : { ok: false, problems };
}

function uniqueStrings() {
  return z
    .array(z.string().min(1))
    .refine((names) => new Set(names).size === names.length, { error: "no name twice" });
}

function parsePool(raw: RawResource, problems: Problem[]): Pool[] {
  const input = { spec: raw.spec ?? {} };
  const parsed = z.object({ spec: poolSpecSchema }).safeParse(input);
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error, input, `IPAddressPool "${raw.name}"`));
    return [];
  }
  const { addresses: ranges, autoAssign, avoidBuggyIPs, serviceAllocation } = parsed.data.spec;
  return [
    {
      name: raw.name,
      ranges,
      autoAssign,
      avoidBuggyIps: avoidBuggyIPs,
      serviceAllocation: serviceAllocation ?? null,
    },
  ];
}

function parseAdvertisement(
  raw: RawResource,
  rawPools: readonly RawResource[],
  problems: Problem[],
): Advertisement[] {
  const input = { spec: raw.spec ?? {} };
  const parsed = z.object({ spec: advertisementSpecSchema }).safeParse(input);
  if (!parsed.success) {
    problems.push(...problemsOf(parsed.error, input, `L2Advertisement "${raw.name}"`));
    return [];
  }
  const { ipAddressPools, ipAddressPoolSelectors, ...rest } = parsed.data.spec;
  const selectsAll = ipAddressPools.length === 0 && ipAddressPoolSelectors.length === 0;
  const pools = rawPools
    .filter(
      (pool) =>
        selectsAll ||
        ipAddressPools.includes(pool.name) ||
        anySelectorMatches(ipAddressPoolSelectors, pool.labels),
    )
    .map((pool) => pool.name);
  return [{ name: raw.name, pools, ...rest }];
}
