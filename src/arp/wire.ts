// ARP for IPv4 over Ethernet: RFC 826 (format), RFC 5227 (probes, announcements). A frame is read
// in place through the offsets below; what cannot be a valid request, reply, probe or announcement
// gets a named reason instead. Nothing here allocates for a frame that is only looked at.

import type { Ip } from "../core/address.ts";
import { ipv4FromNumber, ipv4ToNumber } from "../core/address.ts";
import { read16, read32, write16, write32 } from "../core/bytes.ts";
import { FRAME_BYTES_MAX } from "../core/ethernet.ts";
import type { Mac } from "../core/mac.ts";
import { MAC_BROADCAST, MAC_ZERO, macAt, macToBytes } from "../core/mac.ts";

/*
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |                 Ethernet destination (6 bytes)                |
 * |       ...     |           Ethernet source (6 bytes)           |
 * |                      ...              |       EtherType       |
 * |         Hardware type         |         Protocol type         |
 * |   HW length   | Proto. length |           Operation           |
 * |                 Sender hardware address (6 bytes)             |
 * |       ...     |       Sender protocol address (4 bytes)       |
 * |       ...     |           Target hardware address (6 bytes)   |
 * |                      ...      |       Target protocol address |
 */
export const OFFSET = {
  destination: 0,
  source: 6,
  etherType: 12,
  hardwareType: 14,
  protocolType: 16,
  hardwareLength: 18,
  protocolLength: 19,
  operation: 20,
  senderMac: 22,
  senderIp: 28,
  targetMac: 32,
  targetIp: 38,
} as const;

/** Bytes of an ARP frame without Ethernet padding. */
export const ARP_FRAME_BYTES = 42;
/** IEEE 802: EtherType of ARP. */
export const ETHERTYPE_ARP = 0x0806;
/** RFC 826: ar$op. */
export const OPERATION = { request: 1, reply: 2 } as const;

/** RFC 5227 section 1.1: the sender of a probe. */
const UNSPECIFIED = "0.0.0.0" as Ip;
const HARDWARE_ETHERNET = 1;
const ETHERTYPE_IPV4 = 0x0800;

export type MalformedReason =
  | "malformed-short"
  | "malformed-oversized"
  | "malformed-ethertype"
  | "malformed-hardware-type"
  | "malformed-protocol-type"
  | "malformed-lengths"
  | "malformed-operation"
  | "malformed-sender";

/** A valid ARP message: whatever can be built can be sent. */
export interface ArpPacket {
  /** Of the Ethernet header. */
  readonly destination: Mac;
  readonly source: Mac;
  readonly operation: "request" | "reply";
  readonly senderMac: Mac;
  readonly senderIp: Ip;
  readonly targetMac: Mac;
  readonly targetIp: Ip;
}

/**
 * What is wrong with a frame, or null. `length` is the frame's true length, which may exceed the
 * buffer. The length comes first: nothing is read that did not arrive.
 */
export function malformedReason(bytes: Uint8Array, length: number): MalformedReason | null {
  if (length < ARP_FRAME_BYTES || bytes.length < ARP_FRAME_BYTES) return "malformed-short";
  if (length > FRAME_BYTES_MAX) return "malformed-oversized";
  if (read16(bytes, OFFSET.etherType) !== ETHERTYPE_ARP) return "malformed-ethertype";
  if (read16(bytes, OFFSET.hardwareType) !== HARDWARE_ETHERNET) return "malformed-hardware-type";
  if (read16(bytes, OFFSET.protocolType) !== ETHERTYPE_IPV4) return "malformed-protocol-type";
  if (bytes[OFFSET.hardwareLength] !== 6 || bytes[OFFSET.protocolLength] !== 4) {
    return "malformed-lengths";
  }
  const operation = read16(bytes, OFFSET.operation);
  if (operation !== OPERATION.request && operation !== OPERATION.reply) {
    return "malformed-operation";
  }
  // IEEE 802: a set group bit cannot be anybody's own address; an answer would go to many.
  if (((bytes[OFFSET.senderMac] ?? 1) & 1) === 1) return "malformed-sender";
  return null;
}

/** The message in a frame, or why there is none. Never throws. */
export function decodeArp(bytes: Uint8Array, length = bytes.length): ArpPacket | MalformedReason {
  const reason = malformedReason(bytes, length);
  if (reason !== null) return reason;
  const isRequest = read16(bytes, OFFSET.operation) === OPERATION.request;
  return {
    destination: macAt(bytes, OFFSET.destination),
    source: macAt(bytes, OFFSET.source),
    operation: isRequest ? "request" : "reply",
    senderMac: macAt(bytes, OFFSET.senderMac),
    senderIp: ipv4FromNumber(read32(bytes, OFFSET.senderIp)),
    targetMac: macAt(bytes, OFFSET.targetMac),
    targetIp: ipv4FromNumber(read32(bytes, OFFSET.targetIp)),
  };
}

/** Writes the frame into `out`, which must have `ARP_FRAME_BYTES`; every byte of it is written. */
export function encodeArp(packet: ArpPacket, out: Uint8Array): void {
  out.set(macToBytes(packet.destination), OFFSET.destination);
  out.set(macToBytes(packet.source), OFFSET.source);
  writeFixedFields(out, OPERATION[packet.operation]);
  out.set(macToBytes(packet.senderMac), OFFSET.senderMac);
  write32(out, OFFSET.senderIp, ipv4ToNumber(packet.senderIp));
  out.set(macToBytes(packet.targetMac), OFFSET.targetMac);
  write32(out, OFFSET.targetIp, ipv4ToNumber(packet.targetIp));
}

/**
 * Writes the reply to a well-formed `request` into `out` without decoding it (RFC 826: swap, and
 * fill in the hardware address asked for). `mac` is the answering interface's.
 */
export function encodeReply(
  request: Uint8Array,
  macs: { readonly source: Uint8Array; readonly sender: Uint8Array },
  out: Uint8Array,
): void {
  for (let i = 0; i < 6; i++) {
    const requester = request[OFFSET.senderMac + i] ?? 0;
    out[OFFSET.destination + i] = requester;
    out[OFFSET.source + i] = macs.source[i] ?? 0;
    out[OFFSET.senderMac + i] = macs.sender[i] ?? 0;
    out[OFFSET.targetMac + i] = requester;
  }
  writeFixedFields(out, OPERATION.reply);
  for (let i = 0; i < 4; i++) {
    out[OFFSET.senderIp + i] = request[OFFSET.targetIp + i] ?? 0;
    out[OFFSET.targetIp + i] = request[OFFSET.senderIp + i] ?? 0;
  }
}

/** RFC 5227 section 1.1, ARP Probe: asks who has `ip` without saying who asks. */
export function probe(ip: Ip, mac: Mac, to: Mac | null): ArpPacket {
  return {
    destination: to ?? MAC_BROADCAST,
    source: mac,
    operation: "request",
    senderMac: mac,
    senderIp: UNSPECIFIED,
    targetMac: MAC_ZERO,
    targetIp: ip,
  };
}

/**
 * The two frames that announce an address (RFC 5227 section 3; some hosts take up only the one
 * operation, some only the other): sender and target protocol address are both the address.
 */
export function announcements(ip: Ip, mac: Mac): readonly [ArpPacket, ArpPacket] {
  const common = {
    destination: MAC_BROADCAST,
    source: mac,
    senderMac: mac,
    senderIp: ip,
    targetMac: MAC_BROADCAST,
    targetIp: ip,
  };
  return [
    { ...common, operation: "request" },
    { ...common, operation: "reply" },
  ];
}

function writeFixedFields(out: Uint8Array, operation: number): void {
  write16(out, OFFSET.etherType, ETHERTYPE_ARP);
  write16(out, OFFSET.hardwareType, HARDWARE_ETHERNET);
  write16(out, OFFSET.protocolType, ETHERTYPE_IPV4);
  out[OFFSET.hardwareLength] = 6;
  out[OFFSET.protocolLength] = 4;
  write16(out, OFFSET.operation, operation);
}
