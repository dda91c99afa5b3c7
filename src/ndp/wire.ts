// Neighbor Solicitations and Advertisements over Ethernet: RFC 4861 sections 4.3, 4.4 and 4.6.1,
// RFC 2464 (Ethernet), RFC 4443 section 2.3 (checksum). A frame is read in place through the
// offsets below; what RFC 4861 section 7.1 has a node discard gets a named reason instead.
//
// An extension header before ICMPv6 is such a reason: no implementation sends one, and RFC 6980
// forbids the one that was ever used.

import type { Ip } from "../core/address.ts";
import { isAt, read16, write16 } from "../core/bytes.ts";
import { FRAME_BYTES_MAX } from "../core/ethernet.ts";
import { IPV6_BYTES, ipv6At, writeIpv6 } from "../core/ipv6-bytes.ts";
import type { Mac } from "../core/mac.ts";
import { macAt, macToBytes } from "../core/mac.ts";
import { checksumOf, NEXT_HEADER_ICMPV6 } from "./checksum.ts";

/*
 *  Ethernet (14), IPv6 (40: RFC 8200 section 3), then
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     Type      |     Code      |          Checksum             |
 * |R|S|O|                     Reserved                            |
 * |                     Target Address (16 bytes)                 |
 * |  option type  | length in 8 B |   link-layer address (6 bytes)|
 */
export const OFFSET = {
  destination: 0,
  source: 6,
  etherType: 12,
  version: 14,
  payloadLength: 18,
  nextHeader: 20,
  hopLimit: 21,
  sourceIp: 22,
  destinationIp: 38,
  type: 54,
  code: 55,
  checksum: 56,
  flags: 58,
  target: 62,
  options: 78,
} as const;

/** Bytes of a frame without options, and of one with a link-layer address. */
export const BARE_FRAME_BYTES = OFFSET.options;
export const NDP_FRAME_BYTES = OFFSET.options + 8;
export const ETHERTYPE_IPV6 = 0x86dd;
/** IANA: types of ICMPv6. */
export const TYPE = { solicitation: 135, advertisement: 136 } as const;
export const OPTION = { sourceLinkLayer: 1, targetLinkLayer: 2 } as const;
const FLAG = { router: 0x80, solicited: 0x40, override: 0x20 } as const;
/** RFC 4861 section 7.1: no router has forwarded it. */
const HOP_LIMIT = 255;
const ICMP_BYTES_MIN = 24;

const UNSPECIFIED = "::" as Ip;
/** RFC 4291 section 2.7.1. */
export const ALL_NODES = "ff02::1" as Ip;

export type MalformedReason =
  | "malformed-short"
  | "malformed-oversized"
  | "malformed-ethertype"
  | "malformed-ip-version"
  | "malformed-next-header"
  | "malformed-lengths"
  | "malformed-hop-limit"
  | "malformed-checksum"
  | "malformed-operation"
  | "malformed-sender"
  | "malformed-target"
  | "malformed-options"
  | "malformed-probe"
  | "malformed-flags";

/** A valid message: whatever can be built can be sent. */
export interface NdpPacket {
  /** Of the Ethernet header. */
  readonly destination: Mac;
  readonly source: Mac;
  readonly sourceIp: Ip;
  readonly destinationIp: Ip;
  readonly operation: "solicitation" | "advertisement";
  readonly target: Ip;
  /** Of the sender of a solicitation, or of the target of an advertisement; null: not told. */
  readonly linkLayer: Mac | null;
  /** Of an advertisement. */
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  readonly isOverride: boolean;
}

/** The message in a frame, or why there is none. Never throws. */
export function decodeNdp(bytes: Uint8Array, length = bytes.length): NdpPacket | MalformedReason {
  const reason = malformedReason(bytes, length);
  if (reason !== null) return reason;
  const isSolicitation = bytes[OFFSET.type] === TYPE.solicitation;
  const option = linkLayerOffset(bytes);
  const flags = isSolicitation ? 0 : (bytes[OFFSET.flags] ?? 0);
  return {
    destination: macAt(bytes, OFFSET.destination),
    source: macAt(bytes, OFFSET.source),
    sourceIp: ipv6At(bytes, OFFSET.sourceIp),
    destinationIp: ipv6At(bytes, OFFSET.destinationIp),
    operation: isSolicitation ? "solicitation" : "advertisement",
    target: ipv6At(bytes, OFFSET.target),
    linkLayer: option === null ? null : macAt(bytes, option),
    isRouter: (flags & FLAG.router) !== 0,
    isSolicited: (flags & FLAG.solicited) !== 0,
    isOverride: (flags & FLAG.override) !== 0,
  };
}

/**
 * What is wrong with a frame, or null. `length` is the frame's true length, which may exceed the
 * buffer. The lengths come first: nothing is read that did not arrive.
 */
export function malformedReason(bytes: Uint8Array, length: number): MalformedReason | null {
  if (length < BARE_FRAME_BYTES || bytes.length < BARE_FRAME_BYTES) return "malformed-short";
  if (length > FRAME_BYTES_MAX) return "malformed-oversized";
  if (read16(bytes, OFFSET.etherType) !== ETHERTYPE_IPV6) return "malformed-ethertype";
  if ((bytes[OFFSET.version] ?? 0) >>> 4 !== 6) return "malformed-ip-version";
  if (bytes[OFFSET.nextHeader] !== NEXT_HEADER_ICMPV6) return "malformed-next-header";
  const end = endOf(bytes);
  if (end - OFFSET.type < ICMP_BYTES_MIN || end > Math.min(length, bytes.length)) {
    return "malformed-lengths";
  }
  if (bytes[OFFSET.hopLimit] !== HOP_LIMIT) return "malformed-hop-limit";
  const type = bytes[OFFSET.type];
  const isSolicitation = type === TYPE.solicitation;
  if (!isSolicitation && type !== TYPE.advertisement) return "malformed-operation";
  if (bytes[OFFSET.code] !== 0) return "malformed-operation";
  if (checksumOf(bytes, OFFSET.sourceIp, end) !== 0) return "malformed-checksum";
  return isSolicitation ? wrongSolicitation(bytes, end) : wrongAdvertisement(bytes, end);
}

/** RFC 4861 section 7.1.1. */
function wrongSolicitation(bytes: Uint8Array, end: number): MalformedReason | null {
  const common = wrongInBoth(bytes, end);
  if (common !== null || !isUnspecified(bytes, OFFSET.sourceIp)) return common;
  // Duplicate address detection: to the solicited-node group, and nobody is to be remembered.
  const isProbe = isSolicitedNodeGroup(bytes, OFFSET.destinationIp);
  const isSilent = optionOffset(bytes, end, OPTION.sourceLinkLayer) === null;
  return isProbe && isSilent ? null : "malformed-probe";
}

/** RFC 4861 section 7.1.2. */
function wrongAdvertisement(bytes: Uint8Array, end: number): MalformedReason | null {
  const common = wrongInBoth(bytes, end);
  if (common !== null) return common;
  if (isUnspecified(bytes, OFFSET.sourceIp)) return "malformed-sender";
  const isToGroup = bytes[OFFSET.destinationIp] === 0xff;
  return isSolicited(bytes) && isToGroup ? "malformed-flags" : null;
}

/** Whether an advertisement says that it was asked for. */
export function isSolicited(bytes: Uint8Array): boolean {
  return ((bytes[OFFSET.flags] ?? 0) & FLAG.solicited) !== 0;
}

function wrongInBoth(bytes: Uint8Array, end: number): MalformedReason | null {
  // A group cannot be anybody's own address: an answer would go to many.
  if (((bytes[OFFSET.source] ?? 1) & 1) === 1) return "malformed-sender";
  if (bytes[OFFSET.sourceIp] === 0xff) return "malformed-sender";
  if (bytes[OFFSET.target] === 0xff || isUnspecified(bytes, OFFSET.target)) {
    return "malformed-target";
  }
  if (!areOptionsWhole(bytes, end)) return "malformed-options";
  const option = linkLayerOffset(bytes);
  return option !== null && ((bytes[option] ?? 1) & 1) === 1 ? "malformed-sender" : null;
}

/** Where a well-formed message ends: what follows is padding of the Ethernet frame. */
function endOf(bytes: Uint8Array): number {
  return OFFSET.type + read16(bytes, OFFSET.payloadLength);
}

/** RFC 4861 section 4.6: no option of no length, and none beyond the end. */
function areOptionsWhole(bytes: Uint8Array, end: number): boolean {
  let at: number = OFFSET.options;
  while (at < end) {
    const length = 8 * (bytes[at + 1] ?? 0);
    if (length === 0) return false;
    at += length;
  }
  return at === end;
}

/** Where the link-layer address is that the message tells in its first such option, or null. */
export function linkLayerOffset(bytes: Uint8Array): number | null {
  const isSolicitation = bytes[OFFSET.type] === TYPE.solicitation;
  const wanted = isSolicitation ? OPTION.sourceLinkLayer : OPTION.targetLinkLayer;
  const at = optionOffset(bytes, endOf(bytes), wanted);
  return at === null ? null : at + 2;
}

/** Of options that are whole. */
function optionOffset(bytes: Uint8Array, end: number, type: number): number | null {
  for (let at: number = OFFSET.options; at < end; at += 8 * (bytes[at + 1] ?? 1)) {
    // One of another length holds an address of another medium.
    if (bytes[at] === type && bytes[at + 1] === 1) return at;
  }
  return null;
}

export function isUnspecified(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < 16; i++) if (bytes[at + i] !== 0) return false;
  return true;
}

/** RFC 4291 section 2.7.1: ff02::1:ff00:0/104. */
const SOLICITED_NODE = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff);

function isSolicitedNodeGroup(bytes: Uint8Array, at: number): boolean {
  return isAt(bytes, at, SOLICITED_NODE);
}

/** Whether the address at `at` is the group that is asked for the target at `target`. */
export function isGroupOf(bytes: Uint8Array, at: number, target: number): boolean {
  if (!isSolicitedNodeGroup(bytes, at)) return false;
  for (let i = 13; i < 16; i++) if (bytes[at + i] !== bytes[target + i]) return false;
  return true;
}

/** The group that is asked for an address. */
export function solicitedNodeGroup(target: Ip): Ip {
  const bytes = new Uint8Array(32);
  writeIpv6(target, bytes, 16);
  bytes.set(SOLICITED_NODE, 0);
  bytes.set(bytes.subarray(29, 32), 13);
  return ipv6At(bytes, 0);
}

/** Writes the frame into `out` and returns its length; every byte of it is written. */
export function encodeNdp(packet: NdpPacket, out: Uint8Array): number {
  const isSolicitation = packet.operation === "solicitation";
  const length = packet.linkLayer === null ? BARE_FRAME_BYTES : NDP_FRAME_BYTES;
  out.set(macToBytes(packet.destination), OFFSET.destination);
  out.set(macToBytes(packet.source), OFFSET.source);
  writeIpv6(packet.sourceIp, out, OFFSET.sourceIp);
  writeIpv6(packet.destinationIp, out, OFFSET.destinationIp);
  writeIpv6(packet.target, out, OFFSET.target);
  const type = isSolicitation ? TYPE.solicitation : TYPE.advertisement;
  if (packet.linkLayer !== null) {
    out[OFFSET.options] = isSolicitation ? OPTION.sourceLinkLayer : OPTION.targetLinkLayer;
    out[OFFSET.options + 1] = 1;
    out.set(macToBytes(packet.linkLayer), OFFSET.options + 2);
  }
  const flags =
    (packet.isRouter ? FLAG.router : 0) |
    (packet.isSolicited ? FLAG.solicited : 0) |
    (packet.isOverride ? FLAG.override : 0);
  finish(out, { type, flags, length });
  return length;
}

/**
 * Writes the advertisement that answers a well-formed solicitation, `NDP_FRAME_BYTES`, without
 * decoding it (RFC 4861 section 7.2.4): to whoever asks; to all nodes where nobody says who asks,
 * which is a host that is about to use the address (RFC 4862 section 5.4.3).
 */
export function encodeReply(
  solicitation: Uint8Array,
  macs: { readonly source: Uint8Array; readonly target: Uint8Array },
  out: Uint8Array,
): void {
  const isProbe = isUnspecified(solicitation, OFFSET.sourceIp);
  const asker = linkLayerOffset(solicitation) ?? OFFSET.source;
  for (let i = 0; i < 6; i++) {
    out[OFFSET.destination + i] = (isProbe ? ALL_NODES_MAC[i] : solicitation[asker + i]) ?? 0;
    out[OFFSET.source + i] = macs.source[i] ?? 0;
    out[OFFSET.options + 2 + i] = macs.target[i] ?? 0;
  }
  for (let i = 0; i < 16; i++) {
    const target = solicitation[OFFSET.target + i] ?? 0;
    const to = isProbe ? ALL_NODES_BYTES[i] : solicitation[OFFSET.sourceIp + i];
    out[OFFSET.sourceIp + i] = target;
    out[OFFSET.target + i] = target;
    out[OFFSET.destinationIp + i] = to ?? 0;
  }
  out[OFFSET.options] = OPTION.targetLinkLayer;
  out[OFFSET.options + 1] = 1;
  const flags = FLAG.override | (isProbe ? 0 : FLAG.solicited);
  finish(out, { type: TYPE.advertisement, flags, length: NDP_FRAME_BYTES });
}

const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
const ALL_NODES_BYTES = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** What is the same in all, and then the checksum. */
function finish(
  out: Uint8Array,
  { type, flags, length }: { type: number; flags: number; length: number },
): void {
  write16(out, OFFSET.etherType, ETHERTYPE_IPV6);
  // Version 6, no traffic class, no flow label.
  write16(out, OFFSET.version, 0x6000);
  write16(out, OFFSET.version + 2, 0);
  write16(out, OFFSET.payloadLength, length - OFFSET.type);
  out[OFFSET.nextHeader] = NEXT_HEADER_ICMPV6;
  out[OFFSET.hopLimit] = HOP_LIMIT;
  out[OFFSET.type] = type;
  out[OFFSET.code] = 0;
  write16(out, OFFSET.checksum, 0);
  write16(out, OFFSET.flags, flags << 8);
  write16(out, OFFSET.flags + 2, 0);
  write16(out, OFFSET.checksum, checksumOf(out, OFFSET.sourceIp, length));
}

/** RFC 4862 section 5.4.2: asks who uses `ip` without saying who asks. */
export function probe(ip: Ip, mac: Mac, to: Mac | null): NdpPacket {
  const group = solicitedNodeGroup(ip);
  return {
    destination: to ?? macOfGroup(group),
    source: mac,
    sourceIp: UNSPECIFIED,
    destinationIp: group,
    operation: "solicitation",
    target: ip,
    linkLayer: null,
    ...NO_FLAGS,
  };
}

/** RFC 4861 section 7.2.6: an unsolicited advertisement, which replaces what neighbours know. */
export function announcement(ip: Ip, mac: Mac): NdpPacket {
  return {
    destination: macAt(ALL_NODES_MAC, 0),
    source: mac,
    sourceIp: ip,
    destinationIp: ALL_NODES,
    operation: "advertisement",
    target: ip,
    linkLayer: mac,
    ...NO_FLAGS,
    isOverride: true,
  };
}

const NO_FLAGS = { isRouter: false, isSolicited: false, isOverride: false } as const;

/** The Ethernet address of a group (RFC 2464 section 7). */
function macOfGroup(group: Ip): Mac {
  const bytes = new Uint8Array(IPV6_BYTES);
  writeIpv6(group, bytes, 0);
  return macAt(Uint8Array.of(0x33, 0x33, ...bytes.subarray(12)), 0);
}
