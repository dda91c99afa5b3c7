// Tests of the kernel's filter for Neighbor Discovery: the program run by an interpreter, against
// what it should let through.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ip, IpRange } from "../../../src/core/address.ts";
import { ipFromBigInt, ipToBigInt, prefixOf } from "../../../src/core/address.ts";
import { FILTER_PREFIXES_MAX, ndpFilter } from "../../../src/ndp/filter.ts";
import { OFFSET } from "../../../src/ndp/wire.ts";
import { bpfProblems, runBpf } from "../../support/bpf.ts";
import { advertisement, altered, solicitation, VIP6 } from "../../support/ndp-frames.ts";

/** net.core.optmem_max before Linux 6.9 bounds an old and a new program together. */
const BYTES_MAX = 20_480 / 2;
const INSTRUCTION_BYTES = 8;
/**
 * What the kernel makes of an instruction at most (bpf_convert_filter() in net/core/filter.c):
 * a load from the frame fourteen, a return two, a comparison with a large number two.
 */
const TRANSLATED: Readonly<Record<number, number>> = {
  32: 14,
  40: 14,
  48: 14,
  6: 2,
  21: 2,
};
const POOL = range("fd00:100::c8", "fd00:100::d2");
const FOREIGN = "fd00:100::e0" as Ip;
const PACKET_OTHERHOST = 3;

function range(start: string, end: string): IpRange {
  return { family: 6, start: ipToBigInt(start as Ip), end: ipToBigInt(end as Ip) };
}

function accepts(ranges: readonly IpRange[], frame: Uint8Array, packetType = 0): boolean {
  const program = ndpFilter(ranges);
  assert.deepEqual(bpfProblems(program), []);
  return runBpf(program, { frame, packetType }) > 0;
}

interface Row {
  readonly name: string;
  readonly frame: Uint8Array;
  readonly isWanted: boolean;
}

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { name: "a solicitation for an address of the pool", frame: solicitation(), isWanted: true },
  { name: "an advertisement of one", frame: advertisement(), isWanted: true },
  { name: "a solicitation from one, for another", isWanted: true,
    frame: solicitation({ sourceIp: VIP6, target: FOREIGN }) },
  { name: "a solicitation for an address beyond the pool", isWanted: false,
    frame: solicitation({ target: FOREIGN }) },
  { name: "an address of the pool in another /64", isWanted: false,
    frame: solicitation({ target: "fd00:100:0:1::c8" as Ip }) },
  { name: "a router advertisement", frame: altered(solicitation(), OFFSET.type, 134),
    isWanted: false },
  { name: "an echo request", frame: altered(solicitation(), OFFSET.type, 128), isWanted: false },
  { name: "TCP", frame: altered(solicitation(), OFFSET.nextHeader, 6), isWanted: false },
  { name: "IPv4", frame: altered(solicitation(), OFFSET.etherType, 8, 0), isWanted: false },
  { name: "a frame that is cut off", frame: solicitation().subarray(0, 70), isWanted: false },
];

for (const { name, frame, isWanted } of ROWS) {
  test(`ndpFilter() ${isWanted ? "lets through" : "drops"} ${name}`, () => {
    assert.equal(accepts([POOL], frame), isWanted);
  });
}

test("ndpFilter() drops what the kernel takes to be for another host", () => {
  assert.equal(accepts([POOL], solicitation(), PACKET_OTHERHOST), false);
});

test("ndpFilter() without IPv6 ranges drops everything", () => {
  const ipv4: IpRange = { family: 4, start: 0n, end: 0xffffffffn };
  assert.deepEqual(ndpFilter([ipv4]), ndpFilter([]));
  assert.equal(accepts([], solicitation()), false);
});

test("ndpFilter() covers the whole address space", () => {
  assert.equal(accepts([prefixOf("::" as Ip, 0)], solicitation({ target: FOREIGN })), true);
});

const anyAddress = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  fc.bigInt({ min: 0n, max: 0xffffn }).map((low) => ipToBigInt("fd00:100::" as Ip) + low),
);
const anyRange: fc.Arbitrary<IpRange> = fc
  .tuple(anyAddress, fc.bigInt({ min: 0n, max: 300n }))
  .map(([start, size]) => {
    const end = start + size;
    return { family: 6, start, end: end >> 128n === 0n ? end : start };
  });

test("ndpFilter() stays bounded and misses nothing with any number of ranges", () => {
  const property = fc.property(
    fc.array(anyRange, { minLength: 1, maxLength: 3 * FILTER_PREFIXES_MAX }),
    fc.nat(),
    (ranges, pick) => {
      const program = ndpFilter(ranges);
      assert.deepEqual(bpfProblems(program), []);
      const instructions = program.map(({ code }) => TRANSLATED[code] ?? 1);
      const bytes = INSTRUCTION_BYTES * instructions.reduce((sum, count) => sum + count, 0);
      assert.ok(bytes <= BYTES_MAX, String(bytes));
      const chosen = ranges[pick % ranges.length];
      for (const value of [chosen?.start ?? 0n, chosen?.end ?? 0n]) {
        const target = ipFromBigInt(6, value);
        assert.ok(runBpf(program, { frame: solicitation({ target }) }) > 0, target);
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("ndpFilter() of few prefixes lets through what lies in one, and nothing else", () => {
  const anyPrefix = fc
    .tuple(anyAddress, fc.integer({ min: 1, max: 128 }))
    .map(([value, length]) => prefixOf(ipFromBigInt(6, value), length));
  const property = fc.property(
    fc.array(anyPrefix, { minLength: 1, maxLength: 8 }),
    anyAddress,
    fc.nat(),
    (prefixes, far, pick) => {
      const near = (prefixes[pick % prefixes.length]?.end ?? 0n) + BigInt(pick % 3) - 1n;
      for (const value of [far, near]) {
        if (value < 0n || value >> 128n !== 0n) continue;
        const frame = solicitation({ target: ipFromBigInt(6, value), sourceIp: "fe80::1" as Ip });
        const isIn = (address: bigint) =>
          prefixes.some(({ start, end }) => address >= start && address <= end);
        const isWanted = isIn(value) || isIn(ipToBigInt("fe80::1" as Ip));
        assert.equal(runBpf(ndpFilter(prefixes), { frame }) > 0, isWanted);
      }
    },
  );
  fc.assert(property, { numRuns: 500 });
});
