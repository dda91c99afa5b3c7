// Tests of the overlap check: against comparing every range with every other.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { overlapProblems } from "../../../src/config/overlap.ts";
import { specOrigin } from "../../../src/config/resource.ts";
import type { IpFamily, IpRange } from "../../../src/core/address.ts";

const ranges: fc.Arbitrary<IpRange> = fc
  .tuple(fc.constantFrom<IpFamily>(4, 6), fc.nat(60), fc.nat(8))
  .map(([family, start, length]) => ({
    family,
    start: BigInt(start),
    end: BigInt(start + length),
  }));

const pools = fc
  .array(fc.array(ranges, { maxLength: 4 }), { maxLength: 5 })
  .map((lists) => lists.map((list, index) => ({ name: `p${index}`, ranges: list })));

function sourced(value: { readonly name: string; readonly ranges: readonly IpRange[] }) {
  const object = { kind: "IPAddressPool", namespace: "", name: value.name };
  return { value, origin: specOrigin(object) };
}

/** How many ranges overlap one that begins earlier (or, beginning alike, comes earlier). */
function rangesOverlap(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.start <= b.end && b.start <= a.end;
}

function naiveCount(all: readonly IpRange[]): number {
  const isAfter = (a: number, b: number): boolean => {
    const [left, right] = [all[a]?.start ?? 0n, all[b]?.start ?? 0n];
    return left === right ? a > b : left > right;
  };
  return all.filter((range, i) =>
    all.some((other, j) => i !== j && rangesOverlap(range, other) && isAfter(i, j)),
  ).length;
}

test("overlapProblems() finds what comparing all pairs finds", () => {
  fc.assert(
    fc.property(pools, (list) => {
      const naive = naiveCount(list.flatMap((pool) => pool.ranges));
      assert.equal(overlapProblems(list.map(sourced)).length, naive);
    }),
    { numRuns: 2_000 },
  );
});

test("overlapProblems() a wide range hides no later overlap", () => {
  const range = (start: bigint, end: bigint): IpRange => ({ family: 4, start, end });
  const problems = overlapProblems(
    [
      { name: "wide", ranges: [range(0n, 100n)] },
      { name: "narrow", ranges: [range(10n, 11n), range(50n, 150n)] },
      { name: "late", ranges: [range(120n, 121n)] },
    ].map(sourced),
  );
  assert.deepEqual(
    problems.map(({ where, found }) => [where, found.replace(/.*overlaps /, "")]),
    [
      ['IPAddressPool "narrow" spec.addresses', '0.0.0.0-0.0.0.100 of pool "wide"'],
      ['IPAddressPool "narrow" spec.addresses', '0.0.0.0-0.0.0.100 of pool "wide"'],
      ['IPAddressPool "late" spec.addresses', '0.0.0.50-0.0.0.150 of pool "narrow"'],
    ],
  );
});

test("overlapProblems() neighbours and other families do not overlap", () => {
  const one = { name: "a", ranges: [{ family: 4, start: 0n, end: 5n } as const] };
  const two = { name: "b", ranges: [{ family: 4, start: 6n, end: 9n } as const] };
  const six = { name: "c", ranges: [{ family: 6, start: 0n, end: 9n } as const] };
  assert.deepEqual(overlapProblems([one, two, six].map(sourced)), []);
  assert.deepEqual(overlapProblems([]), []);
});
