// What nodes say of themselves to their peers on a segment, and what is told of the peers and of
// the own tenures: the words that beacons and ownership share.

import type { Ip } from "./address.ts";
import type { Epoch } from "./epoch.ts";
import type { Mac } from "./mac.ts";
import type { BootMs } from "./time.ts";

/**
 * `live`: may own; `draining`: hands over and takes nothing; `restarting`: back in a moment;
 * `stopping`: leaves; `deaf`: it receives nothing, and owns nothing therefore.
 */
export const PEER_STATES = ["live", "draining", "restarting", "stopping", "deaf"] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** More other nodes than this on one segment are not listened to. */
export const PEERS_MAX = 256;

/**
 * Time between two beacons of each of `nodes` on a segment, in ms: 1 ms a node at least, so that
 * all of them together send no more than about 1,000 a second.
 */
export function beaconIntervalMs(configuredMs: number, nodes: number): number {
  return Math.max(configuredMs, Math.min(nodes, PEERS_MAX + 1));
}

/** Between the end of a tenure and the first moment at which a peer may claim, in ms. */
export const TENURE_MARGIN_MS = 10;

/** A VIP that a peer says it owns, takes or offers. */
export interface PeerEntry {
  readonly address: Ip;
  readonly epoch: Epoch;
}

/** What has changed in a table of them. */
export interface EntriesChange {
  /** Listed now, with these epochs: new, or with another than before. */
  readonly entries: readonly PeerEntry[];
  /** Not listed any more, as they were last. */
  readonly gone: readonly PeerEntry[];
}

/** `at` is when it was so. */
export type PeerEvent =
  /** Beacons of the node arrive on the interface, at last or again, or its state has changed. */
  | {
      readonly type: "peer-heard";
      readonly node: string;
      readonly interface: string;
      readonly incarnation: number;
      /** False: it has not shown yet that it lives, and what is heard may be a recording. */
      readonly isProven: boolean;
      readonly state: PeerState;
      readonly mac: Mac;
      /** How long it asks to be waited for now: while it restarts, until it is back. */
      readonly holdMs: number;
      readonly at: BootMs;
    }
  /** The node's hold has passed without a beacon. */
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
  /** The node's table has changed, was asked for, and has not come yet: it may own anything. */
  | {
      readonly type: "peer-table-missing";
      readonly node: string;
      readonly interface: string;
    }
  /** All VIPs that the node owns on the interface. */
  | {
      readonly type: "peer-table";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly PeerEntry[];
    }
  /** What has changed in the table that was told last, by which it is known. */
  | (EntriesChange & {
      readonly type: "peer-table-change";
      readonly node: string;
      readonly interface: string;
    })
  /** The node takes the VIPs, or says again that it has them. */
  | {
      readonly type: "peer-claim";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly PeerEntry[];
    }
  /** The node asks this one to take its VIPs over, and owns them until it does. */
  | {
      readonly type: "peer-offer";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly PeerEntry[];
      readonly at: BootMs;
    }
  /** The node asked on the wire, and it is not (only) the owner that answers for these. */
  | {
      readonly type: "peer-complaint";
      readonly node: string;
      readonly interface: string;
      readonly entries: readonly PeerEntry[];
    }
  /** The tenure on the interface has ended: the responder has dropped every grant there. */
  | {
      readonly type: "lapsed";
      readonly interface: string;
      /** How many there were since the start; a grant that does not know of all is refused. */
      readonly lapses: number;
    };
