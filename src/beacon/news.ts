// What the responder thread tells the main thread of its peers and of its own tenures.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { PeerState } from "../core/peer.ts";
import type { BootMs } from "../core/time.ts";
import type { TableEntry } from "./body.ts";
import type { Peer } from "./peer.ts";

/** What the main thread is told; `at` is when it was so. */
export type PeerNews =
  | {
      readonly type: "peer-heard";
      readonly node: string;
      readonly interface: string;
      readonly incarnation: number;
      readonly state: PeerState;
      readonly mac: Mac;
      readonly at: BootMs;
    }
  | {
      readonly type: "peer-silent";
      readonly node: string;
      readonly interface: string;
      /** Its MAC answers for its VIPs all the same. */
      readonly answers: boolean;
      /** The gateway answered meanwhile; null: there is none to ask. */
      readonly gateway: boolean | null;
      /** Whom this node has heard just now: more than it heard while the link was whole. */
      readonly heard: readonly string[];
      readonly at: BootMs;
    }
  | {
      readonly type: "peer-table";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly TableEntry[];
    }
  /** The node asks this one to take its VIPs over. */
  | {
      readonly type: "peer-offer";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly TableEntry[];
    }
  | {
      readonly type: "peer-claim";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly TableEntry[];
    }
  /** The tenure on the interface has ended: everything granted there is gone. */
  | {
      readonly type: "lapsed";
      readonly interface: string;
      /** How many there were since the start; a grant that does not know of all is refused. */
      readonly lapses: number;
    }
  /** Another live host uses this node's name; the newer of the two stays silent. */
  | {
      readonly type: "name-conflict";
      readonly interface: string;
      readonly address: Ip;
      /** This host is the newer one. */
      readonly isNewer: boolean;
    };

export function heardNews(peer: Peer, interfaceName: string, at: BootMs): PeerNews {
  const { node, incarnation, state, mac } = peer;
  return { type: "peer-heard", node, interface: interfaceName, incarnation, state, mac, at };
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

export function tableNews({ node, table }: Peer, interfaceName: string): PeerNews {
  return { type: "peer-table", node, interface: interfaceName, entries: table };
}
