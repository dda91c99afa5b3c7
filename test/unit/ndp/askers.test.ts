// Tests of how often a host is answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { ANSWERS_BURST, ANSWERS_PER_SECOND, ASKERS_MAX, Askers } from "../../../src/ndp/askers.ts";

function mac(number: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, number >>> 16, (number >>> 8) & 255, number & 255);
}

function admitted(askers: Askers, who: number, times: number, at: number): number {
  let count = 0;
  for (let i = 0; i < times; i++) if (askers.admit(mac(who), 0, bootMs(at))) count += 1;
  return count;
}

test("Askers.admit() lets a burst through, then so many a second", () => {
  const askers = new Askers();
  assert.equal(admitted(askers, 1, ANSWERS_BURST + 100, 0), ANSWERS_BURST);
  assert.equal(admitted(askers, 1, 10_000, 500), ANSWERS_PER_SECOND / 2);
  assert.equal(admitted(askers, 1, 10_000, 60_000), ANSWERS_BURST, "no more than a burst");
});

test("Askers.admit() counts each host for itself", () => {
  const askers = new Askers();
  admitted(askers, 1, 10_000, 0);
  assert.equal(admitted(askers, 2, 10, 0), 10);
});

test("Askers forgets those that asked longest ago: not one that goes on asking", () => {
  const askers = new Askers();
  admitted(askers, 0, ANSWERS_BURST, 0);
  for (let who = 1; who < 2 * ASKERS_MAX; who++) {
    askers.admit(mac(who), 0, bootMs(0));
    assert.equal(askers.admit(mac(0), 0, bootMs(0)), false, "its bucket is not forgotten");
  }
});

test("Askers forgets the oldest, and stays bounded", () => {
  const askers = new Askers();
  for (let who = 0; who < 2 * ASKERS_MAX; who++) askers.admit(mac(who), 0, bootMs(0));
  assert.equal(askers.size, ASKERS_MAX);
});
