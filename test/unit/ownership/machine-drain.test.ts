// Stories of a node that is drained: it hands over what it has, one node asked after the other,
// keeps what nobody takes unless it is forced, and takes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnershipEffect, OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  claims,
  entry,
  epoch,
  gained,
  lost,
  member,
  peerClaim,
  peerHeard,
  peerOffer,
  peerSilent,
  presenceNotWritten,
  recordsRead,
  Story,
  segment,
  VIP,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writeVip,
} from "../../support/ownership-words.ts";

const [B, C] = [member("node-b"), member("node-c")];
const DRAIN: OwnershipEvent = { type: "drain", force: false };
const FORCED: OwnershipEvent = { type: "drain", force: true };
const UNDRAIN: OwnershipEvent = { type: "undrain" };

function offer(to: string, at = 1): OwnershipEffect {
  return { type: "offer", address: VIP, epoch: epoch(at), interface: "eth0", to };
}

/** node-a owns the VIP at epoch 1 and hears node-c, which ranks next, and node-b. */
function owner(...heard: readonly string[]): Story {
  const story = Story.owner([B, C]);
  for (const node of heard) story.step(peerHeard(node, 400), 400);
  story.renew(5_000);
  return story;
}

/** Every effect of the ticks that the machine asks for, with its time, but renewals. */
function ticksUntil(story: Story, from: number, end: number): [number, OwnershipEffect][] {
  const seen: [number, OwnershipEffect][] = [];
  let now = from;
  for (let ticks = 0; story.nextDeadline(now) <= end; ticks++) {
    assert.ok(ticks < 1_000, "it is due again and again");
    now = Math.max(now, story.nextDeadline(now));
    for (const effect of story.tick(now)) {
      if (effect.type !== "write-presence") seen.push([now, effect]);
    }
  }
  return seen;
}

test("a drained owner without a peer goes on, and is not due because of it", () => {
  const story = owner();
  const due = story.nextDeadline(6_000);
  assert.deepEqual(story.step(DRAIN, 6_000), []);
  assert.equal(story.nextDeadline(6_000), due);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a drained owner asks one after the other, a second each, says it every 250 ms", () => {
  const story = owner("node-b", "node-c");
  assert.deepEqual(story.step(DRAIN, 6_000), [offer("node-c")]);
  const asked = ticksUntil(story, 6_000, 7_999);
  const to = (node: string, ...times: number[]) => times.map((at) => [at, offer(node)]);
  assert.deepEqual(asked, [
    ...to("node-c", 6_250, 6_500, 6_750),
    ...to("node-b", 7_000, 7_250, 7_500, 7_750),
  ]);
});

test("a drained owner keeps what nobody takes, and asks all again after five seconds", () => {
  const story = owner("node-b", "node-c");
  story.step(DRAIN, 6_000);
  ticksUntil(story, 6_000, 7_999);
  assert.deepEqual(ticksUntil(story, 7_999, 12_999), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(ticksUntil(story, 12_999, 13_000), [[13_000, offer("node-c")]]);
});

test("a drained owner asks anew who is heard at last", () => {
  const story = owner();
  story.step(DRAIN, 6_000);
  assert.deepEqual(story.step(peerHeard("node-b", 6_500), 6_500), [offer("node-b")]);
});

test("a drained owner asks nobody who is drained himself, or restarts, or stops", () => {
  for (const state of ["draining", "restarting", "stopping", "deaf"] as const) {
    const story = owner("node-c");
    story.step(peerHeard("node-c", 5_500, { state }), 5_500);
    assert.deepEqual(story.step(DRAIN, 6_000), [], state);
  }
});

test("a drained owner lets go when the taker answers, and takes it from nobody again", () => {
  const story = owner("node-c");
  story.step(DRAIN, 6_000);
  story.step(peerClaim("node-c", entry("1+1")), 6_005);
  assert.deepEqual(story.machine.owned(), [VIP]);
  const done = story.step(peerClaim("node-c", entry(2)), 6_010);
  const why = 'to "node-c" at epoch 2: node-a is drained';
  assert.deepEqual(done, lost("handed-over", 1, why));
  const released = vipRecord(null, 2, 70);
  assert.deepEqual(story.step({ type: "vip-record", record: released }, 7_000), []);
  const stopped = member("node-c", { holder: null, resourceVersion: "11" });
  assert.deepEqual(story.step({ type: "member", record: stopped }, 7_010), []);
  assert.deepEqual(ticksUntil(story, 7_010, 9_000), []);
});

test("a node that is drained by force releases what nobody takes, and says why", () => {
  const story = owner("node-c");
  assert.deepEqual(story.step(FORCED, 6_000), [offer("node-c")]);
  story.tick(6_250);
  story.tick(6_500);
  story.tick(6_750);
  const released = [...lost("draining", 1, "node-a is drained"), writeVip(null, 1, 60)];
  assert.deepEqual(story.tick(7_000), released);
  assert.deepEqual(story.step(vipWritten(vipRecord(null, 1, 61)), 7_010), []);
  assert.deepEqual(ticksUntil(story, 7_010, 9_000), []);
});

test("a node that is drained by force releases at once with nobody to ask", () => {
  const released = [...lost("draining", 1, "node-a is drained"), writeVip(null, 1, 60)];
  assert.deepEqual(owner().step(FORCED, 6_000), released);
});

test("force that comes later asks everybody again before it lets go", () => {
  const story = owner("node-c");
  story.step(DRAIN, 6_000);
  ticksUntil(story, 6_000, 7_500);
  assert.deepEqual(story.step(FORCED, 8_000), [offer("node-c")]);
  ticksUntil(story, 8_000, 8_999);
  assert.deepEqual(story.tick(9_000).slice(0, 2), lost("draining", 1, "node-a is drained"));
});

test("what was let go of by force is not taken up again when the API does not answer", () => {
  const story = owner();
  story.step(FORCED, 6_000);
  assert.deepEqual(story.step(vipNotWritten("failed"), 6_001), [{ type: "read-records" }]);
  assert.deepEqual(story.step({ type: "records-read", records: "failed" }, 6_002), []);
  assert.deepEqual(story.step(presenceNotWritten(6_003, "failed"), 6_003), []);
  const again = ticksUntil(story, 6_003, 7_100).map(([at, effect]) => [at, effect.type]);
  assert.deepEqual(
    again.filter(([, type]) => type !== "read-records"),
    [[7_001, "write-vip"]],
  );
  assert.deepEqual(story.machine.owned(), []);
});

test("a node that is drained no more may take again what it let go of by force", () => {
  const story = owner();
  story.step(FORCED, 6_000);
  story.step(vipWritten(vipRecord(null, 1, 61)), 6_010);
  assert.deepEqual(story.step(UNDRAIN, 7_000), []);
  assert.deepEqual(story.tick(7_300), claims("node-a", 2, 61));
});

test("a node that slept while it was drained hears who owns before it takes anything", () => {
  const story = owner();
  story.step(FORCED, 6_000);
  story.step(vipWritten(vipRecord(null, 1, 61)), 6_010);
  // It stood still; what waited for it comes in no order.
  assert.deepEqual(story.step(UNDRAIN, 9_000), []);
  story.step(peerHeard("node-c", 9_001), 9_001);
  story.step(peerClaim("node-c", entry(2)), 9_001);
  assert.deepEqual(ticksUntil(story, 9_001, 9_900), []);
});

test("a node that is drained no more asks nobody again", () => {
  const story = owner("node-b", "node-c");
  story.step(DRAIN, 6_000);
  assert.deepEqual(story.step(UNDRAIN, 6_100), []);
  assert.deepEqual(ticksUntil(story, 6_100, 9_000), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(DRAIN, 9_000), [offer("node-c")], "from the start");
});

test("who was asked before the end of the drain still takes it without a gap", () => {
  const story = owner("node-c");
  story.step(DRAIN, 6_000);
  story.step(UNDRAIN, 6_001);
  story.step(peerClaim("node-c", entry("1+1")), 6_002);
  assert.deepEqual(story.machine.owned(), [VIP], "it does not answer yet");
  story.step(peerClaim("node-c", entry(2)), 6_010);
  assert.deepEqual(story.machine.owned(), []);
});

test("a drained node claims nothing that is free, and gives up what it was claiming", () => {
  const story = Story.joined();
  assert.deepEqual(story.tick(3_000), claims("node-a", 1, null));
  assert.deepEqual(story.step(DRAIN, 3_001), [{ type: "withdraw", address: VIP }]);
  assert.deepEqual(story.machine.owned(), []);
  const other = Story.joined();
  other.step(DRAIN, 1_000);
  assert.deepEqual(ticksUntil(other, 1_000, 4_000), []);
  assert.deepEqual(other.step(UNDRAIN, 4_001), []);
  assert.deepEqual(other.tick(4_301), claims("node-a", 1, null));
});

test("a drained node refuses what it is offered", () => {
  const vips = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ vips, members: [B, C] });
  story.step(peerHeard("node-c", 400), 400);
  story.step(DRAIN, 1_000);
  assert.deepEqual(story.step(peerOffer("node-c", 1_100, entry(1)), 1_100), []);
});

test("a drained node resumes what the record names it for, and hands it over", () => {
  const vips = [vipRecord("node-a", 4, 60)];
  const story = Story.joining({ vips, members: [C] });
  story.step(DRAIN, 0);
  story.step(peerHeard("node-c", 100), 100);
  story.step(recordsRead(vips, [C]), 110);
  assert.deepEqual(story.tick(300), [...gained("resumed", 4, "node-a"), offer("node-c", 4)]);
});

test("a claim of a drained node that was written all the same is resumed and handed over", () => {
  const story = Story.joined({ members: [C] });
  story.tick(3_000);
  story.step(peerHeard("node-c", 3_000), 3_000);
  story.step(DRAIN, 3_001);
  const written = story.step(vipWritten(vipRecord("node-a", 1, 60)), 3_010);
  assert.deepEqual(written, [...gained("resumed", 1, "node-a"), offer("node-c")]);
});

test("a tenure that begins anew is offered at once, whoever refused the one before", () => {
  const story = owner("node-c");
  story.step(DRAIN, 6_000);
  ticksUntil(story, 6_000, 7_500);
  story.step(peerClaim("node-b", entry("1+1")), 7_600);
  assert.deepEqual(story.machine.owned(), []);
  const mine = vipRecord("node-a", 3, 80);
  const resumed = story.step({ type: "vip-record", record: mine }, 7_700);
  assert.deepEqual(resumed, [...gained("resumed", 3, "node-a"), offer("node-c", 3)]);
});

test("the record of a drained owner is repaired while it asks around", () => {
  const story = owner("node-c");
  story.step(DRAIN, 6_000);
  const lowered = vipRecord("node-a", 0, 90);
  assert.deepEqual(story.step({ type: "vip-record", record: lowered }, 6_100), [
    writeVip("node-a", 2, 90),
  ]);
});

test("a taker that falls silent is not waited for by one that can ask another", () => {
  const story = owner("node-b", "node-c");
  story.step(DRAIN, 6_000);
  story.step(peerSilent("node-c", 6_400), 6_400);
  assert.deepEqual(ticksUntil(story, 6_400, 7_000).at(-1), [7_000, offer("node-b")]);
});

test("a drained owner whose segment is gone releases at once", () => {
  const story = owner();
  story.step(DRAIN, 6_000);
  const elsewhere = segment("eth1", "203.0.113.0/24");
  const effects = story.step({ type: "segments", segments: [elsewhere] }, 6_100);
  assert.equal(effects.find(({ type }) => type === "record") !== undefined, true);
  assert.deepEqual(story.machine.owned(), []);
});
