// What a node says of itself to its peers on a segment.

/**
 * `live`: may own; `draining`: hands over and takes nothing; `restarting`: back in a moment;
 * `stopping`: leaves; `deaf`: it receives nothing, and owns nothing therefore.
 */
export const PEER_STATES = ["live", "draining", "restarting", "stopping", "deaf"] as const;
export type PeerState = (typeof PEER_STATES)[number];
