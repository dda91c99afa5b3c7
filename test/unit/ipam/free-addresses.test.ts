// Tests of the free addresses of one range: lowest first, nothing twice, and how often it asks.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ip } from "../../../src/core/address.ts";
import { ipFromBigInt, ipToBigInt } from "../../../src/core/address.ts";
import { FreeAddresses, type Place } from "../../../src/ipam/free-addresses.ts";
import { ip, range } from "../../support/ipam-requests.ts";

const always = () => true;

function freeOf(...entries: readonly string[]): FreeAddresses {
  return new FreeAddresses(entries.map(range));
}

/** The place of an address of the first range. */
function placeOf(address: string): Place {
  return { range: 0, value: ipToBigInt(ip(address)) };
}

function taken(free: FreeAddresses, isFree: (ip: Ip) => boolean = always): Ip | null {
  return free.take(isFree)?.ip ?? null;
}

test("take() of a used-up range gives null, again and again", () => {
  const free = freeOf("10.0.0.1/32");
  assert.equal(taken(free), "10.0.0.1");
  assert.equal(taken(free), null);
  assert.equal(taken(free), null);
});

test("take() does not offer what was refused until it is released", () => {
  const free = freeOf("10.0.0.0/30");
  assert.equal(
    taken(free, (ip) => ip !== "10.0.0.0"),
    "10.0.0.1",
  );
  assert.equal(taken(free), "10.0.0.2");
  free.release(placeOf("10.0.0.0"));
  assert.equal(taken(free), "10.0.0.0");
});

test("release() of what was never taken changes nothing", () => {
  const free = freeOf("10.0.0.0/31");
  free.release(placeOf("10.0.0.1"));
  const all = [taken(free), taken(free), taken(free)];
  assert.deepEqual(all, ["10.0.0.0", "10.0.0.1", null]);
});

test("release() said many times gives the address once", () => {
  const free = freeOf("10.0.0.0/30");
  const place = placeOf("10.0.0.0");
  taken(free);
  for (let i = 0; i < 100; i++) free.release(place);
  let asked = 0;
  const isFree = (ip: string): boolean => {
    asked += 1;
    return ip !== "10.0.0.0";
  };
  assert.equal(taken(free, isFree), "10.0.0.1");
  assert.equal(asked, 2);
});

test("take() fills a /16 with one question an address, whatever is taken already", () => {
  const free = freeOf("10.0.0.0/16");
  let asked = 0;
  const isFree = (): boolean => {
    asked += 1;
    return asked % 2 === 0;
  };
  let given = 0;
  while (free.take(isFree) !== null) given += 1;
  assert.equal(asked, 65_536);
  assert.equal(given, 32_768);
});

test("take() goes through an IPv6 /64 from its beginning", () => {
  const free = freeOf("2001:db8::/64");
  assert.deepEqual([taken(free), taken(free)], ["2001:db8::", "2001:db8::1"]);
  free.release(placeOf("2001:db8::"));
  assert.equal(taken(free), "2001:db8::");
});

test("take() gives the lowest free address, like a search through a set", () => {
  const size = 24;
  const start = ipToBigInt(ip("10.0.0.250"));
  const steps = fc.array(fc.oneof(fc.constant("take" as const), fc.nat(size - 1)), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const free = new FreeAddresses([{ family: 4, start, end: start + BigInt(size - 1) }]);
      const used = new Set<string>();
      const all = Array.from({ length: size }, (_, i) => ipFromBigInt(4, start + BigInt(i)));
      for (const step of list) {
        if (step === "take") {
          const expected = all.find((ip) => !used.has(ip)) ?? null;
          assert.equal(
            taken(free, (one) => !used.has(one)),
            expected,
          );
          if (expected !== null) used.add(expected);
        } else if (used.delete(all[step] ?? ""))
          free.release({ range: 0, value: start + BigInt(step) });
      }
    }),
    { numRuns: 500 },
  );
});

test("take() goes through ranges in the order of the list, freed ones first", () => {
  const free = freeOf("10.0.9.0/31", "10.0.0.0/31");
  const ends = [taken(free), taken(free), taken(free)];
  assert.deepEqual(ends, ["10.0.9.0", "10.0.9.1", "10.0.0.0"]);
  free.release({ range: 1, value: ipToBigInt(ip("10.0.0.0")) });
  free.release(placeOf("10.0.9.1"));
  const again = [taken(free), taken(free), taken(free), taken(free)];
  assert.deepEqual(again, ["10.0.9.1", "10.0.0.0", "10.0.0.1", null]);
});

test("take() passes over 100,000 full ranges once, not with every question", () => {
  const ranges = Array.from({ length: 100_000 }, (_, i) => {
    const value = BigInt(i);
    return { family: 4, start: value, end: value } as const;
  });
  const free = new FreeAddresses(ranges);
  let asked = 0;
  const isFree = (): boolean => {
    asked += 1;
    return true;
  };
  for (let i = 0; i < 100_000; i++) assert.notEqual(free.take(isFree), null);
  assert.equal(free.take(isFree), null);
  assert.equal(asked, 100_000);
});
