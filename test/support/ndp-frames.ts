// Frames of Neighbor Discovery for tests: a solicitation as a Linux host sends it, and what is
// changed in it, with a checksum that fits unless it is the checksum that is changed.

import fc from "fast-check";
import type { Ip } from "../../src/core/address.ts";
import { ipFromBigInt } from "../../src/core/address.ts";
import { type Mac, macAt } from "../../src/core/mac.ts";
import { checksumOf } from "../../src/ndp/checksum.ts";
import {
  announcement,
  encodeNdp,
  NDP_FRAME_BYTES,
  type NdpPacket,
  OFFSET,
  probe,
} from "../../src/ndp/wire.ts";

export const OWN_MAC = "02:00:00:00:64:0b" as Mac;
export const CLIENT_MAC = "02:00:00:00:64:02" as Mac;
export const OTHER_MAC = "02:00:00:00:64:0c" as Mac;
export const VIP6 = "fd00:100::c8" as Ip;
export const CLIENT_IP6 = "fd00:100::2" as Ip;

/** Who has fd00:100::c8? Tell fd00:100::2. */
export const SOLICITATION: NdpPacket = {
  destination: "33:33:ff:00:00:c8" as Mac,
  source: CLIENT_MAC,
  sourceIp: CLIENT_IP6,
  destinationIp: "ff02::1:ff00:c8" as Ip,
  operation: "solicitation",
  target: VIP6,
  linkLayer: CLIENT_MAC,
  isRouter: false,
  isSolicited: false,
  isOverride: false,
};

/** What another host answers to a solicitation for the address. */
export const ADVERTISEMENT: NdpPacket = {
  ...SOLICITATION,
  destination: CLIENT_MAC,
  source: OTHER_MAC,
  sourceIp: VIP6,
  destinationIp: CLIENT_IP6,
  operation: "advertisement",
  linkLayer: OTHER_MAC,
  isSolicited: true,
  isOverride: true,
};

export function bytesOf(packet: NdpPacket): Uint8Array {
  const bytes = new Uint8Array(NDP_FRAME_BYTES);
  return bytes.subarray(0, encodeNdp(packet, bytes));
}

/** A solicitation with changes. */
export function solicitation(changes: Partial<NdpPacket> = {}): Uint8Array {
  return bytesOf({ ...SOLICITATION, ...changes });
}

export function advertisement(changes: Partial<NdpPacket> = {}): Uint8Array {
  return bytesOf({ ...ADVERTISEMENT, ...changes });
}

/** Of a host that is about to use the address. */
export function probeBy(mac: Mac, ip: Ip = VIP6): Uint8Array {
  return bytesOf(probe(ip, mac, null));
}

export function announcementBy(mac: Mac, ip: Ip = VIP6): Uint8Array {
  return bytesOf(announcement(ip, mac));
}

/** Bytes changed at an offset, and then the checksum made to fit. */
export function altered(frame: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const bytes = frame.slice();
  bytes.set(values, offset);
  return summed(bytes);
}

/** More bytes behind the message, as options: length and checksum made to fit. */
export function withOptions(frame: Uint8Array, ...options: number[]): Uint8Array {
  const bytes = new Uint8Array(frame.length + options.length);
  bytes.set(frame);
  bytes.set(options, frame.length);
  const length = bytes.length - OFFSET.type;
  bytes.set([length >>> 8, length & 255], OFFSET.payloadLength);
  return summed(bytes);
}

function summed(bytes: Uint8Array): Uint8Array {
  bytes.set([0, 0], OFFSET.checksum);
  const end = OFFSET.type + ((bytes[OFFSET.payloadLength] ?? 0) << 8) + (bytes[19] ?? 0);
  const sum = checksumOf(bytes, OFFSET.sourceIp, Math.min(end, bytes.length));
  bytes.set([sum >>> 8, sum & 255], OFFSET.checksum);
  return bytes;
}

const anyMac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => macAt(bytes.with(0, (bytes[0] ?? 0) & 0xfe), 0));
const anyUnicast = fc
  .bigInt({ min: 1n, max: (0xffn << 120n) - 1n })
  .map((value) => ipFromBigInt(6, value));
/** Addresses are no groups, and not unspecified: what any host may send. */
export const anyNdpPacket: fc.Arbitrary<NdpPacket> = fc
  .record({
    destination: anyMac,
    source: anyMac,
    sourceIp: anyUnicast,
    destinationIp: anyUnicast,
    operation: fc.constantFrom("solicitation" as const, "advertisement" as const),
    target: anyUnicast,
    linkLayer: fc.option(anyMac),
    isRouter: fc.boolean(),
    isSolicited: fc.boolean(),
    isOverride: fc.boolean(),
  })
  .map((packet) =>
    packet.operation === "advertisement"
      ? { ...packet }
      : { ...packet, isRouter: false, isSolicited: false, isOverride: false },
  );
