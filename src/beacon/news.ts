// What the responder thread tells the main thread of its peers and of its own tenures.

import type { Ip } from "../core/address.ts";
import type { PeerEvent } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { ForeignCluster } from "./foreign-clusters.ts";
import type { Peer } from "./peer.ts";

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
