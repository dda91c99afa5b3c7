// The datagrams that daemons exchange on a segment, encoded and decoded. Every one is
// authenticated (HMAC-SHA256) as a whole; one that is not, is too short, too long or says so
// itself wrongly, is dropped with a reason. A datagram that is decoded is authentic, not fresh:
// replays are for the reader to refuse (peers.ts). Over IPv6 the sender's address does not fit into
// the header, which has 0.0.0.0 then: it is authenticated behind the rest, as a pseudo-header.
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
import { ipFamily, ipv4FromNumber, ipv4ToNumber } from "../core/address.ts";
import { read16, read32, write16, write32 } from "../core/bytes.ts";
import { toHex, writeHex } from "../core/hex.ts";
import { IPV6_BYTES, writeIpv6 } from "../core/ipv6-bytes.ts";
import type { DatagramBody } from "./body.ts";
import { decodeBody, ENTRY_BYTES, encodeBody, KINDS, TABLE_CHANGE_BYTES } from "./body.ts";

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
const TWO_32 = 2 ** 32;
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
  /** The sender's address on the segment, of either family: ties the datagram to it. */
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
  const { node, incarnation } = datagram;
  const body = encodeBody(datagram.body);
  const nameEnd = HEADER_BYTES + node.length;
  const signed = nameEnd + body.length;
  // From the pool: this runs for every beacon. Every byte is written below.
  const { buffer, byteOffset, length } = Buffer.allocUnsafe(signed + HMAC_BYTES);
  const bytes = new Uint8Array(buffer, byteOffset, length);
  bytes.set(MAGIC, 0);
  bytes[OFFSET.version] = VERSION;
  bytes[OFFSET.kind] = KINDS.indexOf(datagram.body.kind);
  bytes[OFFSET.nameLength] = node.length;
  write16(bytes, OFFSET.length, bytes.length);
  writeHex(datagram.cluster, bytes, { at: OFFSET.cluster, length: CLUSTER_BYTES });
  write32(bytes, OFFSET_INCARNATION, Math.floor(incarnation / TWO_32));
  write32(bytes, OFFSET_INCARNATION + 4, incarnation);
  write32(bytes, OFFSET_SEQUENCE, datagram.sequence);
  const { address } = datagram;
  const isIpv6 = ipFamily(address) === 6;
  write32(bytes, OFFSET_ADDRESS, isIpv6 ? 0 : ipv4ToNumber(address));
  for (let i = 0; i < node.length; i++) bytes[HEADER_BYTES + i] = node.charCodeAt(i);
  bytes.set(body, nameEnd);
  bytes.set(hmac(key, authenticated(bytes.subarray(0, signed), isIpv6 ? address : null)), signed);
  return bytes;
}

/**
 * Reads a datagram that was authenticated with any of `keys`. `from`: the IPv6 address that it came
 * from; null: it came over IPv4, and says itself from where. Never throws.
 */
export function decodeDatagram(
  bytes: Uint8Array,
  keys: readonly Uint8Array[],
  hmac: Hmac,
  from: Ip | null = null,
): Decoded {
  const reason = whyNoDatagram(bytes);
  if (reason !== null) return drop(reason);
  const end = bytes.length - HMAC_BYTES;
  const signed = authenticated(bytes.subarray(0, end), from);
  if (!keys.some((key) => isTag(hmac(key, signed), bytes, end))) return drop("hmac");
  const value = read(bytes);
  if (value === null) return drop("malformed");
  return { ok: true, value: from === null ? value : { ...value, address: from } };
}

/** What the tag is for. `address`: an IPv6 address that is not in it. */
function authenticated(bytes: Uint8Array, address: Ip | null): Uint8Array {
  if (address === null) return bytes;
  const all = new Uint8Array(bytes.length + IPV6_BYTES);
  all.set(bytes);
  writeIpv6(address, all, bytes.length);
  return all;
}

/** What a datagram says, authentic or not; null: it has no such form. Never throws. */
export function unprovenDatagram(bytes: Uint8Array): Datagram | null {
  return whyNoDatagram(bytes) === null ? read(bytes) : null;
}

function whyNoDatagram(bytes: Uint8Array): DropReason | null {
  if (bytes.length < HEADER_BYTES + HMAC_BYTES) return "short";
  if (bytes.length > DATAGRAM_BYTES_MAX) return "oversized";
  if (bytes[0] !== MAGIC[0] || bytes[1] !== MAGIC[1] || bytes[2] !== MAGIC[2]) return "not-lbd";
  if (bytes[OFFSET.version] !== VERSION) return "version";
  return read16(bytes, OFFSET.length) === bytes.length ? null : "length";
}

/** Of bytes with the length of a datagram. */
function read(bytes: Uint8Array): Datagram | null {
  const signed = bytes.subarray(0, bytes.length - HMAC_BYTES);
  const nameEnd = HEADER_BYTES + (bytes[OFFSET.nameLength] ?? 0);
  const kind = KINDS[bytes[OFFSET.kind] ?? KINDS.length];
  if (kind === undefined || nameEnd > signed.length) return null;
  const node = nameAt(bytes, HEADER_BYTES, nameEnd);
  const body = decodeBody(kind, signed.subarray(nameEnd));
  const incarnation =
    read32(bytes, OFFSET_INCARNATION) * TWO_32 + read32(bytes, OFFSET_INCARNATION + 4);
  if (node === null || body === null || !Number.isSafeInteger(incarnation)) return null;
  return {
    cluster: clusterAt(bytes),
    node,
    incarnation,
    sequence: read32(bytes, OFFSET_SEQUENCE),
    address: ipv4FromNumber(read32(bytes, OFFSET_ADDRESS)),
    body,
  };
}

/** The cluster that a datagram of sufficient length names, authentic or not. */
export function clusterAt(bytes: Uint8Array): string {
  return toHex(bytes, OFFSET.cluster, OFFSET.cluster + CLUSTER_BYTES);
}

/** Splits entries so that each datagram of this node with one part fits. At least one part. */
export function pagesOf<T>(entries: readonly T[]): readonly (readonly T[])[] {
  const room = DATAGRAM_BYTES_MAX - HEADER_BYTES - NAME_BYTES_MAX - HMAC_BYTES - TABLE_CHANGE_BYTES;
  const perPage = Math.floor(room / ENTRY_BYTES);
  const pages: T[][] = [];
  for (let at = 0; at < entries.length; at += perPage) pages.push(entries.slice(at, at + perPage));
  return pages.length === 0 ? [[]] : pages;
}

/** Visible ASCII; RFC 1123 allows less, and nothing else could be encoded again as it is. */
function nameAt(bytes: Uint8Array, start: number, end: number): string | null {
  if (end === start || end - start > NAME_BYTES_MAX) return null;
  let name = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte <= 0x20 || byte >= 0x7f) return null;
    name += String.fromCharCode(byte);
  }
  return name;
}

function drop(reason: DropReason): Decoded {
  return { ok: false, reason };
}

/** In constant time: how much of a guess was right is not told. */
function isTag(tag: Uint8Array, bytes: Uint8Array, at: number): boolean {
  let difference = tag.length ^ HMAC_BYTES;
  for (let i = 0; i < HMAC_BYTES; i++) difference |= (tag[i] ?? 0) ^ (bytes[at + i] ?? 0);
  return difference === 0;
}
