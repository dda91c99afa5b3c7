// Tests of when the leader removes the Lease of an address that no Service has: after a while, and
// not when the address came back meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { VipLeaseCollector } from "../../../src/daemon/vip-lease-collector.ts";
import { VIP, vipRecord } from "../../support/ownership-words.ts";

/** A leader that has the Lease of one address; `look` says how often it was removed by then. */
function leader() {
  const state = { now: 0, mayCollect: true, isListed: true, inUse: new Set<Ip>() };
  let removed = 0;
  const collector = new VipLeaseCollector({
    clock: { boot: () => bootMs(state.now), wall: () => wallMs(0) },
    mayCollect: () => state.mayCollect,
    records: () => (state.isListed ? [vipRecord("node-a", 1, 60)] : []),
    isInUse: (address) => state.inUse.has(address),
    remove: async () => {
      removed += 1;
    },
  });
  const look = (now: number): number => {
    state.now = now;
    collector.look();
    return removed;
  };
  return { state, look };
}

test("VipLeaseCollector removes what is unused for 5 s, and tries again after 5 s", () => {
  const { look } = leader();
  assert.deepEqual([0, 4_999, 5_000, 9_999, 10_000].map(look), [0, 0, 1, 1, 2]);
});

test("VipLeaseCollector leaves what is in use", () => {
  const { state, look } = leader();
  state.inUse.add(VIP);
  assert.deepEqual([0, 5_000, 60_000].map(look), [0, 0, 0]);
});

const PAUSES = [
  ["its address came back", { inUse: new Set([VIP]) }],
  ["it was removed and made anew", { isListed: false }],
  ["this node did not lead", { mayCollect: false }],
] as const;

for (const [what, pause] of PAUSES) {
  test(`VipLeaseCollector counts anew when ${what} meanwhile`, () => {
    const { state, look } = leader();
    assert.equal(look(0), 0);
    const before = { ...state };
    Object.assign(state, pause);
    assert.equal(look(3_000), 0);
    Object.assign(state, before);
    assert.deepEqual([6_000, 10_999, 11_000].map(look), [0, 0, 1]);
  });
}
