// Tests of the datagrams between daemons: a table of what is dropped and why, the bytes of a known
// one, and properties for any bytes, any key and any datagram.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ENTRY_BYTES } from "../../../src/beacon/body.ts";
import {
  DATAGRAM_BYTES_MAX,
  type Datagram,
  type Decoded,
  DROP_REASONS,
  decodeDatagram,
  encodeDatagram,
  HMAC_BYTES,
  pagesOf,
  unprovenDatagram,
  VERSION,
} from "../../../src/beacon/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import {
  anyDatagram,
  anyEntry,
  anyKey,
  anyNodeName,
  hmac,
} from "../../support/beacon-datagrams.ts";

const KEY = new Uint8Array(32).fill(0x11);
const OLD_KEY = new Uint8Array(32).fill(0x22);
const OTHER_KEY = new Uint8Array(32).fill(0x33);
const HEADER_BYTES = 32;
const NAME = { from: 32, to: 37 };
const AT = { magic: 0, version: 3, kind: 4, nameLength: 5, length: 6, incarnation: 16 };

const BEACON: Datagram = {
  cluster: "00112233445566ff",
  node: "node1",
  incarnation: 0x1_0000_0002,
  sequence: 0xffff_fffe,
  address: "192.168.100.11" as Ip,
  body: {
    kind: "beacon",
    state: "live",
    intervalMs: 100,
    holdMs: 300,
    stalledMs: 0,
    mac: "02:00:00:00:64:0b" as Mac,
    digest: "0123456789abcdef",
  },
};
const SIGNED_HEX =
  "6c6264010005005a" + // lbd, version 1, beacon, five bytes of name, 90 bytes
  "00112233445566ff" + // cluster
  "0000000100000002" + // incarnation
  "fffffffec0a8640b" + // sequence, address
  "6e6f646531" + // name
  "000064012c0000" + // state, interval, hold, stall
  "02000000640b0123456789abcdef"; // MAC, digest
const BYTES = encodeDatagram(BEACON, KEY, hmac);
const ENTRY: PeerEntry = { address: "10.0.0.1" as Ip, epoch: epochOf(1) };

function decode(bytes: Uint8Array, ...keys: readonly Uint8Array[]): Decoded {
  return decodeDatagram(bytes, keys.length === 0 ? [KEY] : keys, hmac);
}

/** A changed copy. */
function edited(edit: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = BYTES.slice();
  edit(bytes);
  return bytes;
}

/** What somebody with the key could send: authentic, and of the length that it says. */
function signed(content: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from([...content, ...new Uint8Array(HMAC_BYTES)]);
  new DataView(bytes.buffer).setUint16(AT.length, bytes.length);
  bytes.set(hmac(KEY, bytes.subarray(0, content.length)), content.length);
  return bytes;
}

function forged(edit: (bytes: Uint8Array) => void): Uint8Array {
  return signed(edited(edit).subarray(0, BYTES.length - HMAC_BYTES));
}

const DROPPED: readonly [string, Uint8Array, string][] = [
  ["no byte", new Uint8Array(0), "short"],
  ["a header without an HMAC", BYTES.subarray(0, HEADER_BYTES), "short"],
  ["one byte less than header and HMAC", BYTES.subarray(0, HEADER_BYTES + 31), "short"],
  ["one byte more than the maximum", new Uint8Array(DATAGRAM_BYTES_MAX + 1), "oversized"],
  ["64 KB", new Uint8Array(65_507), "oversized"],
  ["zeros", new Uint8Array(200), "not-lbd"],
  ["another magic", edited((b) => b.set([0x62], 2)), "not-lbd"],
  ["version 0", edited((b) => b.set([0], AT.version)), "version"],
  ["a future version", edited((b) => b.set([VERSION + 1], AT.version)), "version"],
  ["a length one too small", edited((b) => b.set([0, 89], AT.length)), "length"],
  ["a length one too large", edited((b) => b.set([0, 91], AT.length)), "length"],
  ["a length of 0", edited((b) => b.set([0, 0], AT.length)), "length"],
  ["a length of 65,535", edited((b) => b.set([255, 255], AT.length)), "length"],
  ["what was cut", BYTES.subarray(0, BYTES.length - 1), "length"],
  ["what has a byte behind it", Uint8Array.from([...BYTES, 0]), "length"],
  ["another HMAC", edited((b) => b.fill(0, BYTES.length - HMAC_BYTES)), "hmac"],
  ["what another key signed", encodeDatagram(BEACON, OTHER_KEY, hmac), "hmac"],
  ["an unknown kind", forged((b) => b.set([4], AT.kind)), "malformed"],
  ["kind 255", forged((b) => b.set([255], AT.kind)), "malformed"],
  ["the kind of another body", forged((b) => b.set([1], AT.kind)), "malformed"],
  ["an empty name", forged((b) => b.set([0], AT.nameLength)), "malformed"],
  ["a name that ends beyond the end", forged((b) => b.set([255], AT.nameLength)), "malformed"],
  ["a name that ends within the HMAC", forged((b) => b.set([27], AT.nameLength)), "malformed"],
  ["a name that takes all of the body", forged((b) => b.set([26], AT.nameLength)), "malformed"],
  ["a name that takes a byte of the body", forged((b) => b.set([6], AT.nameLength)), "malformed"],
  ["a name of 254 bytes", named(Array(254).fill(0x61)), "malformed"],
  ["a name of control characters", forged((b) => b.fill(0x0a, NAME.from, NAME.to)), "malformed"],
  ["a name that is no UTF-8", forged((b) => b.fill(0xff, NAME.from, NAME.to)), "malformed"],
  ["a name of a byte order mark", named([0xef, 0xbb, 0xbf]), "malformed"],
  [
    "an incarnation of 2^53",
    forged((b) => b.set([0, 0x20, 0, 0, 0, 0, 0, 0], AT.incarnation)),
    "malformed",
  ],
  ["the largest incarnation", forged((b) => b.fill(0xff, AT.incarnation, 24)), "malformed"],
  ["interval 0", forged((b) => b.set([0, 0], NAME.to + 1)), "malformed"],
  ["a body that is cut", signed(BYTES.subarray(0, BYTES.length - HMAC_BYTES - 1)), "malformed"],
];

/** With another name. */
function named(name: readonly number[]): Uint8Array {
  const [before, after] = [BYTES.subarray(0, NAME.from), BYTES.subarray(NAME.to, -HMAC_BYTES)];
  const content = Uint8Array.from([...before, ...name, ...after]);
  content[AT.nameLength] = name.length;
  return signed(content);
}

for (const [name, bytes, reason] of DROPPED) {
  test(`decodeDatagram() drops ${name}`, () => {
    assert.deepEqual(decode(bytes), { ok: false, reason });
  });
}

test("decodeDatagram() has every reason in the table of what it drops", () => {
  const reasons = new Set(DROPPED.map(([, , reason]) => reason));
  assert.deepEqual([...reasons].sort(), [...DROP_REASONS].sort());
});

test("decodeDatagram() accepts nothing without a key", () => {
  assert.deepEqual(decodeDatagram(BYTES, [], hmac), { ok: false, reason: "hmac" });
});

test("decodeDatagram() accepts no datagram of which any bit was flipped", () => {
  for (let bit = 0; bit < BYTES.length * 8; bit++) {
    const bytes = edited((b) => {
      b[bit >> 3] = (b[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    });
    assert.equal(decode(bytes).ok, false, `bit ${bit}`);
  }
});

test("encodeDatagram() writes the known bytes and their HMAC", () => {
  const expected = Buffer.from(SIGNED_HEX, "hex");
  assert.equal(Buffer.from(BYTES.subarray(0, -HMAC_BYTES)).toString("hex"), SIGNED_HEX);
  assert.deepEqual(BYTES.subarray(-HMAC_BYTES), Uint8Array.from(hmac(KEY, expected)));
});

test("decodeDatagram() reads every field of a beacon", () => {
  assert.deepEqual(decode(BYTES), { ok: true, value: BEACON });
});

test("decodeDatagram() over IPv6 is tied to the address that it came from", () => {
  const address = "fe80::b" as Ip;
  const bytes = encodeDatagram({ ...BEACON, address }, KEY, hmac);
  assert.equal(bytes.length, BYTES.length, "nothing is longer for it");
  assert.deepEqual(decodeDatagram(bytes, [KEY], hmac, address), {
    ok: true,
    value: { ...BEACON, address },
  });
  for (const from of ["fe80::c" as Ip, null]) {
    assert.deepEqual(decodeDatagram(bytes, [KEY], hmac, from), { ok: false, reason: "hmac" });
  }
  assert.deepEqual(decodeDatagram(BYTES, [KEY], hmac, address), { ok: false, reason: "hmac" });
});

test("decodeDatagram() reads the largest incarnation that a number holds", () => {
  const largest = { ...BEACON, incarnation: Number.MAX_SAFE_INTEGER };
  assert.deepEqual(decode(encodeDatagram(largest, KEY, hmac)), { ok: true, value: largest });
});

test("decodeDatagram() accepts both keys of a rotation, in any order, and no third", () => {
  const byOld = encodeDatagram(BEACON, OLD_KEY, hmac);
  for (const keys of [
    [KEY, OLD_KEY],
    [OLD_KEY, KEY],
  ]) {
    assert.equal(decode(BYTES, ...keys).ok, true);
    assert.equal(decode(byOld, ...keys).ok, true);
    assert.equal(decode(encodeDatagram(BEACON, OTHER_KEY, hmac), ...keys).ok, false);
  }
  assert.equal(decode(byOld, KEY).ok, false);
});

test("pagesOf() is one page without an entry when there is none", () => {
  assert.deepEqual(pagesOf([]), [[]]);
});

/** Datagrams that are nearly right: changed in a few bytes and signed again, or not. */
const nearlyDatagram = fc
  .tuple(
    anyDatagram,
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
    fc.constantFrom(true, true, false),
  )
  .map(([datagram, changes, isSigned]) => {
    const bytes = encodeDatagram(datagram, KEY, hmac);
    const content = bytes.subarray(0, -HMAC_BYTES);
    for (const [at, value] of changes) content[at % content.length] = value;
    return isSigned ? signed(content) : bytes;
  });
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: HEADER_BYTES, maxLength: 200 }).map(signed),
  nearlyDatagram,
);

test("decodeDatagram() never throws for any bytes, changes none, and reads none around", () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(7), (bytes, before) => {
      const around = new Uint8Array(before + bytes.length + 9).fill(0xa5);
      around.set(bytes, before);
      const [copy, within] = [bytes.slice(), around.subarray(before, before + bytes.length)];
      assert.deepEqual(decode(within), decode(bytes));
      assert.deepEqual(bytes, copy);
      assert.deepEqual(within, copy);
    }),
    { numRuns: 1_000 },
  );
});

test("unprovenDatagram() reads what another key signed, and nothing that has no form", () => {
  assert.deepEqual(unprovenDatagram(encodeDatagram(BEACON, OTHER_KEY, hmac)), BEACON);
  for (const [name, bytes, reason] of DROPPED) {
    assert.equal(unprovenDatagram(bytes) === null, reason !== "hmac", name);
  }
});

test("unprovenDatagram() never throws for any bytes", () => {
  fc.assert(
    fc.property(fc.oneof(nearlyDatagram, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      unprovenDatagram(bytes);
    }),
  );
});

test("encodeDatagram() gives back the bytes that decodeDatagram() read", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const decoded = decode(bytes);
      fc.pre(decoded.ok);
      assert.deepEqual(encodeDatagram(decoded.value, KEY, hmac), bytes);
    }),
  );
});

test("decodeDatagram() and encodeDatagram() round-trip any datagram, with any key", () => {
  fc.assert(
    fc.property(anyDatagram, anyKey, (datagram, key) => {
      const bytes = encodeDatagram(datagram, key, hmac);
      assert.deepEqual(decode(bytes, key), { ok: true, value: datagram });
      assert.deepEqual(decode(bytes, OTHER_KEY, key), { ok: true, value: datagram });
    }),
  );
});

test("decodeDatagram() accepts no datagram of another key or with any byte changed", () => {
  const anyChange = fc.integer({ min: 1, max: 255 });
  fc.assert(
    fc.property(anyDatagram, anyKey, fc.nat(), anyChange, (datagram, key, at, change) => {
      const bytes = encodeDatagram(datagram, key, hmac);
      assert.equal(decode(bytes, OTHER_KEY).ok, false);
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ change;
      assert.equal(decode(bytes, key).ok, false);
    }),
  );
});

test("pagesOf() keeps all entries in order, and each page fits into any datagram", () => {
  const anyEntries = fc.array(anyEntry, { maxLength: 200, size: "max" });
  fc.assert(
    fc.property(anyEntries, anyNodeName, (entries, node) => {
      const pages = pagesOf(entries);
      assert.deepEqual(pages.flat(), entries);
      for (const [page, part] of pages.entries()) {
        const table = { kind: "table", digest: "0".repeat(16), page, pages: pages.length } as const;
        const bodies = [{ ...table, entries: part }, { kind: "claim", entries: part } as const];
        for (const body of bodies) {
          const bytes = encodeDatagram({ ...BEACON, node, body }, KEY, hmac);
          assert.ok(bytes.length <= DATAGRAM_BYTES_MAX);
          assert.equal(decode(bytes).ok, body.kind === "table" || part.length > 0);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("pagesOf() fills each page but the last, with the longest name that a Node has", () => {
  const pages = pagesOf(Array(500).fill(ENTRY));
  const table = { kind: "table", digest: "0".repeat(16), page: 0, pages: pages.length } as const;
  const sizes = pages.map(
    (entries) =>
      encodeDatagram({ ...BEACON, node: "n".repeat(253), body: { ...table, entries } }, KEY, hmac)
        .length,
  );
  for (const size of sizes.slice(0, -1)) {
    assert.ok(size <= DATAGRAM_BYTES_MAX && size > DATAGRAM_BYTES_MAX - ENTRY_BYTES, String(size));
  }
});
