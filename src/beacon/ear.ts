// What arrives, before anything is made of it: with a key of this cluster, of this cluster, and
// from the address that it names. Not guaranteed: that it is fresh, see peer.ts.

import type { Ip } from "../core/address.ts";
import { ipFamily } from "../core/address.ts";
import type { Drop } from "./engine-types.ts";
import { ForeignClusters } from "./foreign-clusters.ts";
import type { Datagram, Hmac } from "./wire.ts";
import { clusterAt, decodeDatagram } from "./wire.ts";

export type Heard =
  | { readonly ok: true; readonly value: Datagram }
  | { readonly ok: false; readonly reason: Drop };

export class Ear {
  /** The other clusters on the LAN. */
  readonly foreign = new ForeignClusters();
  readonly #hmac: Hmac;
  #keys: readonly Uint8Array[] = [];

  constructor(hmac: Hmac) {
    this.#hmac = hmac;
  }

  setKeys(accepted: readonly Uint8Array[]): void {
    this.#keys = accepted;
  }

  /** `cluster`: this node's own; null: it is not known yet. */
  hear(packet: { from: Ip; bytes: Uint8Array }, cluster: string | null): Heard {
    const from = ipFamily(packet.from) === 6 ? packet.from : null;
    const decoded = decodeDatagram(packet.bytes, this.#keys, this.#hmac, from);
    if (!decoded.ok) {
      // Another cluster has another key, too: whose datagram it is shows before that.
      const isOther = decoded.reason === "hmac" && isOfAnother(packet.bytes, cluster);
      return refuse(isOther ? "foreign-cluster" : decoded.reason);
    }
    if (cluster === null) return refuse("unknown");
    if (decoded.value.cluster !== cluster) return refuse("foreign-cluster");
    return decoded.value.address === packet.from ? decoded : refuse("wrong-address");
  }
}

function isOfAnother(bytes: Uint8Array, cluster: string | null): boolean {
  return cluster !== null && clusterAt(bytes) !== cluster;
}

function refuse(reason: Drop): Heard {
  return { ok: false, reason };
}
