// Tests of IPv6 addresses as bytes, and of the keys that are made of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ip } from "../../../src/core/address.ts";
import { ipFromBigInt } from "../../../src/core/address.ts";
import { addressKey, ipv4KeyAt, ipv6KeyAt } from "../../../src/core/address-key.ts";
import { ipv6At, writeIpv6 } from "../../../src/core/ipv6-bytes.ts";

const ROWS: readonly (readonly [ip: string, hex: string])[] = [
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["fe80::", "fe800000000000000000000000000000"],
  ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
  ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
];

for (const [ip, hex] of ROWS) {
  test(`writeIpv6() and ipv6At() of ${ip}`, () => {
    const bytes = new Uint8Array(20).fill(0xa5);
    writeIpv6(ip as Ip, bytes, 2);
    assert.equal(Buffer.from(bytes.subarray(2, 18)).toString("hex"), hex);
    assert.deepEqual([bytes[1], bytes[18]], [0xa5, 0xa5]);
    assert.equal(ipv6At(bytes, 2), ip);
  });
}

test("writeIpv6() and ipv6At() round-trip any address, and its key is that of its bytes", () => {
  const property = fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
    const ip = ipFromBigInt(6, value);
    const bytes = new Uint8Array(16);
    writeIpv6(ip, bytes, 0);
    assert.equal(ipv6At(bytes, 0), ip);
    assert.equal(ipv6KeyAt(bytes, 0), addressKey(ip));
  });
  fc.assert(property);
});

test("addressKey() of IPv4 is the number that a frame has", () => {
  assert.equal(
    addressKey("192.168.100.200" as Ip),
    ipv4KeyAt(Uint8Array.of(192, 168, 100, 200), 0),
  );
});
