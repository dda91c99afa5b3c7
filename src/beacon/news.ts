// What the responder thread tells the main thread of its peers and of its own tenures.

import type { Ip } from "../core/address.ts";
import type { PeerEvent } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { DatagramBody } from "./body.ts";
import type { ForeignCluster } from "./foreign-clusters.ts";
import type { Peer } from "./peer.ts";
import type { Datagram } from "./wire.ts";

type BeaconBody = Extract<DatagramBody, { kind: "beacon" }>;

/** What the main thread is told. */
export type PeerNews =
  | PeerEvent
  /** Another live host uses this node's name; the newer of the two stays silent. */
  | {
      readonly type: "name-conflict";
      readonly interface: string;
      readonly address: Ip;
      /** This host is the newer one. */
      readonly isNewer: boolean;
    }
  /** Beacons arrive that name another cluster; told once, until none came for a while. */
  | (ForeignCluster & { readonly type: "foreign-cluster" });

export function heardNews(peer: Peer, interfaceName: string, at: BootMs): PeerNews {
  const { node, incarnation, isProven, state, mac, holdMs } = peer;
  const about = { node, interface: interfaceName, incarnation, isProven, state, mac, holdMs };
  return { type: "peer-heard", ...about, at };
}

/** Takes in what the peer says of itself; null: that was known. */
export function beaconNews(
  peer: Peer,
  { body, address }: Pick<Datagram, "address"> & { readonly body: BeaconBody },
  interfaceName: string,
  now: BootMs,
): PeerNews | null {
  const { incarnation, verdict, state, mac } = peer;
  peer.heard(body, address, now);
  const isBack = incarnation !== peer.incarnation || verdict !== "heard";
  const isOtherwise = state !== peer.state || mac !== peer.mac;
  return isBack || isOtherwise ? heardNews(peer, interfaceName, now) : null;
}

export function silentNews(
  { node, verdict }: Peer,
  where: {
    readonly interface: string;
    readonly gateway: boolean | null;
    readonly heard: readonly string[];
    readonly at: BootMs;
  },
): PeerNews {
  return { type: "peer-silent", node, answers: verdict === "answers", ...where };
}

export function tableNews({ node, table, hasTable }: Peer, interfaceName: string): PeerNews {
  const about = { node, interface: interfaceName };
  if (!hasTable) return { type: "peer-table-missing", ...about };
  return { type: "peer-table", ...about, entries: table };
}

type TableBody = Extract<DatagramBody, { kind: "table" | "table-change" }>;

/** Takes in what the peer says of its table; null: that is not, or not enough, to know it. */
export function learntNews(peer: Peer, body: TableBody, interfaceName: string): PeerNews | null {
  if (body.kind === "table") return peer.addPage(body) ? tableNews(peer, interfaceName) : null;
  if (!peer.addChange(body)) return null;
  const { entries, gone } = body;
  return { type: "peer-table-change", node: peer.node, interface: interfaceName, entries, gone };
}
