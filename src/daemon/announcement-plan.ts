// What changes of where an address is announced, in words: from which nodes, on which interfaces.
// Pure.

import type { Placement } from "../ownership/types.ts";
import type { Advertised } from "./placements.ts";

/** Where an address may be announced; none: `reason`. */
export interface Reach {
  /** By node: the interfaces by name; null: all that fit. */
  readonly nodes: ReadonlyMap<string, readonly string[] | null>;
  readonly reason: string;
  /** Names of the BGPAdvertisements that announce it, from whichever nodes they select. */
  readonly bgp: readonly string[];
}

/** More names are counted. */
const NAMES_MAX = 4;

export function reachOf(
  placement: Placement | undefined,
  advertised: Advertised,
  bgp: readonly string[] = [],
): Reach {
  const all = [...(placement?.nodes ?? [])];
  const nodes = new Map(
    all.flatMap(([node, one]) => (one.allowed ? [[node, one.interfaces] as const] : [])),
  );
  if ("reason" in advertised) return { nodes, reason: advertised.reason, bgp };
  const reasons = all.flatMap(([node, one]) => (one.allowed ? [] : [`${node}: ${one.reason}`]));
  const why = reasons.length === 0 ? "the API knows no Node" : namesOf(reasons, "; ");
  return { nodes, reason: `no node may (${why})`, bgp };
}

/** `now` null: the Service has no address now. Null: nothing changes, and it is announced. */
export function announcementChange(now: Reach | null, then: Reach): string | null {
  const routes = routeChange(now, then);
  // Where it is routed, nobody needs to answer for it.
  const answers = then.bgp.length > 0 && then.nodes.size === 0 ? null : answerChange(now, then);
  const said = [answers, routes].filter((change) => change !== null);
  return said.length === 0 ? null : said.join("; ");
}

function routeChange(now: Reach | null, then: Reach): string | null {
  const [before, after] = [now?.bgp.join(", ") ?? "", then.bgp.join(", ")];
  if (before === after || now === null) return null;
  if (after === "") return `not announced by BGP any more (BGPAdvertisement ${before})`;
  return `announced by BGP: BGPAdvertisement ${after}${before === "" ? "" : `, and not ${before}`}`;
}

function answerChange(now: Reach | null, then: Reach): string | null {
  if (then.nodes.size === 0) {
    if (now !== null && now.nodes.size === 0) return null;
    return `${now === null ? "not announced" : "not announced any more"}: ${then.reason}`;
  }
  if (now === null) return null;
  if (now.nodes.size === 0) return `announced from then on, by ${nodeNames(then)}`;
  const changes = [nodeChange(now, then), interfaceChange(now, then)];
  const said = changes.filter((change) => change !== null);
  return said.length === 0 ? null : said.join("; ");
}

function nodeChange(now: Reach, then: Reach): string | null {
  const [before, after] = [nodeNames(now), nodeNames(then)];
  const isSame = [...now.nodes.keys()].sort().join() === [...then.nodes.keys()].sort().join();
  return isSame ? null : `may be announced by ${after}, and not by ${before}`;
}

function interfaceChange(now: Reach, then: Reach): string | null {
  const [before, after] = [interfaceNames(now), interfaceNames(then)];
  return before === after ? null : `from ${after} (now: ${before})`;
}

function nodeNames({ nodes }: Reach): string {
  return namesOf([...nodes.keys()].sort(), ", ");
}

function interfaceNames({ nodes }: Reach): string {
  const lists = new Set([...nodes.values()].map((names) => names?.join(", ") ?? "all that fit"));
  return [...lists].sort().join(" or ");
}

function namesOf(names: readonly string[], separator: string): string {
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).join(separator);
  return more > 0 ? `${shown} and ${more} more` : shown;
}
