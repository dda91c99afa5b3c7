// The names by which lbd's part of a routing daemon's configuration is known: they all begin with
// "lbd-", and a peer's description with "lbd:". Whatever has no such mark is the administrator's.

export const MARK = "lbd-";
export const DESCRIPTION = "lbd: BGPPeer ";
/** Lets nothing in. */
export const MAP_IN = `${MARK}in`;
/** On every `network` line of lbd: which class it is of. By it they are known. */
const NETWORK_MAP = /^network \S+ route-map lbd-/;

/** FRR's own limit is 128. */
const NAME_MAX = 100;
const SEQUENCE_MIN = 10;
const SEQUENCE_MAX = 65_534;
const TAG_BASE = 0x6c62_0000;

export function mapOut(peer: string): string {
  return marked("out-", peer);
}

export function profileName(profile: string): string {
  return marked("", profile);
}

/** Of the routes of a class: it gives them the tag by which peers' route-maps know them. */
export function mapNetwork(className: string): string {
  return marked("net-", className);
}

export function isNetwork(line: string): boolean {
  return NETWORK_MAP.test(line);
}

export function description(peer: string): string {
  return `${DESCRIPTION}${peer}`.slice(0, NAME_MAX);
}

function marked(kind: string, name: string): string {
  const all = `${MARK}${kind}${name}`;
  return all.length <= NAME_MAX ? all : `${all.slice(0, NAME_MAX - 9)}-${hash(name).toString(16)}`;
}

/**
 * Numbers for classes of routes. Which one a class gets hangs on its own name, so that the others
 * stay what they are when one comes or goes.
 */
export function classNumbers(names: readonly string[]): ReadonlyMap<string, number> {
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

/** 32 bits, of which the upper half is nobody else's: "lb". It never leaves the host. */
export function tagOf(classNumber: number): number {
  return TAG_BASE + classNumber;
}

/** FNV-1a, 32 bits (draft-eastlake-fnv): short, and the same everywhere. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  }
  return value;
}
