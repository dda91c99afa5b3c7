// Tests of asking the segment who answers, because somebody wants to know.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, parsePrefix } from "../../../src/core/address.ts";
import { parseMac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import { WireAsks, type WireAsksOptions } from "../../../src/daemon/wire-asks.ts";

const ADDRESS = "10.0.0.10" as Ip;
const PREFIX = parsePrefix("10.0.0.0/24") ?? assert.fail("no prefix");
const MAC = parseMac("02:00:00:00:64:0c") ?? assert.fail("no MAC");
const OTHER = parseMac("02:00:00:00:64:99") ?? assert.fail("no MAC");

function asks(changes: Partial<WireAsksOptions> = {}) {
  const sent: object[] = [];
  const views = {
    state: () => ({ record: { owner: "n2" }, phase: { kind: "idle" } }),
    nodeOf: (mac: string) => (mac === MAC ? "n2" : null),
  };
  const made = new WireAsks({
    clock: { boot: () => bootMs(0) } as WireAsksOptions["clock"],
    cluster: {
      poolOf: (address: Ip) => (address.startsWith("10.0.") ? { name: "lan" } : null),
      placementOf: () => undefined,
    },
    host: () => ({ segments: [{ interface: "eth0", prefixes: [PREFIX] }] }),
    machine: () => ({ views }),
    node: "n1",
    tellResponder: (message: object) => void sent.push(message),
    ...changes,
  } as WireAsksOptions);
  return { made, sent };
}

test("who() asks the segment of the address, and names the nodes that answered", async () => {
  const { made, sent } = asks();
  const [first, second] = [made.who("10.0.0.10"), made.who("10.0.0.10")];
  const ask = { type: "look", address: ADDRESS, interface: "eth0" };
  assert.deepEqual(sent, [ask], "once for both");
  made.onSeen({ address: ADDRESS, interface: "eth0", macs: [MAC, OTHER], isDeaf: false });
  const value = {
    ...{ address: ADDRESS, interface: "eth0", owner: "n2", ownedHere: false },
    answers: [
      { mac: MAC, node: "n2" },
      { mac: OTHER, node: null },
    ],
  };
  assert.deepEqual(await Promise.all([first, second]), [
    { ok: true, value },
    { ok: true, value },
  ]);
});

test("who() says when the answering thread does not answer", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const asked = asks().made.who("10.0.0.10");
  t.mock.timers.tick(2_000);
  const result = await asked;
  assert.ok(!result.ok && /does not answer in time/.test(result.message));
});

test("who() asks for eight addresses at a time, and for more when those are told", async () => {
  const { made, sent } = asks();
  const begun = Array.from({ length: 8 }, (_, n) => made.who(`10.0.0.${n}`));
  const ninth = await made.who("10.0.0.9");
  assert.ok(!ninth.ok && /8 others are being asked for/.test(ninth.message));
  for (let n = 0; n < 8; n++) {
    made.onSeen({ address: `10.0.0.${n}` as Ip, interface: "eth0", macs: [], isDeaf: false });
  }
  assert.ok((await Promise.all(begun)).every(({ ok }) => ok));
  const again = made.who("10.0.0.9");
  made.onSeen({ address: "10.0.0.9" as Ip, interface: "eth0", macs: [], isDeaf: false });
  assert.ok((await again).ok);
  assert.equal(sent.length, 9);
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ["what is no address", "web", /^Cannot ask who answers for "web": it is no IP address$/],
  ["an address of no pool", "192.168.1.1", /it is in no pool.*use arping or ndisc6$/],
  ["an address of another segment", "10.0.1.1", /on no interface of this node/],
];

for (const [name, text, message] of REFUSED) {
  test(`who() refuses ${name}`, async () => {
    const { made, sent } = asks();
    const result = await made.who(text);
    assert.ok(!result.ok);
    assert.match(result.message, message);
    assert.equal(result.kind, text === "web" ? "bad-request" : "refused");
    assert.deepEqual(sent, []);
  });
}
