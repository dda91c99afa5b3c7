// The observers of the simulator must themselves be right: what a neighbour cache learns, and when.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../src/core/address.ts";
import type { Mac } from "../../src/core/mac.ts";
import { NeighbourCache } from "./support/neighbour-cache.ts";

const VIP = "10.0.0.1" as Ip;
const ONE = "02:00:00:00:00:01" as Mac;
const OTHER = "02:00:00:00:00:02" as Mac;

function cacheWith({ locksAll }: { readonly locksAll: boolean }): NeighbourCache {
  const cache = new NeighbourCache({ locksAll });
  cache.answered(VIP, ONE, 0);
  return cache;
}

test("NeighbourCache makes no entry of what is announced", () => {
  const cache = new NeighbourCache({ locksAll: false });
  assert.equal(cache.announced(VIP, ONE, 0), false);
  assert.equal(cache.get(VIP), null);
});

for (const locksAll of [false, true]) {
  const what = locksAll ? "an older kernel takes it later" : "a newer kernel takes it at once";
  test(`NeighbourCache hears an announcement: ${what}`, () => {
    const cache = cacheWith({ locksAll });
    assert.equal(cache.announced(VIP, OTHER, 1_000), !locksAll);
    cache.announced(VIP, OTHER, 1_001);
    assert.equal(cache.get(VIP), OTHER);
  });
}

test("NeighbourCache takes the first of several answers, and another one a second later", () => {
  const cache = cacheWith({ locksAll: false });
  cache.answered(VIP, OTHER, 1_000);
  assert.equal(cache.get(VIP), ONE);
  cache.answered(VIP, OTHER, 1_001);
  assert.equal(cache.get(VIP), OTHER);
});

test("NeighbourCache is not young again for an answer that changes nothing", () => {
  const cache = cacheWith({ locksAll: true });
  cache.answered(VIP, ONE, 900);
  assert.equal(cache.announced(VIP, OTHER, 1_001), true);
});

test("NeighbourCache doubts an entry that nothing but announcements confirms for 30 s", () => {
  const cache = cacheWith({ locksAll: false });
  cache.announced(VIP, OTHER, 20_000);
  assert.equal(cache.isStale(VIP, 30_000), false);
  assert.equal(cache.isStale(VIP, 30_001), true);
  cache.answered(VIP, OTHER, 40_000);
  assert.equal(cache.isStale(VIP, 70_000), false);
});
