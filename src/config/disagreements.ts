// Where custom resources and MetalLB's old ConfigMap say different things. Names of advertisements
// and peers do not count: the ConfigMap has none.

import { formatRange } from "../core/address.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { kubernetesName } from "./legacy-convert.ts";
import type { LegacySource } from "./legacy-text.ts";
import { legacyPrefix, legacyRef } from "./legacy-text.ts";
import type { ConfigProblem } from "./resource.ts";

export interface Sides {
  /** What the custom resources say. */
  readonly present: ClusterConfig;
  /** What the ConfigMap says. */
  readonly old: ClusterConfig;
  readonly source: LegacySource;
}

const EXPECTED =
  "what the custom resources say, or nothing: delete the ConfigMap, or the resources " +
  '("lbctl config convert" shows what it would be as resources)';

/** One problem for each pool, and each other part, that differs; none when both mean the same. */
export function disagreements({ present, old, source }: Sides): ConfigProblem[] {
  const [left, right] = [partsOf(present), partsOf(old)];
  const parts = [...new Set([...left.keys(), ...right.keys()])].sort();
  return parts.flatMap((part) => {
    const [mine, theirs] = [left.get(part), right.get(part)];
    if (mine === theirs) return [];
    const where = legacyPrefix(source);
    const found = `${part} ${how(mine, theirs)}`;
    return [{ object: legacyRef(source), where, found, expected: EXPECTED }];
  });
}

function how(mine: string | undefined, theirs: string | undefined): string {
  if (mine === undefined) return "that the custom resources do not have";
  return theirs === undefined ? "missing, which the custom resources have" : "that differs";
}

/** What is configured, part by part, each as a text that is the same for the same meaning. */
function partsOf(config: ClusterConfig): Map<string, string> {
  const parts = new Map<string, string>();
  for (const { name, ranges, ...rest } of config.pools) {
    const about = { ...rest, ranges: ranges.map(formatRange) };
    const layer2 = announcedBy(config.advertisements, name);
    const bgp = announcedBy(config.bgp.advertisements, name);
    parts.set(`pool "${kubernetesName(name)}"`, JSON.stringify([about, layer2, bgp]));
  }
  for (const { name, ...profile } of config.bgp.bfdProfiles) {
    parts.set(`BFD profile "${kubernetesName(name)}"`, JSON.stringify(profile));
  }
  for (const { name, value } of config.bgp.communities) parts.set(`community "${name}"`, value);
  for (const { name: _, bfdProfile, ...peer } of config.bgp.peers) {
    const to = "address" in peer.to ? peer.to.address : peer.to.interface;
    const key = `peer "${to}"`;
    const profile = bfdProfile === null ? null : kubernetesName(bfdProfile);
    parts.set(key, `${parts.get(key) ?? ""}${JSON.stringify([profile, peer])}`);
  }
  return parts;
}

/** The advertisements of a pool without their names, in an order of their own. */
function announcedBy(
  all: readonly { readonly name: string; readonly pools: readonly string[] }[],
  pool: string,
): string[] {
  const own = all.filter(({ pools }) => pools.includes(pool));
  return own.map(({ name: _, pools: __, ...rest }) => JSON.stringify(rest)).sort();
}
