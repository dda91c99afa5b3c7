// Tests of the bounds of what is watched after it was asked for: how many, for how long, how often.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ipv4FromNumber } from "../../../src/core/address.ts";
import { addressKey } from "../../../src/core/address-key.ts";
import { bootMs } from "../../../src/core/time.ts";
import { WATCHED_MAX, WatchedAddresses } from "../../../src/daemon/watched-addresses.ts";

/** 10.0.0.0 and up. */
const nth = (n: number) => ipv4FromNumber(0x0a00_0000 + n);

function mayTell(watched: WatchedAddresses, n: number, now: number): boolean {
  return watched.mayTell(addressKey(nth(n)), bootMs(now));
}

test("WatchedAddresses holds so many, and lets go of the oldest", () => {
  const watched = new WatchedAddresses();
  for (let n = 0; n < WATCHED_MAX; n++) watched.add(nth(n), bootMs(n));
  watched.add(nth(0), bootMs(WATCHED_MAX));
  assert.equal(watched.size, WATCHED_MAX);
  watched.add(nth(WATCHED_MAX), bootMs(WATCHED_MAX));
  assert.equal(watched.size, WATCHED_MAX);
  const told = [0, 1, 2, WATCHED_MAX].map((n) => mayTell(watched, n, WATCHED_MAX));
  assert.deepEqual(told, [true, false, true, true], "0 was asked for again, and 1 is the oldest");
});

test("WatchedAddresses lets go of what was asked for minutes ago", () => {
  const watched = new WatchedAddresses();
  for (let n = 0; n < 100; n++) watched.add(nth(n), bootMs(0));
  watched.add(nth(100), bootMs(301_000));
  assert.equal(watched.size, 1);
});

test("WatchedAddresses that are asked for again are not told of sooner", () => {
  const watched = new WatchedAddresses();
  watched.add(nth(0), bootMs(0));
  assert.equal(mayTell(watched, 0, 0), true);
  watched.add(nth(0), bootMs(500));
  assert.deepEqual([mayTell(watched, 0, 999), mayTell(watched, 0, 1_000)], [false, true]);
});
