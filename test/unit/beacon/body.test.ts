// Tests of the bodies of datagrams: a table of what is none, the bytes of known ones, and
// properties for any bytes and any body.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type DatagramBody,
  decodeBody,
  ENTRY_BYTES,
  encodeBody,
  KINDS,
  TABLE_BYTES,
  TABLE_CHANGE_BYTES,
} from "../../../src/beacon/body.ts";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { toHex } from "../../../src/core/hex.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { anyBody } from "../../support/beacon-datagrams.ts";

type Kind = DatagramBody["kind"];

const BEACON: DatagramBody = {
  kind: "beacon",
  state: "draining",
  intervalMs: 100,
  holdMs: 300,
  stalledMs: 7,
  mac: "02:00:00:00:64:0b" as Mac,
  digest: "0123456789abcdef",
};
const BEACON_HEX = "01" + "0064" + "012c" + "0007" + "02000000640b" + "0123456789abcdef";
const ENTRY_4 = { address: "192.168.100.200" as Ip, epoch: epochOf(5, 2) };
const ENTRY_4_HEX = `04${"00".repeat(12)}c0a864c8${"00000005"}${"0002"}`;
const ENTRY_6 = { address: "fd00:100::200" as Ip, epoch: epochOf(0xffff_ffff, 0xffff) };
const ENTRY_6_HEX = `06fd000100${"00".repeat(10)}0200${"ffffffff"}${"ffff"}`;
const TABLE: DatagramBody = {
  kind: "table",
  digest: "fedcba9876543210",
  page: 1,
  pages: 2,
  entries: [ENTRY_4, ENTRY_6],
};
const TABLE_HEX = `fedcba9876543210${"0001"}${"0002"}${"0002"}${ENTRY_4_HEX}${ENTRY_6_HEX}`;
const CHANGE: DatagramBody = {
  kind: "table-change",
  from: "fedcba9876543210",
  to: "0123456789abcdef",
  gone: [ENTRY_6],
  entries: [ENTRY_4],
};
const DIGESTS_HEX = "fedcba9876543210" + "0123456789abcdef";
const CHANGE_HEX = `${DIGESTS_HEX}${"0001"}${"0002"}${ENTRY_6_HEX}${ENTRY_4_HEX}`;

const MALFORMED: readonly [string, Kind, string][] = [
  ["an empty beacon", "beacon", ""],
  ["a beacon one byte short", "beacon", BEACON_HEX.slice(0, -2)],
  ["a beacon one byte too long", "beacon", `${BEACON_HEX}00`],
  ["a beacon of an unknown state", "beacon", `05${BEACON_HEX.slice(2)}`],
  ["a beacon with interval 0", "beacon", BEACON_HEX.replace("0064", "0000")],
  ["a beacon with interval and hold 0", "beacon", BEACON_HEX.replace("0064012c", "00000000")],
  ["a hold smaller than the interval", "beacon", BEACON_HEX.replace("012c", "0063")],
  ["an empty claim", "claim", ""],
  ["a claim of half a count", "claim", "00"],
  ["a claim of no entry", "claim", "0000"],
  ["a claim whose count is too large", "claim", `0002${ENTRY_4_HEX}`],
  ["a claim whose count is as large as can be", "claim", `ffff${ENTRY_4_HEX}`],
  ["a claim whose count is too small", "claim", `0001${ENTRY_4_HEX}${ENTRY_4_HEX}`],
  ["a claim whose count is 0", "claim", `0000${ENTRY_4_HEX}`],
  ["a claim that ends within an entry", "claim", `0001${ENTRY_4_HEX.slice(0, -2)}`],
  ["a claim with a byte behind its entries", "claim", `0001${ENTRY_4_HEX}00`],
  ["an address of family 0", "claim", `000100${ENTRY_4_HEX.slice(2)}`],
  ["an address of family 5", "claim", `000105${ENTRY_4_HEX.slice(2)}`],
  ["an IPv4 address of 33 bits", "claim", `0001${ENTRY_4_HEX.replace("00c0a8", "01c0a8")}`],
  ["an IPv4 address with a bit in front", "claim", `00010480${ENTRY_4_HEX.slice(4)}`],
  ["a wrong address behind a right one", "claim", `0002${ENTRY_4_HEX}05${ENTRY_4_HEX.slice(2)}`],
  ["a table request with a byte", "table-request", "00"],
  ["an empty table", "table", ""],
  ["a table that ends within its count", "table", TABLE_HEX.slice(0, 26)],
  ["a table of no pages", "table", `${"00".repeat(8)}000000000000`],
  ["a table whose page is its number of pages", "table", `${"00".repeat(8)}000200020000`],
  ["a table whose page is beyond", "table", `${"00".repeat(8)}ffff00020000`],
  ["a table whose count is too large", "table", `${"00".repeat(8)}000000010001`],
  ["a table whose count is too small", "table", `${"00".repeat(8)}000000010000${ENTRY_4_HEX}`],
  ["an empty change of a table", "table-change", ""],
  ["a change that ends within its count", "table-change", CHANGE_HEX.slice(0, 38)],
  ["a change of which more is gone than it has", "table-change", `${DIGESTS_HEX}00010000`],
  ["a change whose count is too large", "table-change", `${DIGESTS_HEX}00000001`],
  ["a change with a byte behind its entries", "table-change", `${CHANGE_HEX}00`],
];

for (const [name, kind, hex] of MALFORMED) {
  test(`decodeBody() refuses ${name}`, () => {
    assert.equal(decodeBody(kind, bytesOf(hex)), null);
  });
}

const BODIES: readonly [string, DatagramBody, string][] = [
  ["a beacon", BEACON, BEACON_HEX],
  ["a claim", { kind: "claim", entries: [ENTRY_6] }, `0001${ENTRY_6_HEX}`],
  ["a table request", { kind: "table-request" }, ""],
  ["a table", TABLE, TABLE_HEX],
  ["a change of a table", CHANGE, CHANGE_HEX],
  [
    "a table without an entry",
    { kind: "table", digest: "0000000000000000", page: 0, pages: 1, entries: [] },
    `${"00".repeat(8)}000000010000`,
  ],
];

for (const [name, body, hex] of BODIES) {
  test(`encodeBody() and decodeBody() know every byte of ${name}`, () => {
    assert.equal(toHex(encodeBody(body)), hex);
    assert.deepEqual(decodeBody(body.kind, bytesOf(hex)), body);
  });
}

test("decodeBody() allows a hold as long as the interval", () => {
  const body = decodeBody("beacon", bytesOf(BEACON_HEX.replace("012c", "0064")));
  assert.deepEqual(body, { ...BEACON, holdMs: 100 });
});

const STALLS: readonly [number, number][] = [
  [Number.POSITIVE_INFINITY, 0xffff],
  [0x1_0000, 0xffff],
  [-1, 0],
  [6.5, 7],
];

for (const [stalledMs, expected] of STALLS) {
  test(`encodeBody() writes a stall of ${stalledMs} ms as ${expected} ms`, () => {
    const body = decodeBody("beacon", encodeBody({ ...BEACON, stalledMs }));
    assert.deepEqual(body, { ...BEACON, stalledMs: expected });
  });
}

test("ENTRY_BYTES, TABLE_BYTES and TABLE_CHANGE_BYTES are what is needed of each", () => {
  const table = (count: number) => ({ ...TABLE, entries: Array(count).fill(ENTRY_4) });
  assert.equal(encodeBody(table(0)).length, TABLE_BYTES);
  assert.equal(encodeBody(table(3)).length, TABLE_BYTES + 3 * ENTRY_BYTES);
  assert.equal(encodeBody({ ...CHANGE, entries: [], gone: [] }).length, TABLE_CHANGE_BYTES);
});

const anyKind = fc.constantFrom(...KINDS);
/** Bodies that are nearly right, so that the later checks are reached too. */
const nearlyBody = fc
  .tuple(anyBody, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }))
  .map(([body, changes]) => {
    const bytes = encodeBody(body);
    for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
    return [body.kind, bytes] as const;
  });
const anyBytes = fc.oneof(fc.tuple(anyKind, fc.uint8Array({ maxLength: 80 })), nearlyBody);

test("decodeBody() never throws for any bytes, changes none, and reads none around them", () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(7), ([kind, bytes], before) => {
      const around = new Uint8Array(before + bytes.length + 9).fill(0xa5);
      around.set(bytes, before);
      const [copy, within] = [bytes.slice(), around.subarray(before, before + bytes.length)];
      assert.deepEqual(decodeBody(kind, within), decodeBody(kind, bytes));
      assert.deepEqual(bytes, copy);
      assert.deepEqual(within, copy);
    }),
    { numRuns: 1_000 },
  );
});

test("encodeBody() gives back the bytes that decodeBody() read", () => {
  fc.assert(
    fc.property(anyBytes, ([kind, bytes]) => {
      const body = decodeBody(kind, bytes);
      fc.pre(body !== null);
      assert.deepEqual(encodeBody(body), bytes);
    }),
  );
});

test("decodeBody() and encodeBody() round-trip any body", () => {
  fc.assert(
    fc.property(anyBody, (body) => {
      assert.deepEqual(decodeBody(body.kind, encodeBody(body)), body);
    }),
  );
});

test("decodeBody() refuses any body that is cut, and any with bytes behind it", () => {
  fc.assert(
    fc.property(anyBody, fc.nat(), fc.uint8Array({ minLength: 1 }), (body, cut, more) => {
      const bytes = encodeBody(body);
      assert.equal(decodeBody(body.kind, Uint8Array.from([...bytes, ...more])), null);
      fc.pre(bytes.length > 0);
      assert.equal(decodeBody(body.kind, bytes.subarray(0, cut % bytes.length)), null);
    }),
  );
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
