// The datagrams that daemons exchange on a segment, encoded and decoded. Every one is
// authenticated (HMAC-SHA256) as a whole; one that is not, is too short, too long or says so
// itself wrongly, is dropped with a reason. A datagram that is decoded is authentic, not fresh:
// replays are for the reader to refuse (peers.ts).
//
//      0                   1                   2                   3
//     |       'l'     |      'b'      |      'd'      |    version    |
//     |     kind      | name length   |        length of it all       |
//     |                       cluster (8 bytes)                       |
//     |                     incarnation (8 bytes)                     |
//     |                       sequence (4 bytes)                      |
//     |              the sender's IPv4 address on the segment         |
//     |   node name ...   |   body, by kind ...   |   HMAC (32 bytes)  |

import type { Ip } from "../core/address.ts";
import { ipv4FromNumber, ipv4ToNumber } from "../core/address.ts";
import { toHex, writeHex } from "../core/hex.ts";
import type { PeerEntry } from "../core/peer.ts";
import type { DatagramBody } from "./body.ts";
import { decodeBody, ENTRY_BYTES, encodeBody, KINDS, TABLE_BYTES } from "./body.ts";

/** Raised when a reader of the version before could misread a datagram. */
export const VERSION = 1;
/** Fits into an Ethernet frame with room for tunnels. */
export const DATAGRAM_BYTES_MAX = 1_400;
export const HMAC_BYTES = 32;
export const CLUSTER_BYTES = 8;
/** RFC 1123: the length of a Node's name. */
const NAME_BYTES_MAX = 253;
const MAGIC = [0x6c, 0x62, 0x64] as const;
const HEADER_BYTES = 32;
const OFFSET = { version: 3, kind: 4, nameLength: 5, length: 6, cluster: 8 } as const;
const OFFSET_INCARNATION = 16;
const OFFSET_SEQUENCE = 24;
const OFFSET_ADDRESS = 28;

export interface Datagram {
  /** First bytes of a hash of the cluster's UID, in hexadecimal. */
  readonly cluster: string;
  /** 1 to 253 letters of visible ASCII. */
  readonly node: string;
  /** Grows with every start of the daemon; below 2^53. */
  readonly incarnation: number;
  /** Grows with every datagram of an incarnation. */
  readonly sequence: number;
  /** The sender's address on the segment: ties the datagram to it. */
  readonly address: Ip;
  readonly body: DatagramBody;
}

export const DROP_REASONS = [
  "short",
  "oversized",
  "not-lbd",
  "version",
  "length",
  "hmac",
  "malformed",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** HMAC-SHA256 of `data` with `key`: 32 bytes. */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array;

export type Decoded =
  | { readonly ok: true; readonly value: Datagram }
  | { readonly ok: false; readonly reason: DropReason };

/** The bytes of a datagram, authenticated with `key`. */
export function encodeDatagram(datagram: Datagram, key: Uint8Array, hmac: Hmac): Uint8Array {
  const name = Uint8Array.from(datagram.node, (letter) => letter.charCodeAt(0));
  const body = encodeBody(datagram.body);
  const signed = HEADER_BYTES + name.length + body.length;
  const bytes = new Uint8Array(signed + HMAC_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint8(OFFSET.version, VERSION);
  view.setUint8(OFFSET.kind, KINDS.indexOf(datagram.body.kind));
  view.setUint8(OFFSET.nameLength, name.length);
  view.setUint16(OFFSET.length, bytes.length);
  writeHex(datagram.cluster, bytes, { at: OFFSET.cluster, length: CLUSTER_BYTES });
  view.setBigUint64(OFFSET_INCARNATION, BigInt(datagram.incarnation));
  view.setUint32(OFFSET_SEQUENCE, datagram.sequence);
  view.setUint32(OFFSET_ADDRESS, ipv4ToNumber(datagram.address));
  bytes.set(name, HEADER_BYTES);
  bytes.set(body, HEADER_BYTES + name.length);
  bytes.set(hmac(key, bytes.subarray(0, signed)), signed);
  return bytes;
}

/** Reads a datagram that was authenticated with any of `keys`. Never throws. */
export function decodeDatagram(
  bytes: Uint8Array,
  keys: readonly Uint8Array[],
  hmac: Hmac,
): Decoded {
  if (bytes.length < HEADER_BYTES + HMAC_BYTES) return drop("short");
  if (bytes.length > DATAGRAM_BYTES_MAX) return drop("oversized");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) return drop("not-lbd");
  if (view.getUint8(OFFSET.version) !== VERSION) return drop("version");
  if (view.getUint16(OFFSET.length) !== bytes.length) return drop("length");
  const signed = bytes.subarray(0, bytes.length - HMAC_BYTES);
  const tag = bytes.subarray(bytes.length - HMAC_BYTES);
  if (!keys.some((key) => sameBytes(hmac(key, signed), tag))) return drop("hmac");
  const nameEnd = HEADER_BYTES + view.getUint8(OFFSET.nameLength);
  const kind = KINDS[view.getUint8(OFFSET.kind)];
  if (kind === undefined || nameEnd > signed.length) return drop("malformed");
  const name = bytes.subarray(HEADER_BYTES, nameEnd);
  if (name.length === 0 || name.length > NAME_BYTES_MAX || !name.every(isVisible)) {
    return drop("malformed");
  }
  const body = decodeBody(kind, signed.subarray(nameEnd));
  const incarnation = Number(view.getBigUint64(OFFSET_INCARNATION));
  if (body === null || !Number.isSafeInteger(incarnation)) return drop("malformed");
  return {
    ok: true,
    value: {
      cluster: toHex(bytes, OFFSET.cluster, OFFSET.cluster + CLUSTER_BYTES),
      node: String.fromCharCode(...name),
      incarnation,
      sequence: view.getUint32(OFFSET_SEQUENCE),
      address: ipv4FromNumber(view.getUint32(OFFSET_ADDRESS)),
      body,
    },
  };
}

/** The cluster that a datagram of sufficient length names, authentic or not. */
export function clusterAt(bytes: Uint8Array): string {
  return toHex(bytes, OFFSET.cluster, OFFSET.cluster + CLUSTER_BYTES);
}

/** Splits entries so that each datagram of this node with one part fits. At least one part. */
export function pagesOf(entries: readonly PeerEntry[]): readonly (readonly PeerEntry[])[] {
  const room = DATAGRAM_BYTES_MAX - HEADER_BYTES - NAME_BYTES_MAX - HMAC_BYTES - TABLE_BYTES;
  const perPage = Math.floor(room / ENTRY_BYTES);
  const pages: PeerEntry[][] = [];
  for (let at = 0; at < entries.length; at += perPage) pages.push(entries.slice(at, at + perPage));
  return pages.length === 0 ? [[]] : pages;
}

/** A byte of visible ASCII; RFC 1123 allows fewer, and no other could be encoded again as it is. */
function isVisible(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

function drop(reason: DropReason): Decoded {
  return { ok: false, reason };
}

/** In constant time: how much of a guess was right is not told. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}
