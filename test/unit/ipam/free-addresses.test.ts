// Tests of the free addresses of one range: lowest first, nothing twice, and how often it asks.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ipFromBigInt } from "../../../src/core/address.ts";
import { FreeAddresses } from "../../../src/ipam/free-addresses.ts";
import { range } from "../../support/ipam-requests.ts";

const always = () => true;

test("take() of a used-up range gives null, again and again", () => {
  const free = new FreeAddresses(range("10.0.0.1/32"));
  assert.equal(free.take(always), "10.0.0.1");
  assert.equal(free.take(always), null);
  assert.equal(free.take(always), null);
});

test("take() does not offer what was refused until it is released", () => {
  const free = new FreeAddresses(range("10.0.0.0/30"));
  assert.equal(
    free.take((ip) => ip !== "10.0.0.0"),
    "10.0.0.1",
  );
  assert.equal(free.take(always), "10.0.0.2");
  free.release(range("10.0.0.0/32").start);
  assert.equal(free.take(always), "10.0.0.0");
});

test("release() of what was never taken changes nothing", () => {
  const free = new FreeAddresses(range("10.0.0.0/31"));
  free.release(range("10.0.0.1/32").start);
  const taken = [free.take(always), free.take(always), free.take(always)];
  assert.deepEqual(taken, ["10.0.0.0", "10.0.0.1", null]);
});

test("release() said many times gives the address once", () => {
  const free = new FreeAddresses(range("10.0.0.0/30"));
  const value = range("10.0.0.0/32").start;
  free.take(always);
  for (let i = 0; i < 100; i++) free.release(value);
  let asked = 0;
  const isFree = (ip: string): boolean => {
    asked += 1;
    return ip !== "10.0.0.0";
  };
  assert.equal(free.take(isFree), "10.0.0.1");
  assert.equal(asked, 2);
});

test("take() fills a /16 with one question an address, whatever is taken already", () => {
  const wide = range("10.0.0.0/16");
  const free = new FreeAddresses(wide);
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
  const free = new FreeAddresses(range("2001:db8::/64"));
  assert.deepEqual([free.take(always), free.take(always)], ["2001:db8::", "2001:db8::1"]);
  free.release(range("2001:db8::/128").start);
  assert.equal(free.take(always), "2001:db8::");
});

test("take() gives the lowest free address, like a search through a set", () => {
  const size = 24;
  const start = range("10.0.0.250/32").start;
  const steps = fc.array(fc.oneof(fc.constant("take" as const), fc.nat(size - 1)), {
    maxLength: 120,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const free = new FreeAddresses({ family: 4, start, end: start + BigInt(size - 1) });
      const used = new Set<string>();
      const all = Array.from({ length: size }, (_, i) => ipFromBigInt(4, start + BigInt(i)));
      for (const step of list) {
        if (step === "take") {
          const expected = all.find((ip) => !used.has(ip)) ?? null;
          assert.equal(
            free.take((ip) => !used.has(ip)),
            expected,
          );
          if (expected !== null) used.add(expected);
        } else if (used.delete(all[step] ?? "")) free.release(start + BigInt(step));
      }
    }),
    { numRuns: 500 },
  );
});
