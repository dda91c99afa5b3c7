// Tests of the addresses that may be shared: the first with room, and how often it looks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ipFromBigInt } from "../../../src/core/address.ts";
import { SharedAddresses } from "../../../src/ipam/shared-addresses.ts";

function address(n: number, range = 0) {
  return { ip: ipFromBigInt(4, BigInt(n)), place: { range, value: BigInt(n) } };
}

/** With `count` addresses of group g, and how often one of them was looked at. */
function counted(count: number) {
  const shared = new SharedAddresses();
  for (let n = 0; n < count; n++) shared.add("g", address(n));
  const full = new Set<string>();
  const looks = { count: 0 };
  const first = (port = "TCP/80", group = "g"): string | undefined => {
    const hasRoom = (ip: string): boolean => {
      looks.count += 1;
      return !full.has(`${ip} ${port}`);
    };
    return shared.first(group, [port], hasRoom)?.ip;
  };
  return { shared, full, looks, first };
}

test("first() of a group that nobody is in: none", () => {
  assert.equal(counted(3).first("TCP/80", "other"), undefined);
});

test("first() is the first in the order of allocation, not in that of coming", () => {
  const shared = new SharedAddresses();
  for (const one of [address(9, 1), address(7, 0), address(3, 1)]) shared.add("g", one);
  assert.equal(shared.first("g", [], () => true)?.ip, "0.0.0.7");
});

test("first() looks at each address once while they fill up, and forgets none with room", () => {
  const { first, full, looks } = counted(1_000);
  for (let n = 0; n < 1_000; n++) {
    const found = first();
    assert.equal(found, address(n).ip);
    full.add(`${found} TCP/80`);
  }
  assert.equal(first(), undefined);
  assert.ok(looks.count <= 4_000, `${looks.count} looks`);
});

test("first() in a full group looks at what is new alone", () => {
  const { shared, first, full, looks } = counted(0);
  for (let n = 0; n < 1_000; n++) {
    shared.add("g", address(n));
    full.add(`${address(n).ip} TCP/80`);
    assert.equal(first(), undefined);
  }
  assert.equal(looks.count, 1_000);
});

test("first() looks again at all of them after changed() and remove()", () => {
  const { shared, first, full } = counted(3);
  for (const n of [0, 1, 2]) full.add(`${address(n).ip} TCP/80`);
  assert.equal(first(), undefined);
  full.clear();
  assert.equal(first(), undefined, "nobody said so");
  shared.changed("g");
  assert.equal(first(), "0.0.0.0");
  shared.remove("g", address(0).ip);
  assert.equal(first(), "0.0.0.1");
  shared.remove("g", address(1).ip);
  shared.remove("g", address(2).ip);
  assert.equal(first(), undefined);
});

test("first() with many sets of ports forgets searches, not addresses", () => {
  const { first } = counted(2);
  for (let port = 0; port < 3_000; port++) assert.equal(first(`TCP/${port}`), "0.0.0.0");
});
