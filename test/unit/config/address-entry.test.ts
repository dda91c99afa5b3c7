// Tests of one entry of a pool's address list.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddressEntry } from "../../../src/config/address-entry.ts";
import { formatRange, type Ip, ipFromBigInt, parseIp } from "../../../src/core/address.ts";

const CIDR = "a CIDR such as 192.0.2.0/24";
const RANGE = "a range such as 192.0.2.10-192.0.2.20";

const BAD: readonly (readonly [string, string, string])[] = [
  ["nothing", "", "a CIDR or a range"],
  ["a word", "foo", "a CIDR or a range"],
  ["a bare IPv4 address", "10.0.0.1", 'a CIDR or a range (for one address: "10.0.0.1/32")'],
  ["a bare IPv6 address", "2001:DB8::1", 'a CIDR or a range (for one address: "2001:db8::1/128")'],
  ["a length too long", "10.0.0.0/33", CIDR],
  ["an IPv6 length too long", "2001:db8::/129", CIDR],
  ["a negative length", "10.0.0.0/-1", CIDR],
  ["no length", "10.0.0.0/", CIDR],
  ["a net mask", "10.0.0.0/255.255.255.0", CIDR],
  ["two slashes", "10.0.0.0/24/24", CIDR],
  ["an octet too large", "10.0.0.256/32", CIDR],
  ["leading zeros", "10.0.0.010/32", CIDR],
  ["spaces inside a CIDR", "10.0.0.0 / 24", CIDR],
  ["a CIDR at the end of a range", "10.0.0.0-10.0.0.0/30", CIDR],
  ["an open range", "10.0.0.1-", RANGE],
  ["three ends", "10.0.0.1-10.0.0.2-10.0.0.3", RANGE],
  ["a short end", "10.0.0.1-20", RANGE],
  ["a zone", "fe80::1%eth0-fe80::2%eth0", RANGE],
  ["a backward range", "10.0.0.9-10.0.0.1", 'the lower address first: "10.0.0.1-10.0.0.9"'],
  ["mixed families", "10.0.0.1-2001:db8::1", "both ends of one address family"],
];

for (const [name, text, expected] of BAD) {
  test(`parseAddressEntry() refuses ${name}`, () => {
    assert.deepEqual(parseAddressEntry(text), { ok: false, expected });
  });
}

const GOOD: readonly (readonly [string, string, string])[] = [
  ["a CIDR", "10.0.0.0/30", "10.0.0.0-10.0.0.3"],
  ["a CIDR with host bits set", "10.0.0.7/30", "10.0.0.4-10.0.0.7"],
  ["a CIDR of one address", "10.0.0.7/32", "10.0.0.7-10.0.0.7"],
  ["all of IPv4", "1.2.3.4/0", "0.0.0.0-255.255.255.255"],
  ["an IPv6 CIDR with host bits set", "2001:db8::5/126", "2001:db8::4-2001:db8::7"],
  ["all of IPv6", "::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["a range", "10.0.0.9-10.0.1.2", "10.0.0.9-10.0.1.2"],
  ["a range of one address", "10.0.0.9-10.0.0.9", "10.0.0.9-10.0.0.9"],
  ["a range with spaces", "  10.0.0.1 - 10.0.0.2 ", "10.0.0.1-10.0.0.2"],
  ["a CIDR with spaces around", " 10.0.0.0/31\n", "10.0.0.0-10.0.0.1"],
  ["an IPv6 range in capitals", "2001:DB8::A-2001:DB8::F", "2001:db8::a-2001:db8::f"],
];

for (const [name, text, range] of GOOD) {
  test(`parseAddressEntry() takes ${name}`, () => {
    const entry = parseAddressEntry(text);
    assert.ok(entry.ok);
    assert.equal(formatRange(entry.range), range);
  });
}

const ips = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ipFromBigInt(4, value)),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ipFromBigInt(6, value)),
);

test("parseAddressEntry() reads back every range that formatRange() writes", () => {
  fc.assert(
    fc.property(ips, ips, (a: Ip, b: Ip) => {
      const forth = parseAddressEntry(`${a}-${b}`);
      const back = parseAddressEntry(`${b}-${a}`);
      const either = forth.ok ? forth : back;
      if (!either.ok) return assert.notEqual(a.includes(":"), b.includes(":"));
      assert.deepEqual(parseAddressEntry(formatRange(either.range)), either);
    }),
  );
});

test("parseAddressEntry() of one address holds that address and no other", () => {
  fc.assert(
    fc.property(ips, (ip) => {
      const entry = parseAddressEntry(`${ip}/${ip.includes(":") ? 128 : 32}`);
      assert.ok(entry.ok);
      assert.equal(formatRange(entry.range), `${ip}-${ip}`);
      assert.equal(parseIp(ip), ip);
    }),
  );
});
