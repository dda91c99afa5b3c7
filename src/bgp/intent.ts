// What a node is to say by BGP, before it becomes the configuration of a routing daemon.

import type { BfdProfile } from "../config/bfd-profile.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import type { IpFamily } from "../core/address.ts";

/** How one route is told to one peer. */
export interface RouteAttributes {
  /** RFC 1997, `n:n`, and RFC 8092, `large:n:n:n`; sorted, each once. */
  readonly communities: readonly string[];
  /** LOCAL_PREF, RFC 4271 section 5.1.5: told within the AS only; 0: the routing daemon's own. */
  readonly localPref: number;
}

/** Routes that all peers are told of in the same way. */
export interface RouteClass {
  /** Names of the BGPAdvertisements that the routes come from, joined by "+". */
  readonly name: string;
  readonly prefixes: readonly RoutePrefix[];
  /** By name of the BGPPeer; whoever is not there is not told. */
  readonly peers: ReadonlyMap<string, RouteAttributes>;
}

export interface RoutePrefix {
  readonly family: IpFamily;
  /** CIDR, canonical. */
  readonly text: string;
}

export interface PeerIntent {
  readonly peer: BgpPeer;
  /** RFC 2385; null: none is to be used. */
  readonly password: string | null;
}

export interface BgpIntent {
  /** Those that select this node, sorted by name. One AS number in a VRF (checked before). */
  readonly peers: readonly PeerIntent[];
  /** Those that a peer uses, sorted by name. */
  readonly bfdProfiles: readonly BfdProfile[];
  /** Sorted by name. */
  readonly classes: readonly RouteClass[];
  /** The administrator's route-map that filters what peers say; null: nothing is accepted. */
  readonly routeMapIn: string | null;
}

export const NO_BGP: BgpIntent = { peers: [], bfdProfiles: [], classes: [], routeMapIn: null };
