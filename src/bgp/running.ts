// What of FRR's running configuration is lbd's, and what the administrator has beside it. Pure.

import { ipFamily } from "../core/address.ts";
import type { BgpIntent, PeerIntent } from "./intent.ts";
import type { ConfigLine } from "./lines.ts";
import * as names from "./names.ts";
import { type InstanceForm, neighborName, OWN_INSTANCE, OWN_SETTINGS, vrfsOf } from "./render.ts";

/** One `router bgp` block. */
export interface Instance extends InstanceForm {
  readonly header: string;
  readonly asn: number;
  readonly vrf: string;
  readonly routerId: string | null;
  /** Routes are announced whether or not the host has them itself. */
  readonly announcesAll: boolean;
  /** Sessions that the administrator made. */
  readonly neighbors: ReadonlySet<string>;
}

export interface Running {
  readonly ours: readonly ConfigLine[];
  /** By VRF; "": the host's main routing table. */
  readonly instances: ReadonlyMap<string, Instance>;
  /** Lines outside of all blocks. */
  readonly outside: ReadonlySet<string>;
}

/** Sessions are lbd's by their description, or because it made them: `known`, by VRF. */
export type KnownSessions = (vrf: string) => ReadonlySet<string>;

const INSTANCE = /^router bgp (\d+)(?: vrf (\S+))?$/;
const NEIGHBOR = /^(?:no )?neighbor (\S+) (.*)$/;
const ROUTER_ID = /^bgp router-id (\S+)$/;
const MARKED = new RegExp(
  `^(?:(?:ip|ipv6) prefix-list|route-map) ${names.MARK}|^profile ${names.MARK}`,
);
/** Lines that lbd writes into an instance of its own; in one of somebody else they are theirs. */
const SETTING = new RegExp(`^(?:bgp router-id .*|${OWN_SETTINGS.join("|")})$`);
const NO_DEFAULT_IPV4 = "no bgp default ipv4-unicast";
const NO_IMPORT_CHECK = "no bgp network import-check";

/** `made`: the headers of instances that are lbd's without a mark, if nothing else is in them. */
export function readRunning(
  lines: readonly ConfigLine[],
  known: KnownSessions,
  made: ReadonlySet<string> = new Set(),
): Running {
  const instances = new Map<string, Instance>();
  const ours = lines.filter(
    ({ in: [block = "", inner = ""], line }) =>
      MARKED.test(line) || MARKED.test(block) || (block === "bfd" && MARKED.test(inner)),
  );
  if (ours.some(({ in: [block] }) => block === "bfd")) ours.push({ in: [], line: "bfd" });
  // Those of VRFs first: while one of them is the administrator's, that of the main table stays.
  for (const header of headersOf(lines).sort((a, b) => (a.vrf < b.vrf ? 1 : -1))) {
    const inside = lines.filter(({ in: [block] }) => block === header.header);
    const isNeeded = header.vrf === "" && [...instances.values()].some((one) => one.isForeign);
    const isMade = made.has(header.header);
    const part = readInstance(header, inside, { known: known(header.vrf), isNeeded, isMade });
    instances.set(header.vrf, part.instance);
    ours.push(...part.ours);
  }
  const outside = new Set(
    lines.flatMap(({ in: blocks, line }) => (blocks.length > 0 ? [] : [line])),
  );
  return { ours, instances, outside };
}

/**
 * Lines for all of FRR without which a peer several hops away is not found where only the default
 * route leads there. They are set, as MetalLB does, where nobody else speaks BGP whose routes they
 * could change; and never taken away, as they have no mark.
 */
export function missingOutside(intent: BgpIntent, { instances, outside }: Running): string[] {
  if ([...instances.values()].some(({ isForeign }) => isForeign)) return [];
  const far = intent.peers.flatMap(({ peer: { to, ebgpMultiHop } }) =>
    ebgpMultiHop && "address" in to ? [ipFamily(to.address)] : [],
  );
  const lines = far.map((family) => `${family === 4 ? "ip" : "ipv6"} nht resolve-via-default`);
  return [...new Set(lines)].filter((line) => !outside.has(line));
}

function headersOf(lines: readonly ConfigLine[]): Header[] {
  return lines.flatMap(({ in: blocks, line }) => {
    const match = blocks.length === 0 ? INSTANCE.exec(line) : null;
    return match === null ? [] : [{ header: line, asn: Number(match[1]), vrf: match[2] ?? "" }];
  });
}

type Header = Pick<Instance, "header" | "asn" | "vrf">;

function readInstance(
  header: Header,
  inside: readonly ConfigLine[],
  {
    known,
    isNeeded,
    isMade,
  }: {
    readonly known: ReadonlySet<string>;
    readonly isNeeded: boolean;
    readonly isMade: boolean;
  },
): { readonly instance: Instance; readonly ours: readonly ConfigLine[] } {
  const described = inside.flatMap(({ line }) => {
    const [, name = "", rest = ""] = NEIGHBOR.exec(line) ?? [];
    return rest.startsWith(`description ${names.DESCRIPTION}`) ? [name] : [];
  });
  const sessions = new Set([...described, ...known]);
  const isSession = (line: string): boolean => sessions.has(NEIGHBOR.exec(line)?.[1] ?? "");
  const isMarked = ({ line }: ConfigLine): boolean => isSession(line) || names.isNetwork(line);
  const rest = inside.filter((one) => !isMarked(one) && !one.line.startsWith("address-family "));
  const marked = inside.filter(isMarked);
  // One without any mark is somebody else's, however little there is in it.
  const isUnmarked = marked.length === 0 && !isMade;
  const isForeign = isNeeded || isUnmarked || rest.some((one) => !SETTING.test(one.line));
  const has = (wanted: string): boolean => inside.some((one) => one.line === wanted);
  const routerId = inside.map((one) => ROUTER_ID.exec(one.line)?.[1]).find((id) => id);
  const instance = {
    ...header,
    isForeign,
    hasDefaultIpv4: !has(NO_DEFAULT_IPV4),
    routerId: routerId ?? null,
    announcesAll: has(NO_IMPORT_CHECK),
    neighbors: new Set(rest.flatMap((one) => NEIGHBOR.exec(one.line)?.[1] ?? [])),
  };
  const settings = isForeign ? [] : rest;
  // Of an instance that is the administrator's only what is in it can be lbd's.
  const opening = isForeign ? [] : [{ in: [], line: header.header }];
  return { instance, ours: [...opening, ...settings, ...marked] };
}

/** In which form lbd's lines go to the instance of a VRF. */
export function formOf({ instances }: Running, vrf: string): InstanceForm {
  const instance = instances.get(vrf);
  return instance?.isForeign === true ? instance : OWN_INSTANCE;
}

/** What of the intent cannot be beside what the administrator has. */
export interface BgpConflict {
  /** Names of the BGPPeers that it keeps from being configured. */
  readonly peers: readonly string[];
  readonly text: string;
}

export function conflictsOf(intent: BgpIntent, { instances }: Running): BgpConflict[] {
  return vrfsOf(intent.peers).flatMap((vrf) => {
    const peers = intent.peers.filter(({ peer }) => peer.vrf === vrf);
    const instance = instances.get(vrf);
    return instance?.isForeign === true ? withForeign(peers, instance) : [];
  });
}

function withForeign(peers: readonly PeerIntent[], instance: Instance): BgpConflict[] {
  const { header, asn, routerId } = instance;
  const all = peers.map(({ peer }) => peer.name);
  const myAsn = peers[0]?.peer.myAsn;
  if (myAsn !== undefined && myAsn !== asn) {
    const text =
      `FRR has "${header}" of its own, and BGPPeer "${all[0]}" wants AS ${myAsn}: ` +
      `there is one AS number in a VRF; set myASN to ${asn}, or remove "${header}" from FRR`;
    return [{ peers: all, text }];
  }
  if (!instance.announcesAll) {
    const text =
      `"${header}" of FRR is the administrator's, and announces only what the host has in its ` +
      `routing table: add "${NO_IMPORT_CHECK}" to it`;
    return [{ peers: all, text }];
  }
  const wanted = peers.find(({ peer }) => peer.routerId !== null && peer.routerId !== routerId);
  if (wanted !== undefined && routerId !== null) {
    const text =
      `FRR has router ID ${routerId} of its own, and BGPPeer "${wanted.peer.name}" wants ` +
      `${wanted.peer.routerId}: remove routerID from the BGPPeer, or change FRR's`;
    return [{ peers: all, text }];
  }
  return peers.flatMap(({ peer }) => {
    const name = neighborName(peer);
    if (!instance.neighbors.has(name)) return [];
    const text =
      `FRR has "neighbor ${name}" of its own, which BGPPeer "${peer.name}" is for, too: ` +
      "remove one of them";
    return [{ peers: [peer.name], text }];
  });
}

/** The intent without the peers that are in conflict. */
export function withoutPeers(intent: BgpIntent, names: ReadonlySet<string>): BgpIntent {
  return { ...intent, peers: intent.peers.filter(({ peer }) => !names.has(peer.name)) };
}

/**
 * Instances of lbd's own that go before what is wanted can come: those of another AS number; and
 * with that of the main table all others, which hang on it. Those of VRFs come first.
 */
export function outdated(intent: BgpIntent, { instances }: Running): Instance[] {
  const own = [...instances.values()].filter(({ isForeign }) => !isForeign);
  const old = own.filter(({ vrf, asn }) => {
    const wanted = intent.peers.find(({ peer }) => peer.vrf === vrf);
    return wanted !== undefined && wanted.peer.myAsn !== asn;
  });
  const all = old.some(({ vrf }) => vrf === "") ? own : old;
  return all.sort((a, b) => (a.vrf < b.vrf ? 1 : -1));
}
