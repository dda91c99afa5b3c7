// Tests of the ARP filter: tables for the frames, a property against a naive predicate, and the
// limits. The kernel's own verdict is asked in test/netns.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arpFilter, coarsen, FILTER_RANGES_MAX, mergeRanges } from "../../../src/arp/filter.ts";
import { type Ip, type IpRange, ipToBigInt } from "../../../src/core/address.ts";
import { bpfProblems, runBpf } from "../../support/bpf.ts";

const MAX = 0xffffffff;

function range(start: string, end: string = start): IpRange {
  return { family: 4, start: ipToBigInt(start as Ip), end: ipToBigInt(end as Ip) };
}

function numberRange(start: number, end: number): IpRange {
  return { family: 4, start: BigInt(start), end: BigInt(end) };
}

function frame(sender: number, target: number, edit: (view: DataView) => void = () => {}) {
  const bytes = new Uint8Array(42);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0806);
  view.setUint32(14, 0x00010800);
  view.setUint16(18, 0x0604);
  view.setUint16(20, 1);
  view.setUint32(28, sender);
  view.setUint32(38, target);
  edit(view);
  return bytes;
}

const ip = (text: string): number => Number(ipToBigInt(text as Ip));

const POOL = [range("10.0.0.10", "10.0.0.20"), range("192.168.1.5")];
const OTHER = ip("10.9.9.9");
const inside = ip("10.0.0.15");

const rows: readonly [string, Uint8Array, boolean, number?][] = [
  ["drops an empty frame", new Uint8Array(0), false],
  ["drops a 20-byte frame", frame(OTHER, inside).subarray(0, 20), false],
  ["drops a frame one byte short", frame(OTHER, inside).subarray(0, 41), false],
  ["drops another EtherType", frame(OTHER, inside, (v) => v.setUint16(12, 0x0800)), false],
  ["drops another hardware type", frame(OTHER, inside, (v) => v.setUint16(14, 6)), false],
  ["drops another protocol type", frame(OTHER, inside, (v) => v.setUint16(16, 0x86dd)), false],
  ["drops a lying hardware length", frame(OTHER, inside, (v) => v.setUint8(18, 8)), false],
  ["drops a lying protocol length", frame(OTHER, inside, (v) => v.setUint8(19, 16)), false],
  ["drops a frame for another host or VLAN", frame(OTHER, inside), false, 3],
  ["drops addresses outside", frame(OTHER, OTHER), false],
  ["drops the address before a range", frame(OTHER, ip("10.0.0.9")), false],
  ["drops the address behind a range", frame(OTHER, ip("10.0.0.21")), false],
  ["accepts the first address of a range", frame(OTHER, ip("10.0.0.10")), true],
  ["accepts the last address of a range", frame(OTHER, ip("10.0.0.20")), true],
  ["accepts a range of one address", frame(OTHER, ip("192.168.1.5")), true],
  ["accepts a sender inside", frame(inside, OTHER), true],
  ["accepts a probe from 0.0.0.0", frame(0, inside), true],
  ["accepts a reply", frame(inside, OTHER, (v) => v.setUint16(20, 2)), true],
  ["accepts a broadcast", frame(OTHER, inside), true, 1],
];
for (const [name, bytes, accepted, packetType = 0] of rows) {
  test(`arpFilter() ${name}`, () => {
    const kept = runBpf(arpFilter(POOL), { frame: bytes, packetType });
    assert.equal(kept, accepted ? MAX : 0);
  });
}

test("arpFilter() refuses a backwards range", () => {
  assert.throws(() => arpFilter([numberRange(2, 1)]), /Invariant broken/);
});

test("arpFilter() without ranges drops everything", () => {
  assert.equal(runBpf(arpFilter([]), { frame: frame(inside, inside) }), 0);
});

test("arpFilter() passes IPv6 ranges over", () => {
  const range6: IpRange = { family: 6, start: 0n, end: (1n << 128n) - 1n };
  assert.equal(runBpf(arpFilter([range6]), { frame: frame(inside, inside) }), 0);
});

test("arpFilter() keeps an oversized frame whole, so that its length shows", () => {
  const bytes = new Uint8Array(9014);
  bytes.set(frame(OTHER, inside));
  assert.ok(runBpf(arpFilter(POOL), { frame: bytes }) >= bytes.length);
});

test("arpFilter() covers the whole address space", () => {
  const program = arpFilter([numberRange(0, MAX)]);
  for (const address of [0, 1, MAX]) {
    assert.equal(runBpf(program, { frame: frame(address, 1) }), MAX);
  }
});

test("mergeRanges() sorts and joins ranges that overlap or touch", () => {
  const merged = mergeRanges([
    numberRange(50, 60),
    numberRange(10, 19),
    numberRange(20, 30),
    numberRange(25, 28),
    numberRange(32, 40),
  ]);
  assert.deepEqual(merged, [
    { start: 10, end: 30 },
    { start: 32, end: 40 },
    { start: 50, end: 60 },
  ]);
});

test("coarsen() gives up the smallest gaps first", () => {
  const points = [0, 100, 103, 200, 201, 400].map((at) => ({ start: at, end: at }));
  assert.deepEqual(coarsen(points, 3), [
    { start: 0, end: 0 },
    { start: 100, end: 201 },
    { start: 400, end: 400 },
  ]);
});

// Small numbers make neighbours and overlaps likely, large ones test the sign bit.
const address = fc.oneof(fc.nat(300), fc.integer({ min: MAX - 300, max: MAX }), fc.nat(MAX));
const anyRange = fc
  .tuple(address, address)
  .map(([a, b]) => numberRange(Math.min(a, b), Math.max(a, b)));
const smallRange = fc
  .tuple(fc.nat(MAX - 64), fc.nat(64))
  .map(([start, size]) => numberRange(start, start + size));

function contains(ranges: readonly IpRange[], value: number): boolean {
  return ranges.some(({ start, end }) => start <= value && value <= end);
}

/** The last address before a range, its first, its last, and the first behind it. */
function edgesOf(pool: IpRange | undefined): readonly number[] {
  if (pool === undefined) return [];
  const { start, end } = { start: Number(pool.start), end: Number(pool.end) };
  return [Math.max(0, start - 1), start, end, Math.min(MAX, end + 1)];
}

test("arpFilter() agrees with a naive predicate for any ranges and addresses", () => {
  const ranges = fc.array(fc.oneof(anyRange, smallRange), { maxLength: FILTER_RANGES_MAX });
  fc.assert(
    fc.property(ranges, address, address, fc.nat(), (pool, sender, target, pick) => {
      // Half of the targets lie at an edge of a range, where mistakes are.
      const near = edgesOf(pool[pick % (pool.length * 2 || 1)])[pick % 4] ?? target;
      const program = arpFilter(pool);
      assert.deepEqual(bpfProblems(program), []);
      const kept = runBpf(program, { frame: frame(sender, near) });
      assert.equal(kept > 0, contains(pool, sender) || contains(pool, near));
    }),
    { numRuns: 500 },
  );
});

test("arpFilter() stays bounded and misses nothing with any number of ranges", () => {
  const ranges = fc.array(smallRange, { minLength: FILTER_RANGES_MAX + 1, maxLength: 1000 });
  fc.assert(
    fc.property(ranges, fc.nat(), (pool, pick) => {
      const program = arpFilter(pool);
      assert.deepEqual(bpfProblems(program), []);
      assert.ok(program.length <= 4 * FILTER_RANGES_MAX + 20);
      const chosen = pool[pick % pool.length] ?? range("0.0.0.0");
      for (const target of [Number(chosen.start), Number(chosen.end)]) {
        assert.equal(runBpf(program, { frame: frame(0, target) }), MAX);
      }
    }),
    { numRuns: 100 },
  );
});

test("arpFilter() never throws and never runs on, for any bytes", () => {
  const program = arpFilter(POOL);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      runBpf(program, { frame: bytes });
    }),
  );
});
