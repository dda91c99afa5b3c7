// Tests of the ARP responder: a table with a row for every outcome, the tenure at its edges, and
// the property that a frame has one outcome and no answer without a tenure.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Grants } from "../../../src/answering/grants.ts";
import { ARP_OUTCOMES, type ArpOutcome, ArpReader } from "../../../src/arp/responder.ts";
import type { ArpPacket } from "../../../src/arp/wire.ts";
import {
  ARP_FRAME_BYTES,
  announcements,
  decodeArp,
  encodeArp,
  OFFSET,
} from "../../../src/arp/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import { MAC_BROADCAST, MAC_ZERO, type Mac } from "../../../src/core/mac.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";

const ETH0 = "02:00:00:00:64:0b" as Mac;
const ETH1 = "02:00:00:00:65:0b" as Mac;
const CLIENT = "02:00:00:00:64:02" as Mac;
const OTHER_NODE = "02:00:00:00:64:0c" as Mac;
const VIP = "192.168.100.200" as Ip;
const VIP_OF_ETH1 = "192.168.101.200" as Ip;
const FOREIGN = "192.168.100.77" as Ip;
const CLIENT_IP = "192.168.100.2" as Ip;
const STOOD_IN = "192.168.1.99" as Ip;
const TENURE_UNTIL = bootMs(1_000);
const BEFORE = bootMs(999.999);

const REQUEST: ArpPacket = {
  destination: MAC_BROADCAST,
  source: CLIENT,
  operation: "request",
  senderMac: CLIENT,
  senderIp: CLIENT_IP,
  targetMac: MAC_ZERO,
  targetIp: VIP,
};

function frameOf(changes: Partial<ArpPacket>, edit: (bytes: Uint8Array) => void = () => {}) {
  const bytes = new Uint8Array(ARP_FRAME_BYTES);
  encodeArp({ ...REQUEST, ...changes }, bytes);
  edit(bytes);
  return bytes;
}

function announcementOf(mac: Mac, operation: "request" | "reply"): Uint8Array {
  const [request, reply] = announcements(VIP, mac);
  return frameOf(operation === "request" ? request : reply);
}

/** Grants VIP on eth0 and another address on eth1 alone, on both until TENURE_UNTIL. */
function granted(): Grants {
  const grants = new Grants();
  grants.grant(VIP, ["eth0"]);
  grants.grant(VIP_OF_ETH1, ["eth1"]);
  grants.standIn(STOOD_IN, "eth0", OTHER_NODE);
  for (const name of ["eth0", "eth1"]) grants.setTenure(name, TENURE_UNTIL);
  return grants;
}

interface Row {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly outcome: ArpOutcome;
  /** True length of the frame; default: that of its bytes. */
  readonly length?: number;
  /** Default: shortly before the end of the tenure. */
  readonly now?: number;
}

const ROWS: readonly Row[] = [
  { name: "an empty frame", frame: new Uint8Array(0), outcome: "malformed-short" },
  { name: "a 20-byte frame", frame: frameOf({}).subarray(0, 20), outcome: "malformed-short" },
  { name: "a 9,000-byte frame", frame: frameOf({}), length: 9_000, outcome: "malformed-oversized" },
  {
    name: "another EtherType",
    frame: frameOf({}, (bytes) => bytes.set([8, 0], OFFSET.etherType)),
    outcome: "malformed-ethertype",
  },
  {
    name: "another hardware type",
    frame: frameOf({}, (bytes) => bytes.set([0, 6], OFFSET.hardwareType)),
    outcome: "malformed-hardware-type",
  },
  {
    name: "another protocol type",
    frame: frameOf({}, (bytes) => bytes.set([0x86, 0xdd], OFFSET.protocolType)),
    outcome: "malformed-protocol-type",
  },
  {
    name: "lying lengths",
    frame: frameOf({}, (bytes) => bytes.set([255, 255], OFFSET.hardwareLength)),
    outcome: "malformed-lengths",
  },
  {
    name: "operation 9",
    frame: frameOf({}, (bytes) => bytes.set([0, 9], OFFSET.operation)),
    outcome: "malformed-operation",
  },
  {
    name: "a group sender",
    frame: frameOf({ senderMac: MAC_BROADCAST }),
    outcome: "malformed-sender",
  },
  { name: "its own request", frame: frameOf({ source: ETH0 }), outcome: "own-frame" },
  {
    name: "its own announcement",
    frame: announcementOf(ETH0, "request"),
    outcome: "own-frame",
  },
  {
    name: "its own announcement sent back from another source",
    frame: frameOf({ ...announcements(VIP, ETH0)[0], source: OTHER_NODE }),
    outcome: "answered",
  },
  {
    name: "a request for another's address",
    frame: frameOf({ targetIp: FOREIGN }),
    outcome: "not-ours",
  },
  { name: "a reply to us", frame: frameOf({ operation: "reply" }), outcome: "not-request" },
  {
    name: "another host's announcement of another address",
    frame: frameOf({ operation: "reply", senderIp: FOREIGN, targetIp: FOREIGN }),
    outcome: "not-request",
  },
  {
    name: "a request to another host's MAC",
    frame: frameOf({ destination: OTHER_NODE }),
    outcome: "wrong-destination",
  },
  {
    name: "a request to a multicast group",
    frame: frameOf({ destination: "01:00:5e:00:00:01" as Mac }),
    outcome: "wrong-destination",
  },
  {
    name: "a request for an address of another interface",
    frame: frameOf({ targetIp: VIP_OF_ETH1 }),
    outcome: "wrong-interface",
  },
  {
    name: "a request exactly at the end of the tenure",
    frame: frameOf({}),
    now: TENURE_UNTIL,
    outcome: "tenure-lapsed",
  },
  { name: "a request long after", frame: frameOf({}), now: NEVER, outcome: "tenure-lapsed" },
  {
    name: "another host's gratuitous request",
    frame: announcementOf(OTHER_NODE, "request"),
    outcome: "heard-announcement",
  },
  {
    name: "another host's gratuitous reply",
    frame: announcementOf(OTHER_NODE, "reply"),
    outcome: "heard-announcement",
  },
  {
    name: "another host that asks with the address as its own",
    frame: frameOf({ senderIp: VIP, targetIp: FOREIGN }),
    outcome: "heard-announcement",
  },
  {
    name: "another host's reply to a client",
    frame: frameOf({
      operation: "reply",
      senderMac: OTHER_NODE,
      senderIp: VIP,
      targetIp: CLIENT_IP,
    }),
    outcome: "heard-reply",
  },
  {
    name: "another host's announcement when the tenure is over",
    frame: announcementOf(OTHER_NODE, "request"),
    now: TENURE_UNTIL,
    outcome: "heard-announcement",
  },
  { name: "a request by broadcast", frame: frameOf({}), outcome: "answered" },
  { name: "a request to its MAC", frame: frameOf({ destination: ETH0 }), outcome: "answered" },
  {
    name: "a probe from 0.0.0.0",
    frame: frameOf({ senderIp: "0.0.0.0" as Ip }),
    outcome: "answered",
  },
  {
    name: "a request for an address that it answers in place of its owner",
    frame: frameOf({ targetIp: STOOD_IN }),
    outcome: "stood-in",
  },
  { name: "a request with padding", frame: frameOf({}), length: 60, outcome: "answered" },
];

for (const { name, frame, outcome, length = frame.length, now = BEFORE } of ROWS) {
  test(`ArpReader.look() says ${outcome} for ${name}`, () => {
    const eth0 = new ArpReader(granted(), { name: "eth0", mac: ETH0 });
    assert.equal(eth0.look(frame, length, bootMs(now)), outcome);
  });
}

test("ARP_OUTCOMES are all produced by a row of the table, and no other is", () => {
  const produced = new Set([...ROWS.map((row) => row.outcome), "muted"]);
  assert.deepEqual([...produced].sort(), [...ARP_OUTCOMES].sort());
});

test("ArpReader.reply() in place of an owner has its MAC, and this host's source", () => {
  const eth0 = new ArpReader(granted(), { name: "eth0", mac: ETH0 });
  const out = new Uint8Array(ARP_FRAME_BYTES).fill(0xa5);
  eth0.reply(frameOf({ targetIp: STOOD_IN }), out);
  const reply = decodeArp(out, out.length);
  assert.ok(typeof reply !== "string");
  assert.deepEqual([reply.source, reply.senderMac, reply.senderIp], [ETH0, OTHER_NODE, STOOD_IN]);
});

test("Grants.standIn() is no grant: it announces nothing, and goes with null", () => {
  const grants = granted();
  assert.equal(grants.maySpeak(STOOD_IN, "eth0", bootMs(BEFORE)), false);
  assert.deepEqual(
    grants.all().filter(({ address }) => address === STOOD_IN),
    [],
  );
  const eth0 = new ArpReader(grants, { name: "eth0", mac: ETH0 });
  const frame = frameOf({ targetIp: STOOD_IN });
  assert.equal(eth0.look(frame, frame.length, TENURE_UNTIL), "tenure-lapsed");
  grants.grant(STOOD_IN, ["eth0"]);
  assert.equal(eth0.look(frame, frame.length, bootMs(BEFORE)), "answered", "a grant comes first");
  grants.revoke(STOOD_IN);
  grants.standIn(STOOD_IN, "eth0", null);
  assert.equal(eth0.look(frame, frame.length, bootMs(BEFORE)), "not-ours");
});

test("ArpReader.look() answers nothing before the first tenure", () => {
  const grants = new Grants();
  grants.grant(VIP, ["eth0"]);
  const eth0 = new ArpReader(grants, { name: "eth0", mac: ETH0 });
  assert.equal(eth0.look(frameOf({}), 42, bootMs(0)), "tenure-lapsed");
  grants.setTenure("eth0", bootMs(1));
  assert.equal(eth0.look(frameOf({}), 42, bootMs(0)), "answered");
});

test("ArpReader.look() asks for the tenure at every frame", () => {
  const grants = granted();
  const eth0 = new ArpReader(grants, { name: "eth0", mac: ETH0 });
  const outcomes = [999, 1_000, 999, 1_001].map((now) => eth0.look(frameOf({}), 42, bootMs(now)));
  assert.deepEqual(outcomes, ["answered", "tenure-lapsed", "answered", "tenure-lapsed"]);
  grants.setTenure("eth0", bootMs(1_001.5));
  assert.equal(eth0.look(frameOf({}), 42, bootMs(1_001)), "answered");
  // It may also be taken back.
  grants.setTenure("eth0", bootMs(0));
  assert.equal(eth0.look(frameOf({}), 42, bootMs(1_001)), "tenure-lapsed");
});

test("ArpReader.look() goes by the tenure of its own interface", () => {
  const grants = granted();
  grants.grant(VIP, ["eth0", "eth1"]);
  const both = [
    new ArpReader(grants, { name: "eth0", mac: ETH0 }),
    new ArpReader(grants, { name: "eth1", mac: ETH1 }),
  ];
  const looks = () => both.map((one) => one.look(frameOf({}), 42, BEFORE));
  assert.deepEqual(looks(), ["answered", "answered"]);
  grants.setTenure("eth1", bootMs(500));
  assert.deepEqual(looks(), ["answered", "tenure-lapsed"]);
  const speaks = ["eth0", "eth1"].map((name) => grants.maySpeak(VIP, name, BEFORE));
  assert.deepEqual(speaks, [true, false]);
});

test("ArpReader.look() answers on every interface of a grant, and on no other", () => {
  const grants = granted();
  grants.grant(VIP, ["eth0", "eth1"]);
  const outcomes = [
    new ArpReader(grants, { name: "eth0", mac: ETH0 }),
    new ArpReader(grants, { name: "eth1", mac: ETH1 }),
    new ArpReader(grants, { name: "eth2", mac: ETH1 }),
  ].map((entry) => entry.look(frameOf({}), 42, BEFORE));
  assert.deepEqual(outcomes, ["answered", "answered", "wrong-interface"]);
});

test("Grants.grant() replaces the interfaces of before, revoke() ends it", () => {
  const grants = granted();
  const eth0 = new ArpReader(grants, { name: "eth0", mac: ETH0 });
  grants.grant(VIP, ["eth1"]);
  assert.equal(eth0.look(frameOf({}), 42, BEFORE), "wrong-interface");
  assert.deepEqual(grants.all(), [
    { address: VIP, interfaces: ["eth1"] },
    { address: VIP_OF_ETH1, interfaces: ["eth1"] },
  ]);
  grants.revoke(VIP);
  assert.equal(eth0.look(frameOf({}), 42, BEFORE), "not-ours");
  grants.revoke(VIP);
  assert.deepEqual(grants.all(), [{ address: VIP_OF_ETH1, interfaces: ["eth1"] }]);
});

test("ArpReader.reply() answers the asker with the interface's MAC", () => {
  const out = new Uint8Array(ARP_FRAME_BYTES).fill(0xa5);
  new ArpReader(granted(), { name: "eth0", mac: ETH0 }).reply(frameOf({}), out);
  assert.deepEqual(decodeArp(out), {
    destination: CLIENT,
    source: ETH0,
    operation: "reply",
    senderMac: ETH0,
    senderIp: VIP,
    targetMac: CLIENT,
    targetIp: CLIENT_IP,
  });
});

test("ArpReader.toldBy() names the address and the other host", () => {
  const eth0 = new ArpReader(granted(), { name: "eth0", mac: ETH0 });
  assert.deepEqual(eth0.toldBy(announcementOf(OTHER_NODE, "reply")), {
    address: VIP,
    mac: OTHER_NODE,
  });
});

const anyMac = fc.constantFrom(ETH0, ETH1, CLIENT, OTHER_NODE, MAC_BROADCAST, MAC_ZERO);
const anyIp = fc.constantFrom(VIP, VIP_OF_ETH1, FOREIGN, CLIENT_IP, "0.0.0.0" as Ip);
/** Packets of few values, so that all combinations come up. */
const anyPacket: fc.Arbitrary<ArpPacket> = fc.record({
  destination: anyMac,
  source: anyMac,
  operation: fc.constantFrom("request", "reply"),
  senderMac: anyMac,
  senderIp: anyIp,
  targetMac: anyMac,
  targetIp: anyIp,
});
const anyFrame = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  anyPacket.map((packet) => frameOf(packet)),
  fc
    .tuple(anyPacket, fc.nat(41), fc.nat(255))
    .map(([packet, offset, value]) => frameOf(packet, (bytes) => bytes.set([value], offset))),
);

test("ArpReader.look() gives one known outcome and never throws, for any frame", () => {
  const eth0 = new ArpReader(granted(), { name: "eth0", mac: ETH0 });
  const anyLength = fc.oneof(fc.nat(100), fc.integer());
  fc.assert(
    fc.property(anyFrame, anyLength, fc.nat(2_000), (frame, length, now) => {
      const before = frame.slice();
      assert.ok(ARP_OUTCOMES.includes(eth0.look(frame, length, bootMs(now))));
      assert.deepEqual(frame, before);
    }),
    { numRuns: 2_000 },
  );
});

test("ArpReader.look() never answers without grant, interface and tenure", () => {
  const grants = fc.array(
    fc.record({ address: anyIp, interfaces: fc.subarray(["eth0", "eth1"]) }),
    { maxLength: 4 },
  );
  const property = fc.property(
    grants,
    anyPacket,
    fc.nat(2_000),
    fc.nat(2_000),
    (given, packet, until, now) => {
      const grants = new Grants();
      for (const { address, interfaces } of given) grants.grant(address, interfaces);
      grants.setTenure("eth0", bootMs(until));
      const outcome = new ArpReader(grants, { name: "eth0", mac: ETH0 }).look(
        frameOf(packet),
        42,
        bootMs(now),
      );
      const last = given.findLast(({ address }) => address === packet.targetIp);
      const may = last?.interfaces.includes("eth0") === true && now < until;
      if (outcome === "answered") {
        assert.ok(may);
        assert.equal(packet.operation, "request");
        assert.ok([MAC_BROADCAST, ETH0].includes(packet.destination));
        assert.notEqual(packet.source, ETH0);
      }
      assert.equal(grants.maySpeak(packet.targetIp, "eth0", bootMs(now)), may);
    },
  );
  fc.assert(property, { numRuns: 2_000 });
});
