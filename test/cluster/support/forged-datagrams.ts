// Datagrams as a stranger makes them from a beacon that it has recorded, each by the reason for
// which a daemon must drop it.

import { randomBytes } from "node:crypto";
import {
  DATAGRAM_BYTES_MAX,
  type Datagram,
  type Decoded,
  decodeDatagram,
  encodeDatagram,
} from "../../../src/beacon/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import { BEACON_KEY_BYTES } from "../../../src/core/beacon-keys.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { hmac } from "../../support/beacon-datagrams.ts";

/** A beacon of a node, off the wire. */
export interface Recorded {
  readonly from: string;
  readonly bytes: Buffer;
  readonly datagram: Datagram;
  /** With which it is authenticated. */
  readonly key: Uint8Array;
}

const VERSION_AT = 3;
/** No tenure in a test comes near it. */
const EPOCH = epochOf(1_000);

export function decode(bytes: Uint8Array, key: Uint8Array): Decoded {
  return decodeDatagram(bytes, [key], hmac);
}

/** Forgeries by the reason for which they are dropped. */
export const FORGERIES: readonly {
  readonly reason: string;
  readonly what: string;
  readonly forge: (recorded: Recorded, vip: string) => Uint8Array;
}[] = [
  { reason: "not-lbd", what: "garbage", forge: () => randomBytes(200) },
  { reason: "short", what: "a few bytes", forge: ({ bytes }) => bytes.subarray(0, 40) },
  { reason: "length", what: "a part", forge: ({ bytes }) => bytes.subarray(0, -1) },
  { reason: "oversized", what: "too much", forge: ({ bytes }) => longer(bytes) },
  {
    reason: "version",
    what: "a beacon of a future version",
    forge: ({ bytes }) => Buffer.from(bytes).fill(2, VERSION_AT, VERSION_AT + 1),
  },
  {
    reason: "hmac",
    what: "a claim with a wrong key",
    forge: ({ datagram }, vip) => claim(datagram, vip, randomBytes(BEACON_KEY_BYTES)),
  },
  {
    reason: "hmac",
    what: "a beacon that was changed on its way",
    forge: ({ bytes }) => Buffer.from(bytes).fill(0xff, VERSION_AT + 20, VERSION_AT + 24),
  },
  {
    reason: "foreign-cluster",
    what: "a claim of another cluster with its own key",
    forge: ({ datagram }, vip) => claim(abroad(datagram), vip, randomBytes(BEACON_KEY_BYTES)),
  },
  {
    reason: "foreign-cluster",
    what: "a claim of another cluster with the same key",
    forge: ({ datagram, key }, vip) => claim(abroad(datagram), vip, key),
  },
  {
    reason: "wrong-address",
    what: "a beacon from another host than its sender",
    forge: ({ bytes }) => bytes,
  },
];

/** What `beaconAbroad` says it is of. */
export const ABROAD = "0123456789abcdef";

/** The beacon as a node of another cluster, with its own key, would send it. */
export function beaconAbroad({ datagram }: Recorded): Uint8Array {
  return encodeDatagram(abroad(datagram), randomBytes(BEACON_KEY_BYTES), hmac);
}

function longer(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(DATAGRAM_BYTES_MAX + 1 - bytes.length)]);
}

function abroad(datagram: Datagram): Datagram {
  return { ...datagram, cluster: ABROAD };
}

/** Would take the VIP at once if it were believed. */
function claim(datagram: Datagram, vip: string, key: Uint8Array): Uint8Array {
  const body = { kind: "claim", entries: [{ address: vip as Ip, epoch: EPOCH }] } as const;
  const sequence = datagram.sequence + 1_000;
  return encodeDatagram({ ...datagram, sequence, body }, key, hmac);
}
