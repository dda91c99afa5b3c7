// The names by which lbd's part of a routing daemon's configuration is known: they all begin with
// "lbd-", and a peer's description with "lbd:". Whatever has no such mark is the administrator's.

import type { IpFamily } from "../core/address.ts";

export const MARK = "lbd-";
export const DESCRIPTION = "lbd: BGPPeer ";
/** Lets nothing in. */
export const MAP_IN = `${MARK}in`;
/** On every `network` line of lbd, where it changes nothing: by it they are known. */
export const MAP_NETWORK = `${MARK}vip`;

/** FRR's own limit is 128. */
const NAME_MAX = 100;
const SEQUENCE_MIN = 10;
const SEQUENCE_MAX = 65_535;

export function mapOut(peer: string): string {
  return marked("out-", peer);
}

export function profileName(profile: string): string {
  return marked("", profile);
}

export function prefixListName(family: IpFamily, className: string): string {
  return marked(`v${family}-`, className);
}

export function description(peer: string): string {
  return `${DESCRIPTION}${peer}`.slice(0, NAME_MAX);
}

function marked(kind: string, name: string): string {
  const all = `${MARK}${kind}${name}`;
  return all.length <= NAME_MAX ? all : `${all.slice(0, NAME_MAX - 9)}-${hash(name).toString(16)}`;
}

/**
 * Numbers for the entries of a route-map, one for each name. Which one an entry gets hangs on its
 * own name, so that the others stay what they are when one comes or goes.
 */
export function sequenceNumbers(names: readonly string[]): ReadonlyMap<string, number> {
  const taken = new Set<number>();
  const numbers = new Map<string, number>();
  const span = SEQUENCE_MAX - SEQUENCE_MIN + 1;
  for (const name of [...names].sort()) {
    let at = hash(name) % span;
    while (taken.has(at)) at = (at + 1) % span;
    taken.add(at);
    numbers.set(name, SEQUENCE_MIN + at);
  }
  return numbers;
}

/** FNV-1a, 32 bits (draft-eastlake-fnv): short, and the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}
