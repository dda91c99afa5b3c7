// Tests of the ARP codec: the bytes of a known frame in both directions, a table of what is no
// frame, and properties for any bytes, any length and any packet.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ARP_FRAME_BYTES,
  type ArpPacket,
  announcements,
  decodeArp,
  encodeArp,
  encodeReply,
  malformedReason,
  OFFSET,
  probe,
} from "../../../src/arp/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import { ipv4FromNumber } from "../../../src/core/address.ts";
import { FRAME_BYTES_MAX } from "../../../src/core/ethernet.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { MAC_BROADCAST, MAC_ZERO, macAt, macToBytes } from "../../../src/core/mac.ts";

const POISON = 0xa5;

/** Who has 192.168.100.200? Tell 192.168.100.2. As a Linux host sends it. */
const REQUEST_BYTES = Uint8Array.from(
  Buffer.from(
    "ffffffffffff0200000064020806" + // Ethernet: destination, source, EtherType
      "0001080006040001" + // hardware and protocol type, their lengths, operation
      "020000006402c0a86402" + // sender
      "000000000000c0a864c8", // target
    "hex",
  ),
);
const REQUEST: ArpPacket = {
  destination: MAC_BROADCAST,
  source: "02:00:00:00:64:02" as Mac,
  operation: "request",
  senderMac: "02:00:00:00:64:02" as Mac,
  senderIp: "192.168.100.2" as Ip,
  targetMac: MAC_ZERO,
  targetIp: "192.168.100.200" as Ip,
};
const OWN_MAC = "02:00:00:00:64:0b" as Mac;

function poisoned(length = ARP_FRAME_BYTES): Uint8Array {
  return new Uint8Array(length).fill(POISON);
}

function edited(edit: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = REQUEST_BYTES.slice();
  edit(bytes);
  return bytes;
}

const MALFORMED: readonly [string, Uint8Array, number | null, string][] = [
  ["an empty frame", new Uint8Array(0), null, "malformed-short"],
  ["a 20-byte frame", REQUEST_BYTES.subarray(0, 20), null, "malformed-short"],
  ["a frame one byte short", REQUEST_BYTES.subarray(0, 41), null, "malformed-short"],
  ["a length below the buffer's", REQUEST_BYTES, 41, "malformed-short"],
  ["a length beyond a buffer that is short", REQUEST_BYTES.subarray(0, 30), 60, "malformed-short"],
  ["a negative length", REQUEST_BYTES, -1, "malformed-short"],
  ["a 9,000-byte frame", REQUEST_BYTES, 9_000, "malformed-oversized"],
  ["a frame one byte too long", REQUEST_BYTES, FRAME_BYTES_MAX + 1, "malformed-oversized"],
  [
    "another EtherType",
    edited((b) => b.set([0x08, 0x00], OFFSET.etherType)),
    null,
    "malformed-ethertype",
  ],
  [
    "a VLAN tag in the way",
    edited((b) => b.set([0x81, 0x00], OFFSET.etherType)),
    null,
    "malformed-ethertype",
  ],
  [
    "another hardware type",
    edited((b) => b.set([0, 6], OFFSET.hardwareType)),
    null,
    "malformed-hardware-type",
  ],
  [
    "another protocol type",
    edited((b) => b.set([0x86, 0xdd], OFFSET.protocolType)),
    null,
    "malformed-protocol-type",
  ],
  [
    "a lying hardware length",
    edited((b) => b.set([8], OFFSET.hardwareLength)),
    null,
    "malformed-lengths",
  ],
  [
    "a hardware length of 0",
    edited((b) => b.set([0], OFFSET.hardwareLength)),
    null,
    "malformed-lengths",
  ],
  [
    "a lying protocol length",
    edited((b) => b.set([16], OFFSET.protocolLength)),
    null,
    "malformed-lengths",
  ],
  ["operation 0", edited((b) => b.set([0, 0], OFFSET.operation)), null, "malformed-operation"],
  [
    "operation 3 (RARP)",
    edited((b) => b.set([0, 3], OFFSET.operation)),
    null,
    "malformed-operation",
  ],
  [
    "operation 256 + 1",
    edited((b) => b.set([1, 1], OFFSET.operation)),
    null,
    "malformed-operation",
  ],
  ["a group sender", edited((b) => b.set([1], OFFSET.senderMac)), null, "malformed-sender"],
  [
    "a broadcast sender",
    edited((b) => b.fill(0xff, OFFSET.senderMac, OFFSET.senderIp)),
    null,
    "malformed-sender",
  ],
];

for (const [name, bytes, length, reason] of MALFORMED) {
  test(`decodeArp() refuses ${name}`, () => {
    assert.equal(length === null ? decodeArp(bytes) : decodeArp(bytes, length), reason);
    assert.equal(malformedReason(bytes, length ?? bytes.length), reason);
  });
}

test("decodeArp() reads every field of a request", () => {
  assert.deepEqual(decodeArp(REQUEST_BYTES), REQUEST);
});

test("decodeArp() reads a frame with Ethernet padding, up to the longest", () => {
  for (const length of [42, 60, FRAME_BYTES_MAX]) {
    const padded = poisoned(length);
    padded.set(REQUEST_BYTES);
    assert.deepEqual(decodeArp(padded), REQUEST);
  }
});

test("decodeArp() reads a probe, whose sender address is 0.0.0.0", () => {
  const packet = decodeArp(edited((b) => b.fill(0, OFFSET.senderIp, OFFSET.senderIp + 4)));
  assert.deepEqual(packet, { ...REQUEST, senderIp: "0.0.0.0" });
});

test("OFFSET has every field of a frame, in order and without a gap", () => {
  const sizes = [6, 6, 2, 2, 2, 1, 1, 2, 6, 4, 6, 4];
  let offset = 0;
  for (const [index, start] of Object.values(OFFSET).entries()) {
    assert.equal(start, offset);
    offset += sizes[index] ?? 0;
  }
  assert.equal(offset, ARP_FRAME_BYTES);
});

test("encodeArp() writes every byte of a poisoned buffer", () => {
  const out = poisoned();
  encodeArp(REQUEST, out);
  assert.deepEqual(out, REQUEST_BYTES);
});

test("encodeArp() writes nothing behind the frame", () => {
  const out = poisoned(64);
  encodeArp(REQUEST, out);
  assert.deepEqual(out.subarray(ARP_FRAME_BYTES), poisoned(64 - ARP_FRAME_BYTES));
});

test("encodeReply() swaps the request and fills in the own MAC", () => {
  const out = poisoned();
  const own = macToBytes(OWN_MAC);
  encodeReply(REQUEST_BYTES, { source: own, sender: own }, out);
  assert.deepEqual(decodeArp(out), {
    destination: REQUEST.senderMac,
    source: OWN_MAC,
    operation: "reply",
    senderMac: OWN_MAC,
    senderIp: REQUEST.targetIp,
    targetMac: REQUEST.senderMac,
    targetIp: REQUEST.senderIp,
  });
});

test("announcements() are a request and a reply with the address in both places", () => {
  const [request, reply] = announcements("192.168.100.200" as Ip, OWN_MAC);
  assert.deepEqual([request.operation, reply.operation], ["request", "reply"]);
  for (const packet of [request, reply]) {
    assert.deepEqual(
      [packet.destination, packet.source, packet.senderMac, packet.senderIp, packet.targetIp],
      [MAC_BROADCAST, OWN_MAC, OWN_MAC, "192.168.100.200", "192.168.100.200"],
    );
  }
});

for (const to of [null, REQUEST.senderMac]) {
  test(`probe() asks ${to === null ? "everybody" : "one host"}, from 0.0.0.0`, () => {
    const ip = "192.168.100.200" as Ip;
    const out = poisoned();
    encodeArp(probe(ip, OWN_MAC, to), out);
    assert.deepEqual(decodeArp(out), {
      destination: to ?? MAC_BROADCAST,
      source: OWN_MAC,
      operation: "request",
      senderMac: OWN_MAC,
      senderIp: "0.0.0.0",
      targetMac: MAC_ZERO,
      targetIp: ip,
    });
  });
}

const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macAt(bytes, 0));
/** Without the group bit: somebody's own address. */
const ownMac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => {
  bytes[0] = (bytes[0] ?? 0) & 0xfe;
  return macAt(bytes, 0);
});
const anyIp = fc.oneof(fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff), fc.nat(0xffffffff));
const anyPacket: fc.Arbitrary<ArpPacket> = fc.record(
  {
    destination: anyMac,
    source: anyMac,
    operation: fc.constantFrom("request", "reply"),
    senderMac: ownMac,
    senderIp: anyIp.map(ipv4FromNumber),
    targetMac: anyMac,
    targetIp: anyIp.map(ipv4FromNumber),
  },
  { noNullPrototype: true },
);
/** Frames that are nearly right, so that the later checks are reached too. */
const nearlyFrame = fc
  .tuple(anyPacket, fc.array(fc.tuple(fc.nat(ARP_FRAME_BYTES - 1), fc.nat(255)), { maxLength: 2 }))
  .map(([packet, changes]) => {
    const bytes = new Uint8Array(ARP_FRAME_BYTES);
    encodeArp(packet, bytes);
    for (const [offset, value] of changes) bytes[offset] = value;
    return bytes;
  });
const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 80 }), nearlyFrame);

test("decodeArp() never throws for any bytes and any lying length", () => {
  const anyLength = fc.oneof(fc.integer(), fc.nat(100), fc.constantFrom(Number.NaN, Infinity));
  fc.assert(
    fc.property(anyBytes, anyLength, (bytes, length) => {
      const decoded = decodeArp(bytes, length);
      assert.equal(typeof decoded === "string" ? decoded : null, malformedReason(bytes, length));
    }),
    { numRuns: 2_000 },
  );
});

test("decodeArp() changes no byte and reads none behind the frame", () => {
  fc.assert(
    fc.property(anyBytes, fc.uint8Array({ maxLength: 40 }), (bytes, tail) => {
      const before = bytes.slice();
      const longer = Uint8Array.from([...bytes, ...tail]);
      const decoded = decodeArp(bytes);
      if (bytes.length >= ARP_FRAME_BYTES) assert.deepEqual(decodeArp(longer), decoded);
      assert.deepEqual(bytes, before);
    }),
  );
});

test("encodeArp() and decodeArp() round-trip any packet, in a fully written buffer", () => {
  fc.assert(
    fc.property(anyPacket, (packet) => {
      const [out, other] = [poisoned(), poisoned().fill(0x5a)];
      encodeArp(packet, out);
      encodeArp(packet, other);
      assert.deepEqual(out, other);
      assert.deepEqual(decodeArp(out), packet);
    }),
  );
});

test("encodeArp() gives back the bytes that decodeArp() read", () => {
  fc.assert(
    fc.property(nearlyFrame, (bytes) => {
      const packet = decodeArp(bytes);
      fc.pre(typeof packet !== "string");
      const out = poisoned();
      encodeArp(packet, out);
      assert.deepEqual(out, bytes);
    }),
  );
});

test("encodeReply() equals encodeArp() of the swapped packet, for any request", () => {
  fc.assert(
    fc.property(anyPacket, ownMac, (request, mac) => {
      const [frame, reply, expected] = [poisoned(), poisoned(), poisoned().fill(0x5a)];
      encodeArp(request, frame);
      const own = macToBytes(mac);
      encodeReply(frame, { source: own, sender: own }, reply);
      const swapped: ArpPacket = {
        destination: request.senderMac,
        source: mac,
        operation: "reply",
        senderMac: mac,
        senderIp: request.targetIp,
        targetMac: request.senderMac,
        targetIp: request.senderIp,
      };
      encodeArp(swapped, expected);
      assert.deepEqual(reply, expected);
    }),
  );
});
