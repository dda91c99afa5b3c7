// Tests of numbers in bytes: known ones, and that whatever is written is read again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { read16, read32, readInt32, write16, write32 } from "../../../src/core/bytes.ts";

test("read16() and read32() read network order without a sign, readInt32() with one", () => {
  const bytes = Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc);
  assert.equal(read16(bytes, 0), 0xfffe);
  assert.equal(read32(bytes, 0), 0xfffefdfc);
  assert.equal(readInt32(bytes, 0), 0xfffefdfc | 0);
});

test("write16() and write32() write what is read again, and nothing around it", () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffffffff), (short, long) => {
      const bytes = new Uint8Array(8).fill(0xa5);
      write16(bytes, 1, short);
      write32(bytes, 3, long);
      assert.equal(read16(bytes, 1), short);
      assert.equal(read32(bytes, 3), long);
      assert.deepEqual([bytes[0], bytes[7]], [0xa5, 0xa5]);
    }),
  );
});
