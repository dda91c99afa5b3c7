// Other clusters whose beacons arrive here, so that people learn of them, each once. Whatever they
// say is unproven: without their key nobody can tell who sent it, and it changes nothing.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { unprovenDatagram } from "./wire.ts";

/** More than these are counted only: who makes up identities gets no more lines than that. */
export const FOREIGN_MAX = 8;
/** A cluster that was not heard for this long is there no more. */
export const FOREIGN_STAYS_MS = 60_000;

/** A cluster, and one of its hosts. All but `interface` and `address` is what the host says. */
export interface ForeignCluster {
  /** First 8 bytes, in hexadecimal, of a hash of the cluster's UID. */
  readonly cluster: string;
  readonly node: string;
  readonly interface: string;
  /** From which its beacons come. */
  readonly address: Ip;
  readonly mac: Mac;
}

interface Known {
  host: ForeignCluster;
  hostAt: BootMs;
  /** Of any of its hosts. */
  heardAt: BootMs;
}

export class ForeignClusters {
  readonly #known = new Map<string, Known>();

  /** The cluster, when somebody should be told of it; that counts as told. */
  note(
    interfaceName: string,
    packet: { readonly from: Ip; readonly bytes: Uint8Array },
    now: BootMs,
  ): ForeignCluster | null {
    const datagram = unprovenDatagram(packet.bytes);
    if (datagram?.body.kind !== "beacon") return null;
    const { cluster, node, body } = datagram;
    const host = { cluster, node, interface: interfaceName, address: packet.from, mac: body.mac };
    this.#forget(now);
    const known = this.#known.get(cluster);
    if (known === undefined) {
      if (this.#known.size >= FOREIGN_MAX) return null;
      this.#known.set(cluster, { host, hostAt: now, heardAt: now });
      return host;
    }
    known.heardAt = now;
    const isSame = known.host.address === host.address && known.host.interface === interfaceName;
    // One that is there is not replaced by each of the others in turn.
    if (!isSame && now - known.hostAt < FOREIGN_STAYS_MS) return null;
    known.host = host;
    known.hostAt = now;
    return null;
  }

  current(now: BootMs): ForeignCluster[] {
    this.#forget(now);
    return [...this.#known.values()].map(({ host }) => host);
  }

  #forget(now: BootMs): void {
    for (const [cluster, { heardAt }] of this.#known) {
      if (now - heardAt >= FOREIGN_STAYS_MS) this.#known.delete(cluster);
    }
  }
}
