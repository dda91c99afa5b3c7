// Tests of the responder of Neighbor Discovery: a table with a row for every outcome, what it says
// of a frame, and the property that nothing is answered without grant, interface and tenure.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Grants } from "../../../src/answering/grants.ts";
import type { Ip } from "../../../src/core/address.ts";
import { addressKey } from "../../../src/core/address-key.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { ANSWERS_BURST } from "../../../src/ndp/askers.ts";
import { NDP_OUTCOMES, type NdpOutcome, NdpReader } from "../../../src/ndp/responder.ts";
import { decodeNdp, NDP_FRAME_BYTES, type NdpPacket, OFFSET } from "../../../src/ndp/wire.ts";
import {
  advertisement,
  altered,
  announcementBy,
  CLIENT_IP6,
  CLIENT_MAC,
  OTHER_MAC,
  OWN_MAC,
  probeBy,
  solicitation,
  VIP6,
} from "../../support/ndp-frames.ts";

const VIP_OF_ETH1 = "fd00:101::c8" as Ip;
const STOOD_IN = "fd00:100::63" as Ip;
const FOREIGN = "fd00:100::4d" as Ip;
const NOBODY = "::" as Ip;
const TENURE_UNTIL = bootMs(1_000);
const BEFORE = bootMs(999.999);

/** Grants VIP6 on eth0 and another address on eth1 alone, on both until TENURE_UNTIL. */
function granted(): Grants {
  const grants = new Grants();
  grants.grant(VIP6, ["eth0"]);
  grants.grant(VIP_OF_ETH1, ["eth1"]);
  grants.standIn(STOOD_IN, "eth0", OTHER_MAC);
  for (const name of ["eth0", "eth1"]) grants.setTenure(name, TENURE_UNTIL);
  return grants;
}

function reader(grants = granted()): NdpReader {
  return new NdpReader(grants, { name: "eth0", mac: OWN_MAC });
}

/** To the group of another target than VIP6. */
function askFor(target: Ip, low: number): Uint8Array {
  const destination = `33:33:ff:00:00:${low.toString(16)}` as Mac;
  return solicitation({
    target,
    destination,
    destinationIp: `ff02::1:ff00:${low.toString(16)}` as Ip,
  });
}

interface Row {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly outcome: NdpOutcome;
  readonly length?: number;
  /** Default: shortly before the end of the tenure. */
  readonly now?: number;
}

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { name: "an empty frame", frame: new Uint8Array(0), outcome: "malformed-short" },
  { name: "a 9,000-byte frame", frame: solicitation(), length: 9_000,
    outcome: "malformed-oversized" },
  { name: "another EtherType", frame: altered(solicitation(), OFFSET.etherType, 8, 0),
    outcome: "malformed-ethertype" },
  { name: "IPv4 under this EtherType", frame: altered(solicitation(), OFFSET.version, 0x45),
    outcome: "malformed-ip-version" },
  { name: "an extension header", frame: altered(solicitation(), OFFSET.nextHeader, 0),
    outcome: "malformed-next-header" },
  { name: "lying lengths", frame: altered(solicitation(), OFFSET.payloadLength, 0, 200),
    outcome: "malformed-lengths" },
  { name: "a frame that a router has forwarded", frame: altered(solicitation(), OFFSET.hopLimit, 1),
    outcome: "malformed-hop-limit" },
  { name: "a bad checksum", frame: solicitation().with(OFFSET.checksum, 1),
    outcome: "malformed-checksum" },
  { name: "a redirect", frame: altered(solicitation(), OFFSET.type, 137),
    outcome: "malformed-operation" },
  { name: "a multicast source", frame: altered(solicitation(), OFFSET.sourceIp, 0xff),
    outcome: "malformed-sender" },
  { name: "a multicast target", frame: altered(solicitation(), OFFSET.target, 0xff),
    outcome: "malformed-target" },
  { name: "a zero-length option", frame: altered(solicitation(), OFFSET.options + 1, 0),
    outcome: "malformed-options" },
  { name: "a probe that tells a link layer", frame: solicitation({ sourceIp: NOBODY }),
    outcome: "malformed-probe" },
  { name: "a solicited advertisement to all",
    frame: advertisement({ destinationIp: "ff02::1" as Ip }), outcome: "malformed-flags" },
  { name: "its own solicitation", frame: solicitation({ source: OWN_MAC }),
    outcome: "own-frame" },
  { name: "its own announcement", frame: announcementBy(OWN_MAC), outcome: "own-frame" },
  { name: "a solicitation for another's address", frame: askFor(FOREIGN, 0x4d),
    outcome: "not-ours" },
  { name: "another host's advertisement of its own address",
    frame: advertisement({ sourceIp: FOREIGN, target: FOREIGN }), outcome: "not-request" },
  { name: "a solicitation to the group of another address",
    frame: solicitation({ destination: "33:33:ff:00:00:4d" as Mac,
      destinationIp: "ff02::1:ff00:4d" as Ip }), outcome: "wrong-destination" },
  { name: "a solicitation to the group, in a frame to another host",
    frame: solicitation({ destination: OTHER_MAC }), outcome: "wrong-destination" },
  { name: "a solicitation to the address, in a frame to a group",
    frame: solicitation({ destinationIp: VIP6 }), outcome: "wrong-destination" },
  { name: "a solicitation for an address of another interface",
    frame: solicitation({ target: VIP_OF_ETH1 }), outcome: "wrong-interface" },
  { name: "a solicitation exactly at the end of the tenure", frame: solicitation(),
    now: TENURE_UNTIL, outcome: "tenure-lapsed" },
  { name: "a solicitation long after", frame: solicitation(), now: NEVER,
    outcome: "tenure-lapsed" },
  { name: "another host's announcement", frame: announcementBy(OTHER_MAC),
    outcome: "heard-announcement" },
  { name: "another host that asks from the address",
    frame: solicitation({ sourceIp: VIP6, target: FOREIGN }), outcome: "heard-announcement" },
  { name: "another host's answer to a client", frame: advertisement(), outcome: "heard-reply" },
  { name: "another host's answer when the tenure is over", frame: advertisement(), now: NEVER,
    outcome: "heard-reply" },
  { name: "an answer with its MAC, which another gives in its place",
    frame: advertisement({ linkLayer: OWN_MAC }), outcome: "not-request" },
  { name: "a solicitation to the group", frame: solicitation(), outcome: "answered" },
  { name: "a solicitation without a link layer", frame: solicitation({ linkLayer: null }),
    outcome: "answered" },
  { name: "a solicitation to the group, in a frame to it",
    frame: solicitation({ destination: OWN_MAC }), outcome: "answered" },
  { name: "a solicitation to the address itself: is it still there?",
    frame: solicitation({ destination: OWN_MAC, destinationIp: VIP6 }), outcome: "answered" },
  { name: "a host that is about to use the address", frame: probeBy(CLIENT_MAC),
    outcome: "answered" },
  { name: "a solicitation that it answers in place of the owner", frame: askFor(STOOD_IN, 0x63),
    outcome: "stood-in" },
];

for (const { name, frame, outcome, length = frame.length, now = BEFORE } of ROWS) {
  test(`NdpReader.look() says ${outcome} for ${name}`, () => {
    assert.equal(reader().look(frame, length, bootMs(now)), outcome);
  });
}

test("NDP_OUTCOMES are all produced by a row of the table, and no other is", () => {
  const produced = new Set([...ROWS.map((row) => row.outcome), "muted", "rate-limited"]);
  assert.deepEqual([...produced].sort(), [...NDP_OUTCOMES].sort());
});

test("NdpReader.look() answers nothing while it is muted, and takes nobody for a rival", () => {
  const grants = granted();
  grants.isMuted = true;
  const looks = [solicitation(), announcementBy(OTHER_MAC)].map((frame) =>
    reader(grants).look(frame, frame.length, BEFORE),
  );
  assert.deepEqual(looks, ["muted", "not-request"]);
});

test("NdpReader.look() limits a host that asks without end, and answers others", () => {
  const one = reader();
  const frame = solicitation();
  for (let i = 0; i < ANSWERS_BURST; i++) one.look(frame, frame.length, bootMs(0));
  assert.equal(one.look(frame, frame.length, bootMs(0)), "rate-limited");
  const other = solicitation({ source: OTHER_MAC, linkLayer: OTHER_MAC });
  assert.equal(one.look(other, other.length, bootMs(0)), "answered");
  assert.equal(one.look(frame, frame.length, bootMs(10)), "answered", "ten milliseconds later");
});

test("NdpReader.reply() in place of an owner has its MAC, and this host's source", () => {
  const out = new Uint8Array(NDP_FRAME_BYTES).fill(0xa5);
  reader().reply(askFor(STOOD_IN, 0x63), out);
  const reply = decodeNdp(out) as NdpPacket;
  assert.deepEqual([reply.source, reply.linkLayer, reply.target], [OWN_MAC, OTHER_MAC, STOOD_IN]);
});

test("NdpReader tells who asked, for what, and what others say", () => {
  const one = reader();
  assert.equal(one.askedFor(solicitation()), addressKey(VIP6));
  assert.equal(one.askerOf(solicitation({ source: OTHER_MAC })), CLIENT_MAC);
  assert.deepEqual(one.toldBy(advertisement()), { address: VIP6, mac: OTHER_MAC });
  const unnamed = advertisement({ linkLayer: null });
  assert.deepEqual(one.toldBy(unnamed), { address: VIP6, mac: OTHER_MAC });
  const fromVip = solicitation({ sourceIp: VIP6, target: FOREIGN });
  assert.deepEqual(one.toldBy(fromVip), { address: VIP6, mac: CLIENT_MAC });
});

test("NdpReader.useOf() is whoever asks, or is about to use what it asks for, or tells", () => {
  const uses = [solicitation(), probeBy(CLIENT_MAC, FOREIGN), advertisement()].map((frame) => {
    const { address, mac } = reader().useOf(frame);
    assert.equal(reader().usedBy(frame), addressKey(address));
    return [address, mac];
  });
  assert.deepEqual(uses, [
    [CLIENT_IP6, CLIENT_MAC],
    [FOREIGN, CLIENT_MAC],
    [VIP6, OTHER_MAC],
  ]);
});

test("NdpReader.look() gives one known outcome and never throws, for any frame", () => {
  const one = reader();
  const anyFrame = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc
      .tuple(fc.nat(NDP_FRAME_BYTES - 1), fc.nat(255))
      .map(([at, value]) => altered(solicitation(), at, value)),
  );
  const property = fc.property(anyFrame, fc.nat(200), fc.nat(2_000), (frame, length, now) => {
    const before = frame.slice();
    assert.ok(NDP_OUTCOMES.includes(one.look(frame, length, bootMs(now))));
    assert.deepEqual(frame, before);
  });
  fc.assert(property, { numRuns: 2_000 });
});

test("NdpReader.look() never answers without grant, interface and tenure", () => {
  const addresses = [VIP6, VIP_OF_ETH1, FOREIGN];
  const property = fc.property(
    fc.constantFrom(...addresses),
    fc.subarray(["eth0", "eth1"]),
    fc.constantFrom(...addresses),
    fc.nat(2_000),
    fc.nat(2_000),
    (address, interfaces, target, until, now) => {
      const grants = new Grants();
      grants.grant(address, interfaces);
      grants.setTenure("eth0", bootMs(until));
      const frame = solicitation({ destination: OWN_MAC, destinationIp: target, target });
      const may = address === target && interfaces.includes("eth0") && now < until;
      const outcome = reader(grants).look(frame, frame.length, bootMs(now));
      assert.equal(outcome === "answered", may, outcome);
      assert.equal(grants.maySpeak(target, "eth0", bootMs(now)), may);
    },
  );
  fc.assert(property, { numRuns: 1_000 });
});
