// BGP communities: Community resources, which give them names, and the values themselves. A value
// is "n:n" (RFC 1997, 16 bits each) or "large:n:n:n" (RFC 8092, 32 bits each).

import { z } from "zod";
import { UINT32_MAX } from "./fields.ts";
import type { ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec, problemOf } from "./resource.ts";

/** Names for communities that advertisements may use in place of the values. */
export interface CommunityAlias {
  readonly name: string;
  /** Canonical: decimal numbers without leading zeros. */
  readonly value: string;
}

const UINT16_MAX = 65_535;
export const COMMUNITY_EXPECTED = 'a community such as "64512:100" or "large:64512:1:2"';

const value = z.string().transform((text, context) => {
  const parsed = parseCommunity(text);
  if (parsed !== null) return parsed;
  context.addIssue({ code: "custom", message: COMMUNITY_EXPECTED });
  return z.NEVER;
});

export const communitySpecSchema = z.strictObject({
  communities: z.array(z.strictObject({ name: z.string().min(1), value })).default([]),
});

const RULES = { kind: "Community", schema: communitySpecSchema } as const;

/** The canonical text of a community, or null. */
export function parseCommunity(text: string): string | null {
  const isLarge = text.startsWith("large:");
  const parts = (isLarge ? text.slice("large:".length) : text).split(":");
  if (parts.length !== (isLarge ? 3 : 2)) return null;
  const max = isLarge ? UINT32_MAX : UINT16_MAX;
  if (!parts.every((part) => /^\d{1,10}$/.test(part) && Number(part) <= max)) return null;
  const numbers = parts.map(Number).join(":");
  return isLarge ? `large:${numbers}` : numbers;
}

/** The names that one resource gives, or none when it is not valid. */
export function parseCommunities(
  raw: RawResource,
  problems: ConfigProblem[],
): Sourced<CommunityAlias>[] {
  const parsed = parseSpec(raw, RULES, problems);
  if (parsed === null) return [];
  const { origin } = parsed;
  return parsed.value.communities.map((alias, index) => ({
    value: alias,
    origin: { ...origin, at: (field) => origin.at(`communities[${index}].${field}`) },
  }));
}

/** All names that occur, in resources that are not valid too. */
export function aliasNames(raws: readonly RawResource[]): Set<string> {
  const lists = raws.map(({ spec }) => (spec as { communities?: unknown } | null)?.communities);
  const entries = lists.flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  const names = entries.map((entry) => (entry as { name?: unknown } | null)?.name);
  return new Set(names.filter((name) => typeof name === "string"));
}

/** No name may stand for two communities, nor twice for one. */
export function aliasProblems(aliases: readonly Sourced<CommunityAlias>[]): ConfigProblem[] {
  const first = new Map<string, Sourced<CommunityAlias>>();
  return aliases.flatMap((alias) => {
    const { name } = alias.value;
    const other = first.get(name);
    if (other === undefined) first.set(name, alias);
    if (other === undefined) return [];
    const found = `"${name}", which ${other.origin.at("name")} is called, too`;
    return [problemOf(alias.origin, "name", { found, expected: "every name once" })];
  });
}
