// Tests of the codec of Neighbor Discovery: the bytes of known frames in both directions, a table
// of what RFC 4861 section 7.1 has a node discard, and properties for any bytes and any packet.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ip } from "../../../src/core/address.ts";
import { macToBytes } from "../../../src/core/mac.ts";
import {
  announcement,
  BARE_FRAME_BYTES,
  decodeNdp,
  encodeNdp,
  encodeReply,
  malformedReason,
  NDP_FRAME_BYTES,
  type NdpPacket,
  OFFSET,
  probe,
  solicitedNodeGroup,
} from "../../../src/ndp/wire.ts";
import {
  ADVERTISEMENT,
  advertisement,
  altered,
  anyNdpPacket,
  CLIENT_IP6,
  CLIENT_MAC,
  OTHER_MAC,
  OWN_MAC,
  probeBy,
  SOLICITATION,
  solicitation,
  VIP6,
  withOptions,
} from "../../support/ndp-frames.ts";

const POISON = 0xa5;

/** As a Linux host sends it; tshark says of the checksum that it is correct. */
const KNOWN = Uint8Array.from(
  Buffer.from(
    "3333ff0000c802000000640286dd" + // Ethernet: destination, source, EtherType
      "6000000000203aff" + // version, payload length 32, ICMPv6, hop limit 255
      "fd000100000000000000000000000002" + // source
      "ff0200000000000000000001ff0000c8" + // destination
      "87001609" + // solicitation, code 0, checksum
      "00000000fd0001000000000000000000000000c8" + // reserved, target
      "0101020000006402", // source link-layer address
    "hex",
  ),
);

test("decodeNdp() reads every field of a solicitation", () => {
  assert.deepEqual(decodeNdp(KNOWN), SOLICITATION);
});

test("encodeNdp() writes the bytes that decodeNdp() read, over a poisoned buffer", () => {
  const out = new Uint8Array(NDP_FRAME_BYTES).fill(POISON);
  assert.equal(encodeNdp(SOLICITATION, out), NDP_FRAME_BYTES);
  assert.deepEqual(out, KNOWN);
});

test("decodeNdp() reads a frame with Ethernet padding behind it", () => {
  const padded = new Uint8Array(100).fill(POISON);
  padded.set(KNOWN);
  assert.deepEqual(decodeNdp(padded, 100), SOLICITATION);
});

test("decodeNdp() takes options that it does not know, before and behind its own", () => {
  const nonce = [14, 1, 1, 2, 3, 4, 5, 6];
  assert.deepEqual(decodeNdp(withOptions(KNOWN, ...nonce)), SOLICITATION);
  const behind = withOptions(BARE, ...nonce, ...KNOWN.subarray(OFFSET.options));
  assert.deepEqual(decodeNdp(behind), SOLICITATION);
});

const BARE = solicitation({ linkLayer: null });
const NOBODY = "::" as Ip;
const ALL_NODES = "ff02::1" as Ip;

/** A frame that differs from the known one in some bytes, with a checksum that fits. */
function known(offset: number, ...values: number[]): Uint8Array {
  return altered(KNOWN, offset, ...values);
}

interface Row {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly length?: number;
  readonly reason: string;
}

// biome-ignore format: a table
const MALFORMED: readonly Row[] = [
  { name: "an empty frame", frame: new Uint8Array(0), reason: "malformed-short" },
  { name: "a frame one byte short", frame: BARE.subarray(0, 77), reason: "malformed-short" },
  { name: "a 9,000-byte frame", frame: KNOWN, length: 9_000, reason: "malformed-oversized" },
  { name: "another EtherType", frame: known(OFFSET.etherType, 8, 0),
    reason: "malformed-ethertype" },
  { name: "version 4", frame: known(OFFSET.version, 0x45), reason: "malformed-ip-version" },
  { name: "a hop-by-hop header", frame: known(OFFSET.nextHeader, 0),
    reason: "malformed-next-header" },
  { name: "a payload that ends early", frame: known(OFFSET.payloadLength, 0, 23),
    reason: "malformed-lengths" },
  { name: "a payload beyond the frame", frame: known(OFFSET.payloadLength, 0, 33),
    reason: "malformed-lengths" },
  { name: "a hop limit of 254", frame: known(OFFSET.hopLimit, 254),
    reason: "malformed-hop-limit" },
  { name: "a router solicitation", frame: known(OFFSET.type, 133),
    reason: "malformed-operation" },
  { name: "code 1", frame: known(OFFSET.code, 1), reason: "malformed-operation" },
  { name: "a bad checksum", frame: KNOWN.with(OFFSET.checksum, 0),
    reason: "malformed-checksum" },
  { name: "a flipped bit of the target", frame: KNOWN.with(OFFSET.target + 15, 0xc9),
    reason: "malformed-checksum" },
  { name: "a group source of the frame", frame: known(OFFSET.source, 0x33),
    reason: "malformed-sender" },
  { name: "a multicast source", frame: known(OFFSET.sourceIp, 0xff, 0x02),
    reason: "malformed-sender" },
  { name: "a multicast target", frame: known(OFFSET.target, 0xff, 0x02),
    reason: "malformed-target" },
  { name: "the unspecified target", frame: solicitation({ target: NOBODY }),
    reason: "malformed-target" },
  { name: "a zero-length option", frame: known(OFFSET.options + 1, 0),
    reason: "malformed-options" },
  { name: "an option past the end", frame: known(OFFSET.options + 1, 2),
    reason: "malformed-options" },
  { name: "an option cut after its type", frame: withOptions(KNOWN, 14),
    reason: "malformed-options" },
  { name: "a group as link-layer address", frame: known(OFFSET.options + 2, 0x03),
    reason: "malformed-sender" },
  { name: "a probe with a link-layer address", frame: solicitation({ sourceIp: NOBODY }),
    reason: "malformed-probe" },
  { name: "a probe to the target itself",
    frame: solicitation({ sourceIp: NOBODY, linkLayer: null, destinationIp: VIP6 }),
    reason: "malformed-probe" },
  { name: "a solicited advertisement to a group",
    frame: advertisement({ destinationIp: ALL_NODES }), reason: "malformed-flags" },
  { name: "an advertisement from nobody", frame: advertisement({ sourceIp: NOBODY }),
    reason: "malformed-sender" },
];

for (const { name, frame, length = frame.length, reason } of MALFORMED) {
  test(`decodeNdp() of ${name}: ${reason}`, () => {
    assert.equal(decodeNdp(frame, length), reason);
  });
}

test("decodeNdp() reads every combination of the flags of an advertisement", () => {
  for (let bits = 0; bits < 8; bits++) {
    const flags = {
      isRouter: (bits & 4) !== 0,
      isSolicited: (bits & 2) !== 0,
      isOverride: (bits & 1) !== 0,
    };
    const frame = advertisement(flags);
    assert.equal(frame[OFFSET.flags], bits << 5);
    assert.deepEqual(decodeNdp(frame), { ...ADVERTISEMENT, ...flags });
  }
});

function replyTo(asked: Uint8Array): NdpPacket {
  const out = new Uint8Array(NDP_FRAME_BYTES).fill(POISON);
  encodeReply(asked, { source: macToBytes(OWN_MAC), target: macToBytes(OTHER_MAC) }, out);
  const reply = decodeNdp(out);
  assert.ok(typeof reply !== "string", String(reply));
  return reply;
}

test("encodeReply() answers who asks, solicited and overriding, to the link layer told", () => {
  assert.deepEqual(replyTo(solicitation({ source: OTHER_MAC })), {
    destination: CLIENT_MAC,
    source: OWN_MAC,
    sourceIp: VIP6,
    destinationIp: CLIENT_IP6,
    operation: "advertisement",
    target: VIP6,
    linkLayer: OTHER_MAC,
    isRouter: false,
    isSolicited: true,
    isOverride: true,
  });
});

test("encodeReply() answers one who tells no link layer where the frame came from", () => {
  assert.equal(replyTo(BARE).destination, CLIENT_MAC);
});

test("encodeReply() tells all nodes when a host is about to use the address", () => {
  const { destination, destinationIp, isSolicited, isOverride } = replyTo(probeBy(CLIENT_MAC));
  assert.deepEqual([destination, destinationIp], ["33:33:00:00:00:01", ALL_NODES]);
  assert.deepEqual([isSolicited, isOverride], [false, true]);
});

test("probe() goes to the group of the address, or to one host, and says not who asks", () => {
  const { destination, destinationIp, sourceIp, linkLayer } = probe(VIP6, OWN_MAC, null);
  assert.deepEqual([destination, destinationIp], ["33:33:ff:00:00:c8", "ff02::1:ff00:c8"]);
  assert.deepEqual([sourceIp, linkLayer], [NOBODY, null]);
  assert.equal(probe(VIP6, OWN_MAC, OTHER_MAC).destination, OTHER_MAC);
  assert.equal(malformedReason(probeBy(OWN_MAC), BARE_FRAME_BYTES), null);
});

test("announcement() of an IPv6 address is unsolicited, overrides, and goes to all nodes", () => {
  assert.deepEqual(announcement(VIP6, OWN_MAC), {
    ...ADVERTISEMENT,
    destination: "33:33:00:00:00:01",
    source: OWN_MAC,
    destinationIp: ALL_NODES,
    linkLayer: OWN_MAC,
    isSolicited: false,
  });
});

test("solicitedNodeGroup() has the last three bytes of the address", () => {
  assert.equal(solicitedNodeGroup("2001:db8::1:800:200e:8c6c" as Ip), "ff02::1:ff0e:8c6c");
});

test("encodeNdp() and decodeNdp() round-trip any packet, in a fully written buffer", () => {
  const property = fc.property(anyNdpPacket, (packet) => {
    const [poisoned, zeroed] = [POISON, 0].map((fill) => {
      const out = new Uint8Array(NDP_FRAME_BYTES).fill(fill);
      return out.subarray(0, encodeNdp(packet, out));
    });
    assert.deepEqual(poisoned, zeroed);
    assert.deepEqual(decodeNdp(poisoned ?? new Uint8Array()), packet);
  });
  fc.assert(property, { numRuns: 1_000 });
});

test("decodeNdp() never throws, reads nothing that did not arrive, and changes no byte", () => {
  const edits = fc.array(fc.tuple(fc.nat(NDP_FRAME_BYTES - 1), fc.nat(255)), { maxLength: 6 });
  const edited = fc.tuple(anyNdpPacket, edits).map(([packet, changes]) => {
    const bytes = new Uint8Array(NDP_FRAME_BYTES);
    encodeNdp(packet, bytes);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });
  const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), edited);
  const property = fc.property(anyBytes, fc.nat(200), fc.nat(120), (bytes, length, cut) => {
    const seen = bytes.subarray(0, cut);
    const before = bytes.slice();
    const decoded = decodeNdp(seen, length);
    if (typeof decoded !== "string") assert.ok(seen.length >= BARE_FRAME_BYTES);
    assert.deepEqual(bytes, before);
  });
  fc.assert(property, { numRuns: 3_000 });
});
