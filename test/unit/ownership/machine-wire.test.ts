// Stories of an owner that others find silent on the wire: what they take, and what they do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnershipEffect, OwnershipEvent } from "../../../src/ownership/types.ts";
import { TAKE_GAP_MS } from "../../../src/ownership/wire-truth.ts";
import {
  announce,
  claims,
  entry,
  epoch,
  gained,
  member,
  peerHeard,
  recordsRead,
  Story,
  VIP,
  vipNotWritten,
  vipRecord,
  vipWritten,
} from "../../support/ownership-words.ts";

const MEMBERS = [member("node-a"), member("node-c")];
const MUTE = { type: "owner-mute", address: VIP, owner: "node-a", epoch: epoch(4) } as const;
const FAILED: OwnershipEvent = { type: "records-read", records: "failed" };

function complaint(at: number): OwnershipEvent {
  return { type: "peer-complaint", node: "node-c", interface: "eth0", entries: [entry(at)] };
}

/** node-b, which hears node-a, the owner at epoch 4, and node-c. */
function observer(preempt = false): Story {
  const vips = [vipRecord("node-a", 4, 60)];
  const story = Story.joined({ node: "node-b", vips, members: MEMBERS, preempt });
  for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
  return story;
}

test("an observer watches the owner that it hears, and not while it is drained itself", () => {
  const story = observer();
  const watched = story.machine.views.watched(VIP, 4_000 as never);
  assert.deepEqual([watched?.owner, watched?.isFirst, watched?.isAlone], ["node-a", false, false]);
  story.step({ type: "drain", force: false }, 4_000);
  assert.equal(story.machine.views.watched(VIP, 4_000 as never), null);
});

test("the VIP of an owner that is silent on the wire is claimed, though that is heard", () => {
  const story = observer();
  assert.deepEqual(story.step(MUTE, 4_000), []);
  assert.deepEqual(story.tick(4_060), claims("node-b", 5, 60), "in its turn: it ranks third");
  const written = vipWritten(vipRecord("node-b", 5, 61));
  assert.deepEqual(story.step(written, 4_070), gained("owner-mute", 5, "node-a"));
});

test("what was found of a tenure that is over, or long ago, takes nothing", () => {
  const story = observer();
  assert.deepEqual(story.step({ ...MUTE, epoch: epoch(3) }, 4_000), []);
  story.step({ type: "drain", force: false }, 4_000);
  assert.deepEqual(story.step(MUTE, 4_100), []);
  story.step({ type: "undrain" }, 6_200);
  assert.deepEqual(
    story.tick(6_300).filter(({ type }) => type === "claim"),
    [],
  );
});

for (const { who, event, asked } of [
  { who: "who stops", event: { type: "stop" }, asked: ["node-a"] },
  { who: "who is drained by force", event: { type: "drain", force: true }, asked: ["node-a"] },
  { who: "who is drained, and may keep it,", event: { type: "drain", force: false }, asked: [] },
] as const) {
  test(`${who} asks the one that was mute last: ${asked.length === 1}`, () => {
    const story = observer();
    story.step(MUTE, 4_000);
    story.tick(4_060);
    story.step(vipWritten(vipRecord("node-b", 5, 61)), 4_070);
    const offered = (effects: readonly OwnershipEffect[]): string[] =>
      effects.flatMap((effect) => (effect.type === "offer" ? [effect.to] : []));
    assert.deepEqual(offered(story.step(event, 5_000)), ["node-c"]);
    assert.deepEqual(offered(story.tick(6_000)), asked);
  });
}

test("an owner that is silent on the wire gets the VIP back from nobody for ten minutes", () => {
  const story = observer(true);
  story.step(MUTE, 20_000);
  assert.equal(
    story.tick(20_060).some(({ type }) => type === "claim"),
    true,
  );
  const after = story.step(vipWritten(vipRecord("node-b", 5, 61)), 20_070);
  const offers = after.filter(({ type }) => type === "offer");
  assert.deepEqual(offers, [], "though it ranks first, and was there for long");
  assert.ok(TAKE_GAP_MS >= 600_000);
});

for (const { how, preempt, event } of [
  { how: "who is drained", preempt: false, event: { type: "drain", force: false } },
  { how: "who gives back what others rank first for", preempt: true, event: null },
] as const) {
  test(`${how} asks the one that was mute when the ten minutes are over`, () => {
    const vips = [vipRecord("node-a", 4, 60)];
    const members = [member("node-a")];
    const story = Story.joined({ node: "node-b", vips, members, preempt });
    story.step(peerHeard("node-a", 400), 400);
    story.step(MUTE, 4_000);
    story.tick(4_060);
    story.step(vipWritten(vipRecord("node-b", 5, 61)), 4_070);
    if (event !== null) story.step(event, 5_000);
    const offersAt = (now: number): OwnershipEffect[] =>
      story.tick(now).filter(({ type }) => type === "offer");
    assert.deepEqual(offersAt(100_000), []);
    assert.deepEqual(offersAt(3_999 + TAKE_GAP_MS), []);
    assert.equal(offersAt(4_000 + TAKE_GAP_MS).length, 1);
  });
}

test("an owner announces upon a complaint of its tenure, as seldom as it may defend it", () => {
  const story = Story.joined({ vips: [vipRecord("node-a", 4, 60)], members: MEMBERS });
  story.step(peerHeard("node-c", 400), 400);
  assert.deepEqual(story.step(complaint(3), 1_000), [], "of another tenure");
  assert.deepEqual(story.step(complaint(4), 1_000), [announce()]);
  for (const now of [1_001, 2_000, 4_000]) assert.deepEqual(story.step(complaint(4), now), []);
});

test("a node in doubt waits for a list, and not for one that fails again and again", () => {
  const vips = [vipRecord(null, 4, 60)];
  const story = Story.joined({ vips: [vipRecord("node-a", 4, 60)], members: MEMBERS });
  story.step(recordsRead(vips), 3_400);
  story.step(vipNotWritten("failed"), 3_500);
  const claimed = (now: number): boolean =>
    story.tick(now).some(({ type }) => type === "claim") || story.machine.owned().length > 0;
  story.step(FAILED, 4_500);
  story.step(FAILED, 5_500);
  assert.equal(claimed(5_600) || claimed(6_700), true);
});
