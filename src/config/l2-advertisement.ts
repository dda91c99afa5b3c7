// L2Advertisement: on which nodes and interfaces the addresses of some pools are answered for.

import { z } from "zod";
import { selectors, uniqueStrings } from "./fields.ts";
import type { LabelSelector } from "./label-selector.ts";
import { labelSelectorSchema } from "./label-selector.ts";
import { selectedPools } from "./pool-selection.ts";
import type { ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec } from "./resource.ts";

/** Nodes that are better than others, and by how much. */
export interface PreferredNodes {
  /** 1 to 100; the weights of all that match a node are added. */
  readonly weight: number;
  readonly preference: LabelSelector;
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
  /** OR-ed, on the labels of Services; empty: every Service. */
  readonly serviceSelectors: readonly LabelSelector[];
  /** Of the nodes that are selected. */
  readonly preferredNodeSelectors: readonly PreferredNodes[];
}

export const l2AdvertisementSpecSchema = z.strictObject({
  ipAddressPools: uniqueStrings().default([]),
  ipAddressPoolSelectors: selectors().default([]),
  nodeSelectors: selectors().default([]),
  interfaces: uniqueStrings().default([]),
  serviceSelectors: selectors().default([]),
  preferredNodeSelectors: z
    .array(z.strictObject({ weight: z.int().min(1).max(100), preference: labelSelectorSchema }))
    .default([]),
});

const RULES = { kind: "L2Advertisement", schema: l2AdvertisementSpecSchema } as const;

/** An advertisement that is valid by itself, or null. */
export function parseL2Advertisement(
  raw: RawResource,
  rawPools: readonly RawResource[],
  problems: ConfigProblem[],
): Sourced<Advertisement> | null {
  const parsed = parseSpec(raw, RULES, problems);
  if (parsed === null) return null;
  const { ipAddressPools: _names, ipAddressPoolSelectors: _labels, ...rest } = parsed.value;
  const value = { name: raw.name, pools: selectedPools(parsed.value, rawPools), ...rest };
  return { value, origin: parsed.origin };
}
