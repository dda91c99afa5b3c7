// Stories of a Service with two addresses: what happens when they are not with one node.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import type { OwnershipEvent, VipSpec } from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  entry,
  epoch,
  ip,
  member,
  offersUntil,
  peerClaim,
  peerHeard,
  Story,
  VIP,
  vip,
  vipRecord,
} from "../../support/ownership-words.ts";

const [A, C] = [member("node-a"), member("node-c")];
const SECOND = ip("192.168.1.241");
const BOTH = [VIP, SECOND] as const;
const FIRST_SPEC = vip();

function second(changes: Parameters<typeof vip>[0] = {}): VipSpec {
  return { ...vip(changes, SECOND), rankBy: VIP };
}

/** By the records `owners` have the first and the second address; node-b looks. */
function seenByB(
  [first, follower]: readonly [string, string],
  {
    spec = second(),
    preempt = false,
  }: { readonly spec?: VipSpec; readonly preempt?: boolean } = {},
): Story {
  const vips = [vipRecord(first, 1, 60), vipRecord(follower, 1, 61, SECOND)];
  // The follower may be known before the one that it follows.
  const specs = [spec, FIRST_SPEC];
  const story = Story.joined({ node: "node-b", specs, vips, members: [A, C], preempt });
  for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
  return story;
}

function recorded(owner: string, epoch: number, address = VIP): OwnershipEvent {
  return { type: "vip-record", record: vipRecord(owner, epoch, 90, address) };
}

test("the second address goes to the owner of the first, which was heard for two seconds", () => {
  assert.equal(DEFAULT_TIMINGS.reunionDelayMs, 2_000);
  const story = seenByB(["node-c", "node-b"]);
  const [begun] = offersUntil(story, 400, 4_900);
  assert.equal(begun, `2400 ${SECOND} to node-c`);
});

test("the first address does not go to the owner of the second", () => {
  const story = seenByB(["node-b", "node-c"]);
  assert.deepEqual(offersUntil(story, 400, 14_000), []);
});

test("two addresses with one node stay there", () => {
  const story = seenByB(["node-b", "node-b"]);
  assert.deepEqual(offersUntil(story, 400, 14_000), []);
});

test("the second address follows when the first has gone from its node", () => {
  const story = seenByB(["node-b", "node-b"]);
  story.step(recorded("node-c", 2), 5_000);
  assert.deepEqual(story.machine.owned(), [SECOND]);
  const [begun] = offersUntil(story, 5_000, 9_000);
  assert.equal(begun, `7000 ${SECOND} to node-c`);
});

test("an address that comes back in time is not followed", () => {
  const story = seenByB(["node-b", "node-b"]);
  story.step(recorded("node-c", 2), 5_000);
  assert.deepEqual(offersUntil(story, 5_000, 6_900), []);
  story.step(recorded("node-b", 3), 6_950);
  assert.deepEqual(offersUntil(story, 6_950, 14_000), []);
});

test("the second address stays where the owner of the first may not have it", () => {
  const spec = second({ "node-c": { allowed: false, reason: "not selected" } });
  const story = seenByB(["node-c", "node-b"], { spec });
  assert.deepEqual(offersUntil(story, 400, 14_000), []);
  story.step({ type: "vips", changed: [second()], freed: [] }, 14_000);
  assert.equal(offersUntil(story, 14_000, 18_000)[0], `16000 ${SECOND} to node-c`);
});

test("the second address stays where the owner of the first is being drained", () => {
  const story = seenByB(["node-c", "node-b"]);
  story.step(peerHeard("node-c", 500, { state: "draining" }), 500);
  assert.deepEqual(offersUntil(story, 500, 14_000), []);
});

test("an address that nobody has is not waited for", () => {
  const story = seenByB(["node-b", "node-b"]);
  story.step({ type: "vips", changed: [], freed: [VIP] }, 5_000);
  assert.deepEqual(offersUntil(story, 5_000, 14_000), []);
  assert.deepEqual(story.machine.owned(), [SECOND]);
});

test("what ranks by itself again follows no more", () => {
  const story = seenByB(["node-c", "node-b"]);
  story.step({ type: "vips", changed: [vip({}, SECOND)], freed: [] }, 500);
  assert.deepEqual(offersUntil(story, 500, 14_000), []);
});

test("a reunion that is not taken is offered again five seconds later", () => {
  const story = seenByB(["node-c", "node-b"]);
  const asked = [2_400, 2_650, 2_900, 3_150].map((at) => `${at} ${SECOND} to node-c`);
  assert.deepEqual(offersUntil(story, 400, 8_399), asked);
  assert.deepEqual(offersUntil(story, 8_399, 8_400), [`8400 ${SECOND} to node-c`]);
});

test("preempt: the first address goes back, and the second waits for it to have gone", () => {
  const story = seenByB(["node-b", "node-b"], { preempt: true });
  const [begun, ...more] = offersUntil(story, 400, 10_400);
  assert.equal(begun, `10400 ${VIP} to node-a`);
  assert.deepEqual(more, []);
  story.step(peerClaim("node-a", entry(2)), 10_450);
  assert.deepEqual(story.machine.owned(), [SECOND]);
  assert.equal(offersUntil(story, 10_450, 13_000)[0], `12450 ${SECOND} to node-a`);
});

for (const address of BOTH) {
  test(`a move of ${address} takes the other along`, () => {
    const story = seenByB(["node-b", "node-b"]);
    const effects = story.step({ type: "move", address, to: "node-c" }, 1_000);
    const offered = effects.filter(({ type }) => type === "offer");
    assert.deepEqual(offered.map((effect) => "address" in effect && effect.address).toSorted(), [
      ...BOTH,
    ]);
  });
}

test("a drain asks about both at once, whatever the other does", () => {
  const story = seenByB(["node-b", "node-b"]);
  const offered = story
    .step({ type: "drain", force: false }, 1_000)
    .filter(({ type }) => type === "offer");
  assert.equal(offered.length, 2);
});

test("a preference of the second address alone does not part them", () => {
  const spec = second({ "node-c": { ...ALLOWED, preference: 5 } });
  const story = seenByB(["node-b", "node-b"], { spec, preempt: true });
  const asked = offersUntil(story, 400, 10_400);
  assert.deepEqual(asked, [`10400 ${VIP} to node-a`]);
});

test("a node that was mute for the second address gets it back no more, but by a move", () => {
  const story = seenByB(["node-c", "node-b"]);
  const owner = { address: SECOND, owner: "node-c", epoch: epoch(1) } as const;
  story.step({ type: "owner-mute", ...owner }, 1_000);
  // Ten minutes and more: the mark itself would be over.
  assert.deepEqual(offersUntil(story, 1_000, 700_000), []);
  const effects = story.step({ type: "move", address: SECOND, to: "node-c" }, 700_000);
  assert.equal(effects.filter(({ type }) => type === "offer").length, 1);
});

test("a tenure that is over takes the time of being apart with it", () => {
  const story = seenByB(["node-c", "node-b"]);
  offersUntil(story, 400, 2_300);
  story.step(recorded("node-c", 2, SECOND), 2_350);
  assert.deepEqual(story.machine.owned(), []);
  story.step(recorded("node-b", 3, SECOND), 10_000);
  assert.deepEqual(story.machine.owned(), [SECOND]);
  assert.deepEqual(offersUntil(story, 10_000, 11_999), []);
  assert.equal(offersUntil(story, 11_999, 12_100)[0], `12000 ${SECOND} to node-c`);
});

test("preempt: a second address that may not follow goes to the node that ranks first", () => {
  const spec = second({ "node-c": { allowed: false, reason: "not selected" } });
  const story = seenByB(["node-c", "node-b"], { spec, preempt: true });
  assert.equal(offersUntil(story, 400, 10_400)[0], `10400 ${SECOND} to node-a`);
});
