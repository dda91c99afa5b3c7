// Addresses, prefixes and ranges: text that is none, canonical text, values and back.

import assert from "node:assert/strict";
import { isIP } from "node:net";
import test from "node:test";
import fc from "fast-check";
import {
  addressBits,
  compareIps,
  expandedIp,
  formatPrefix,
  formatRange,
  type Ip,
  type IpFamily,
  ipFamily,
  ipFromBigInt,
  ipToBigInt,
  ipv4FromNumber,
  ipv4ToNumber,
  parseIp,
  parsePrefix,
  prefixOf,
  rangeContains,
  rangeSize,
} from "../../../src/core/address.ts";

const BAD_IPS: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["a name", "localhost"],
  ["three parts", "10.0.0"],
  ["five parts", "10.0.0.0.1"],
  ["a part above 255", "10.0.0.256"],
  ["a leading zero, which some read as octal", "10.0.0.010"],
  ["hexadecimal", "0x0a.0.0.1"],
  ["one number", "167772161"],
  ["a negative part", "10.0.0.-1"],
  ["an empty part", "10..0.1"],
  ["a space before", " 10.0.0.1"],
  ["a line end after", "10.0.0.1\n"],
  ["a prefix", "10.0.0.0/24"],
  ["an IPv6 prefix", "2001:db8::/64"],
  ["a zone", "fe80::1%eth0"],
  ["two gaps", "2001::db8::1"],
  ["nine groups", "1:2:3:4:5:6:7:8:9"],
  ["seven groups", "1:2:3:4:5:6:7"],
  ["a group of five digits", "2001:db8::12345"],
  ["a letter that is no digit", "2001:db8::g"],
  ["three colons", "2001:db8:::1"],
  ["a colon alone", ":"],
  ["brackets", "[2001:db8::1]"],
  ["a port", "10.0.0.1:80"],
  ["a space after IPv6", "2001:db8::1 "],
  ["a line end after IPv6", "2001:db8::1\n"],
  ["an IPv4 part above 255", "::ffff:10.0.0.256"],
  ["an IPv4 part with a leading zero", "::ffff:10.0.0.01"],
];

for (const [name, text] of BAD_IPS) {
  test(`parseIp() refuses ${name}`, () => {
    assert.equal(parseIp(text), null);
  });
}

const GOOD_IPS: readonly (readonly [string, string])[] = [
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::", "::"],
  ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["ff02::1", "ff02::1"],
];

for (const [text, canonical] of GOOD_IPS) {
  test(`parseIp() of ${text} is ${canonical}`, () => {
    assert.equal(parseIp(text), canonical);
  });
}

test("parseIp() of IPv4 in IPv6 is an IPv6 address that stays itself", () => {
  const mapped = ip("::ffff:10.0.0.1");
  assert.equal(ipFamily(mapped), 6);
  assert.equal(ipToBigInt(mapped), 0xffff_0a00_0001n);
  assert.equal(parseIp(mapped), mapped);
});

const BAD_PREFIXES: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["no length", "10.0.0.0"],
  ["an empty length", "10.0.0.0/"],
  ["a length above 32", "10.0.0.0/33"],
  ["a length above 128", "2001:db8::/129"],
  ["a length of four digits", "10.0.0.0/0024"],
  ["a sign", "10.0.0.0/+24"],
  ["a netmask", "10.0.0.0/255.255.255.0"],
  ["two lengths", "10.0.0.0/24/24"],
  ["a bad address", "10.0.0.256/24"],
  ["a line end after", "10.0.0.0/24\n"],
];

for (const [name, text] of BAD_PREFIXES) {
  test(`parsePrefix() refuses ${name}`, () => {
    assert.equal(parsePrefix(text), null);
  });
}

test("parsePrefix() clears host bits", () => {
  const prefix = parsePrefix("10.1.2.3/24");
  assert.ok(prefix !== null);
  assert.equal(formatPrefix(prefix), "10.1.2.0/24");
  assert.equal(formatRange(prefix), "10.1.2.0-10.1.2.255");
});

test("prefixOf() spans the family at length 0 and one address at full length", () => {
  assert.equal(rangeSize(prefixOf(ip("10.0.0.1"), 0)), 2n ** 32n);
  assert.equal(rangeSize(prefixOf(ip("2001:db8::1"), 0)), 2n ** 128n);
  assert.equal(formatRange(prefixOf(ip("10.0.0.1"), 32)), "10.0.0.1-10.0.0.1");
});

test("expandedIp() writes all digits of IPv6 and IPv4 as it is", () => {
  assert.equal(expandedIp(ip("2001:db8::1")), "2001:0db8:0000:0000:0000:0000:0000:0001");
  assert.equal(expandedIp(ip("10.0.0.1")), "10.0.0.1");
});

test("compareIps() puts IPv4 first and sorts by value, not by text", () => {
  const sorted = ["9.0.0.1", "10.0.0.1", "::1", "2001:db8::1"].map(ip);
  assert.deepEqual([...sorted].reverse().sort(compareIps), sorted);
});

test("rangeContains() is false for the other family", () => {
  assert.equal(rangeContains(prefixOf(ip("0.0.0.0"), 0), ip("::1")), false);
  assert.equal(rangeContains(prefixOf(ip("::"), 0), ip("0.0.0.1")), false);
});

const families = fc.constantFrom<IpFamily>(4, 6);
const valued = families.chain((family) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(addressBits(family))) - 1n }).map((value) => ({
    family,
    value,
  })),
);
const ips = valued.map(({ family, value }) => ipFromBigInt(family, value));
const prefixes = ips.chain((address) =>
  fc.nat(addressBits(ipFamily(address))).map((length) => prefixOf(address, length)),
);

test("ipFromBigInt() and ipToBigInt() are inverse, in canonical text", () => {
  fc.assert(
    fc.property(valued, ({ family, value }) => {
      const address = ipFromBigInt(family, value);
      assert.equal(ipFamily(address), family);
      assert.equal(ipToBigInt(address), value);
      assert.equal(parseIp(address), address);
    }),
  );
});

test("ipv4FromNumber() and ipv4ToNumber() are inverse", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      assert.equal(ipv4ToNumber(ipv4FromNumber(value)), value);
    }),
  );
});

test("parseIp() takes back what expandedIp() writes, for names of objects", () => {
  fc.assert(fc.property(ips, (address) => assert.equal(parseIp(expandedIp(address)), address)));
});

test("parseIp() takes only what Node takes, for any text", () => {
  const nearly = fc.stringMatching(/^[0-9a-f:.]{0,40}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearly, fc.ipV4(), fc.ipV6()), (text) => {
      const parsed = parseIp(text);
      const expected = text.includes("%") ? 0 : isIP(text);
      assert.equal(parsed === null ? 0 : ipFamily(parsed), expected, JSON.stringify(text));
    }),
    { numRuns: 2000 },
  );
});

test("parsePrefix() takes back what formatPrefix() writes", () => {
  fc.assert(
    fc.property(prefixes, (prefix) => assert.deepEqual(parsePrefix(formatPrefix(prefix)), prefix)),
  );
});

test("prefixOf() contains its address, and its size is a power of two", () => {
  fc.assert(
    fc.property(ips, fc.nat(128), (address, length) => {
      const bits = addressBits(ipFamily(address));
      const prefix = prefixOf(address, Math.min(length, bits));
      assert.ok(rangeContains(prefix, address));
      assert.equal(rangeSize(prefix), 1n << BigInt(bits - prefix.length));
    }),
  );
});

function ip(text: string): Ip {
  const parsed = parseIp(text);
  assert.ok(parsed !== null, text);
  return parsed;
}
