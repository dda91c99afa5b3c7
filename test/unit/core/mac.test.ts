// MAC addresses: text, bytes, and text that is none.

import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { MAC_BROADCAST, MAC_ZERO, macAt, macToBytes, parseMac } from "../../../src/core/mac.ts";

const BAD: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["five bytes", "aa:bb:cc:dd:ee"],
  ["seven bytes", "aa:bb:cc:dd:ee:ff:00"],
  ["an InfiniBand address", "80:00:00:48:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01"],
  ["dashes", "aa-bb-cc-dd-ee-ff"],
  ["dots", "aabb.ccdd.eeff"],
  ["no separators", "aabbccddeeff"],
  ["one digit a byte", "a:b:c:d:e:f"],
  ["three digits a byte", "0aa:bb:cc:dd:ee:ff"],
  ["a letter that is no digit", "ag:bb:cc:dd:ee:ff"],
  ["a space before", " aa:bb:cc:dd:ee:ff"],
  ["a line end after", "aa:bb:cc:dd:ee:ff\n"],
];

for (const [name, text] of BAD) {
  test(`parseMac() refuses ${name}`, () => {
    assert.equal(parseMac(text), null);
  });
}

test("parseMac() takes lower case as it is", () => {
  assert.equal(parseMac("02:00:5e:10:00:01"), "02:00:5e:10:00:01");
});

test("parseMac() makes upper case lower", () => {
  assert.equal(parseMac("02:AB:cD:EF:00:01"), "02:ab:cd:ef:00:01");
});

test("MAC_BROADCAST and MAC_ZERO are canonical", () => {
  assert.equal(parseMac(MAC_BROADCAST), MAC_BROADCAST);
  assert.equal(parseMac(MAC_ZERO), MAC_ZERO);
});

test("macAt() reads six bytes at the offset", () => {
  const bytes = Uint8Array.of(0xa5, 0, 1, 2, 0xfd, 0xfe, 0xff, 0xa5);
  assert.equal(macAt(bytes, 1), "00:01:02:fd:fe:ff");
});

test("macToBytes() and macAt() are inverse, and parseMac() takes what macAt() gives", () => {
  const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(bytes, fc.nat(8), (six, offset) => {
      const frame = new Uint8Array(offset + 8).fill(0xa5);
      frame.set(six, offset);
      const mac = macAt(frame, offset);
      assert.equal(parseMac(mac), mac);
      assert.deepEqual(macToBytes(mac), six);
    }),
  );
});

test("parseMac() gives null or canonical text for any text", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const mac = parseMac(text);
      assert.ok(mac === null || parseMac(mac) === mac);
    }),
  );
});
