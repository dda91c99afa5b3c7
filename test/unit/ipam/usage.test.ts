// Tests of the counts of a pool, against counting one by one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IpRange } from "../../../src/core/address.ts";
import { ipFromBigInt, rangeContains } from "../../../src/core/address.ts";
import { countAssigned, isBuggyIp, noneAssigned, poolUsage } from "../../../src/ipam/usage.ts";
import { ip, pool } from "../../support/ipam-requests.ts";

const BUGGY: readonly (readonly [string, boolean])[] = [
  ["10.0.0.1", false],
  ["10.0.255.10", false],
  ["10.0.0.200", false],
  ["2001:db8::255", false],
  ["2001:db8::", false],
  ["10.0.0.0", true],
  ["10.0.0.255", true],
];

for (const [address, expected] of BUGGY) {
  test(`isBuggyIp() ${address}: ${expected}`, () => {
    assert.equal(isBuggyIp(ip(address)), expected);
  });
}

const rangeOf: fc.Arbitrary<IpRange> = fc
  .tuple(fc.nat(1_500), fc.nat(800))
  .map(([start, length]) => ({ family: 4, start: BigInt(start), end: BigInt(start + length) }));

test("poolUsage() equals a count one by one, over odd ranges", () => {
  fc.assert(
    fc.property(
      rangeOf,
      fc.boolean(),
      fc.array(fc.nat(2_300), { maxLength: 12 }),
      fc.array(fc.nat(2_300), { maxLength: 12 }),
      (range, avoidBuggyIps, assignedAt, withheldAt) => {
        const inside = (n: number) => rangeContains(range, ipFromBigInt(4, BigInt(n)));
        const assigned = new Set(assignedAt.filter(inside));
        const withheld = new Set(withheldAt.filter((n) => inside(n) && !assigned.has(n)));
        const counts = noneAssigned();
        for (const n of assigned) countAssigned(counts, ipFromBigInt(4, BigInt(n)), 1);
        let available = 0;
        for (let n = Number(range.start); n <= Number(range.end); n++) {
          if (assigned.has(n) || withheld.has(n)) continue;
          if (!avoidBuggyIps || (n % 256 !== 0 && n % 256 !== 255)) available += 1;
        }
        const usage = poolUsage({ name: "p", ranges: [range], avoidBuggyIps }, counts, {
          withheld: [...withheld].map((n) => ipFromBigInt(4, BigInt(n))),
        });
        assert.equal(usage.assignedIpv4, assigned.size);
        assert.equal(usage.availableIpv4, available);
      },
    ),
    { numRuns: 500 },
  );
});

const SIZES: readonly (readonly [string, readonly string[], boolean, number, number])[] = [
  ["one address", ["10.0.0.1/32"], false, 1, 0],
  ["one address that is avoided", ["10.0.0.0/32"], true, 0, 0],
  ["a /24 without .0 and .255", ["10.0.0.0/24"], true, 254, 0],
  ["a /16 without .0 and .255", ["10.0.0.0/16"], true, 65_024, 0],
  ["a range over an end", ["10.0.0.254-10.0.1.1"], true, 2, 0],
  ["all of IPv4", ["0.0.0.0/0"], false, 2 ** 32, 0],
  ["an IPv6 /112, with nothing avoided", ["2001:db8::/112"], true, 0, 65_536],
  ["an IPv6 /64, capped", ["2001:db8::/64"], false, 0, Number.MAX_SAFE_INTEGER],
  ["both families", ["10.0.0.0/30", "2001:db8::/126"], false, 4, 4],
];

for (const [name, entries, avoidBuggyIps, ipv4, ipv6] of SIZES) {
  test(`poolUsage() available in ${name}`, () => {
    const usage = poolUsage(pool("p", entries, { avoidBuggyIps }), noneAssigned(), {
      withheld: [],
    });
    assert.deepEqual([usage.availableIpv4, usage.availableIpv6], [ipv4, ipv6]);
  });
}
