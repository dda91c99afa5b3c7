// Tests of addresses that Services had: how long nobody else gets them, and for how long they are
// kept for who had them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { FreedAddresses } from "../../../src/ipam/freed-addresses.ts";
import { ip } from "../../support/ipam-requests.ts";

const A = ip("10.0.0.1");

/** What becomes of an address that was freed at 1,000 ms, as `time what`. */
function story(coolDownMs: number, reservationMs: number, hasMoved = false): string[] {
  const freed = new FreedAddresses({ coolDownMs, reservationMs });
  freed.add({ address: A, service: "ns/web", at: bootMs(1_000), hasMoved });
  const told: string[] = [];
  for (let now = bootMs(1_000); now !== NEVER; now = freed.nextDeadline(now)) {
    for (const { address, rest } of freed.take(now)) {
      assert.equal(address, A);
      assert.equal(rest?.for ?? "ns/web", "ns/web");
      told.push(`${now} ${rest?.kind ?? "free"}`);
    }
  }
  return told;
}

const STORIES: readonly (readonly [
  name: string,
  args: readonly [number, number, boolean?],
  string[],
])[] = [
  ["neither setting", [0, 0], []],
  ["a cool-down alone", [60, 0], ["1000 cooling", "1060 free"]],
  ["a reservation alone", [0, 500], ["1000 reserved", "1500 free"]],
  ["both", [60, 500], ["1000 cooling", "1060 reserved", "1500 free"]],
  ["a cool-down that is longer", [900, 500], ["1000 cooling", "1900 free"]],
  ["a Service that has another one", [60, 500, true], ["1000 cooling", "1060 free"]],
];

for (const [name, args, expected] of STORIES) {
  test(`FreedAddresses with ${name}: ${expected.join(", ") || "nothing is withheld"}`, () => {
    assert.deepEqual(story(...args), expected);
  });
}

test("FreedAddresses says nothing of what was freed too long ago, or is taken", () => {
  const freed = new FreedAddresses({ coolDownMs: 60, reservationMs: 500 });
  freed.add({ address: A, service: "ns/web", at: bootMs(0), hasMoved: false });
  assert.deepEqual(freed.take(bootMs(500)), []);
  freed.add({ address: A, service: "ns/web", at: bootMs(500), hasMoved: false });
  assert.equal(freed.take(bootMs(500)).length, 1);
  assert.deepEqual(freed.take(bootMs(501)), [], "once");
  freed.taken(A);
  assert.deepEqual(freed.take(bootMs(2_000)), []);
  assert.equal(freed.nextDeadline(bootMs(2_000)), NEVER);
});
