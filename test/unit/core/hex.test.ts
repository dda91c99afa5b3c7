// Tests of bytes as hexadecimal text: parts of them, letters between them, and the way back.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex, writeHex } from "../../../src/core/hex.ts";

const BYTES = Uint8Array.of(0x00, 0x09, 0x0a, 0x9f, 0xa0, 0xff);

const PARTS: readonly (readonly [number | undefined, number | undefined, string])[] = [
  [undefined, undefined, "00090a9fa0ff"],
  [0, 6, "00090a9fa0ff"],
  [1, undefined, "090a9fa0ff"],
  [1, 3, "090a"],
  [5, 6, "ff"],
  [3, 3, ""],
  [6, undefined, ""],
];

for (const [start, end, text] of PARTS) {
  test(`toHex() from ${start ?? "the start"} to ${end ?? "the end"}: "${text}"`, () => {
    assert.equal(toHex(BYTES, start, end), text);
  });
}

test("toHex() of nothing is nothing", () => {
  assert.equal(toHex(new Uint8Array(0)), "");
});

const WRITES: readonly (readonly [string, string, Parameters<typeof writeHex>[2], string])[] = [
  ["at the start", "0aff", { at: 0, length: 2 }, "0affa5a5"],
  ["in the middle", "0aff", { at: 1, length: 2 }, "a50affa5"],
  ["at the end", "0aff", { at: 2, length: 2 }, "a5a50aff"],
  ["not more than the length", "0aff", { at: 0, length: 1 }, "0aa5a5a5"],
  ["nothing", "", { at: 0, length: 0 }, "a5a5a5a5"],
  ["not separated", "0aff", { at: 0, length: 2, separated: false }, "0affa5a5"],
  ["separated", "02:9f:a0", { at: 1, length: 3, separated: true }, "a5029fa0"],
];

for (const [name, text, where, expected] of WRITES) {
  test(`writeHex() writes ${name}, and leaves the rest as it is`, () => {
    const out = new Uint8Array(4).fill(0xa5);
    writeHex(text, out, where);
    assert.equal(toHex(out), expected);
  });
}

test("toHex() is what Buffer says, for any part of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), fc.nat(40), (bytes, one, other) => {
      const [start, end] = [Math.min(one, other), Math.max(one, other)].map((at) =>
        Math.min(at, bytes.length),
      ) as [number, number];
      assert.equal(
        toHex(bytes, start, end),
        Buffer.from(bytes.subarray(start, end)).toString("hex"),
      );
    }),
  );
});

test("writeHex() writes back what toHex() read, separated or not", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(8), (bytes, at) => {
      const { length } = bytes;
      const text = toHex(bytes);
      for (const separated of [false, true]) {
        const out = new Uint8Array(at + length);
        const digits = separated ? (text.match(/../g) ?? []).join(":") : text;
        writeHex(digits, out, { at, length, separated });
        assert.deepEqual(out.subarray(at), bytes);
        assert.ok(out.subarray(0, at).every((byte) => byte === 0));
      }
    }),
  );
});
