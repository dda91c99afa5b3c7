// Stories of a VIP that is claimed: when it is vacant, whose turn it is, and what becomes of the
// write: success, an answer that was lost, and another who was first.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnershipEffect, OwnershipEvent } from "../../../src/ownership/types.ts";
import type { StoryOptions } from "../../support/ownership-words.ts";
import {
  claims,
  entry,
  epoch,
  gained,
  member,
  peerClaim,
  peerHeard,
  recordsRead,
  Story,
  VIP,
  vip,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const B = member("node-b");
const C = member("node-c");
const READ = { type: "read-records" } as const;
const WITHDRAW = { type: "withdraw", address: VIP } as const;
const READ_C = { type: "read-member", node: "node-c" } as const;
const OWNED_BY_C: StoryOptions = { vips: [vipRecord("node-c", 5, 50)], members: [B, C] };
const RENEWED_C = member("node-c", { renewal: "r2", resourceVersion: "11" });

function readMember(record: typeof C | null | "failed"): OwnershipEvent {
  return { type: "member-read", node: "node-c", record };
}

/** node-a has told and sent its claim of an unheld VIP, at 3,000. */
function claiming(): Story {
  const story = Story.joined();
  assert.deepEqual(story.tick(3_000), claims("node-a", 1, null));
  return story;
}

/** node-c, which has the VIP, was last seen at 0; node-a has renewed until 10,500. */
function untilExpiry(): Story {
  const story = Story.joined(OWNED_BY_C);
  story.renew(5_500);
  story.renew(10_500);
  return story;
}

test("an unheld VIP is told and written, then recorded, granted, told and announced", () => {
  const story = Story.joined();
  assert.deepEqual(story.tick(3_000), [
    { type: "claim", address: VIP, epoch: epoch("0+1"), interfaces: ["eth0"] },
    { type: "write-vip", address: VIP, owner: "node-a", epoch: 1, resourceVersion: null },
  ]);
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.tick(3_001), [], "one write at a time");
  const change = { type: "gained", address: VIP, epoch: epoch(1), cause: "unheld" } as const;
  assert.deepEqual(story.step(vipWritten(vipRecord("node-a", 1, 60)), 3_010), [
    { type: "record", change: { ...change, previousOwner: null } },
    { type: "grant", address: VIP, epoch: epoch(1), interfaces: ["eth0"], lapses: 0 },
    { type: "claim", address: VIP, epoch: epoch(1), interfaces: ["eth0"] },
    { type: "announce", address: VIP },
  ]);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.tick(3_040), [], "written before it had to do without");
});

test("a VIP that its owner releases is claimed at once, at the next epoch", () => {
  const story = Story.joined(OWNED_BY_C);
  const released: OwnershipEvent = { type: "vip-record", record: vipRecord(null, 5, 51) };
  assert.deepEqual(story.step(released, 4_000), claims("node-a", 6, 51));
  const written = vipWritten(vipRecord("node-a", 6, 52));
  assert.deepEqual(story.step(written, 4_010), gained("released", 6));
});

test("a VIP whose owner gave its node Lease up is claimed at once, and says from whom", () => {
  const story = Story.joined(OWNED_BY_C);
  const stopped = member("node-c", { holder: null, resourceVersion: "11" });
  assert.deepEqual(story.step({ type: "member", record: stopped }, 4_000), claims("node-a", 6, 50));
  const written = vipWritten(vipRecord("node-a", 6, 52));
  assert.deepEqual(story.step(written, 4_010), gained("owner-stopped", 6, "node-c"));
});

test("the VIP of a live owner is left alone, however good the own rank", () => {
  const story = Story.joined(OWNED_BY_C);
  story.renew(5_500);
  story.renew(10_500);
  assert.deepEqual(story.step({ type: "member", record: RENEWED_C }, 14_000), []);
  assert.deepEqual(story.tick(15_000), []);
  story.renew(15_500);
  story.renew(20_500);
  story.renew(25_500);
  assert.equal(story.nextDeadline(25_500), 29_000);
  assert.deepEqual(story.tick(28_999), []);
  assert.deepEqual(story.tick(29_000), [READ_C]);
});

test("an owner that was not seen to renew is down only after a read has confirmed it", () => {
  const story = untilExpiry();
  assert.equal(story.nextDeadline(10_500), 15_000);
  assert.deepEqual(story.tick(14_999), []);
  assert.deepEqual(story.tick(15_000), [READ_C]);
  assert.deepEqual(story.tick(15_001), [], "asked once");
  assert.deepEqual(story.step(readMember(C), 15_010), claims("node-a", 6, 50));
  const written = vipWritten(vipRecord("node-a", 6, 51));
  assert.deepEqual(story.step(written, 15_020), gained("owner-down", 6, "node-c"));
});

test("an owner whose node Lease is gone is down too, after the read", () => {
  const story = untilExpiry();
  assert.deepEqual(story.step({ type: "member-gone", node: "node-c" }, 11_000), []);
  assert.deepEqual(story.tick(15_000), [READ_C]);
  assert.deepEqual(story.step(readMember(null), 15_010), claims("node-a", 6, 50));
});

test("an owner that the read shows renewed keeps its VIP", () => {
  const story = untilExpiry();
  story.tick(15_000);
  assert.deepEqual(story.step(readMember(RENEWED_C), 15_010), []);
  story.renew(15_500);
  assert.equal(story.nextDeadline(15_500), 20_500);
});

test("an owner that could not be read is read again after retryMs", () => {
  const story = untilExpiry();
  story.tick(15_000);
  assert.deepEqual(story.step(readMember("failed"), 15_400), []);
  story.renew(15_500);
  assert.equal(story.nextDeadline(15_500), 16_000);
  assert.deepEqual(story.tick(15_999), []);
  assert.deepEqual(story.tick(16_000), [READ_C]);
});

test("an owner whose read gets no answer at all is read again after retryMs", () => {
  const story = untilExpiry();
  story.tick(15_000);
  story.renew(15_500);
  assert.equal(story.nextDeadline(15_500), 16_000);
  assert.deepEqual(story.tick(16_000), [READ_C]);
});

/** Rank a, c, b: all three live, and the VIP is free since 4,000. */
const TURNS = [
  { node: "node-a", due: 4_000 },
  { node: "node-c", due: 4_030 },
  { node: "node-b", due: 4_060 },
];

for (const { node, due } of TURNS) {
  test(`${node} claims a released VIP ${due - 4_000} ms after the first in rank would`, () => {
    const others = ["node-a", "node-b", "node-c"].filter((other) => other !== node);
    const members = others.map((other) => member(other));
    const story = Story.joined({ node, vips: [vipRecord("node-z", 5, 50)], members });
    const record = vipRecord(null, 5, 51);
    const seen: OwnershipEffect[] = story.step({ type: "vip-record", record }, 4_000);
    assert.deepEqual(seen, due === 4_000 ? claims(node, 6, 51) : []);
    if (due === 4_000) return;
    assert.equal(story.nextDeadline(4_000), due);
    assert.deepEqual(story.tick(due - 1), []);
    assert.deepEqual(story.tick(due), claims(node, 6, 51));
  });
}

test("a turn that comes after another has claimed is not taken", () => {
  const members = [member("node-a"), C];
  const story = Story.joined({ node: "node-b", vips: [vipRecord("node-c", 5, 50)], members });
  story.step({ type: "vip-record", record: vipRecord(null, 5, 51) }, 4_000);
  story.step({ type: "vip-record", record: vipRecord("node-a", 6, 52) }, 4_030);
  assert.deepEqual(story.tick(4_060), []);
  // Free once more: the turn counts from now.
  story.step({ type: "vip-record", record: vipRecord(null, 6, 53) }, 4_600);
  assert.deepEqual(story.tick(4_659), []);
  assert.deepEqual(story.tick(4_660), claims("node-b", 7, 53));
});

test("a turn counts anew after a claim that was lost", () => {
  const members = [member("node-a"), C];
  const story = Story.joined({ node: "node-b", vips: [vipRecord("node-c", 5, 50)], members });
  story.step({ type: "vip-record", record: vipRecord(null, 5, 51) }, 4_000);
  assert.deepEqual(story.tick(4_060), claims("node-b", 6, 51));
  story.step(vipNotWritten("conflict"), 4_070);
  const free = recordsRead([vipRecord(null, 6, 53)], members);
  assert.deepEqual(story.step(free, 6_000), [writePresence(0)]);
  assert.deepEqual(story.tick(6_059), []);
  assert.deepEqual(story.tick(6_060), claims("node-b", 7, 53));
});

test("a claim that conflicts with this node's own of before is resumed after a read", () => {
  const story = claiming();
  assert.deepEqual(story.step(vipNotWritten("conflict"), 3_010), [WITHDRAW, READ]);
  const mine = vipRecord("node-a", 1, 60);
  assert.deepEqual(story.step({ type: "vip-record", record: mine }, 3_015), []);
  assert.deepEqual(story.step(recordsRead([mine]), 3_020), gained("resumed", 1, "node-a"));
});

test("a claim that was lost is not resumed on what a watch shows before the read", () => {
  const story = claiming();
  story.step(vipNotWritten("conflict"), 3_010);
  const mine = vipRecord("node-a", 1, 60);
  assert.deepEqual(story.step({ type: "vip-record", record: mine }, 3_015), []);
  assert.deepEqual(story.tick(4_010), []);
  assert.deepEqual(story.step(recordsRead([mine]), 4_020), gained("resumed", 1, "node-a"));
});

test("a claim that conflicts with another's is lost: withdrawn, not answered or announced", () => {
  const story = claiming();
  assert.deepEqual(story.step(vipNotWritten("conflict"), 3_010), [WITHDRAW, READ]);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 1, 60)], [B]), 3_020), []);
  assert.deepEqual(story.tick(3_040), []);
  assert.deepEqual(story.tick(4_100), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a claim is not tried again while the records could not be read", () => {
  const story = claiming();
  story.step(vipNotWritten("conflict"), 3_010);
  assert.deepEqual(story.step({ type: "records-read", records: "failed" }, 3_200), []);
  assert.deepEqual(story.tick(4_150), [], "past the retry of the write");
  assert.deepEqual(story.tick(4_200), [READ]);
  assert.deepEqual(story.step(recordsRead([]), 4_210), claims("node-a", 1, null));
});

test("a read that was sent before a claim was lost does not settle it", () => {
  const other = { ...vip(), address: "192.168.1.242" as typeof VIP };
  const story = Story.joined({ specs: [vip(), other] });
  const both = [...claims("node-a", 1, null), ...claims("node-a", 1, null, other.address)];
  assert.deepEqual(story.tick(3_000), both);
  assert.deepEqual(story.step(vipNotWritten("conflict"), 3_010), [WITHDRAW, READ]);
  const lateToo = story.step(vipNotWritten("conflict", other.address), 3_011);
  assert.deepEqual(lateToo, [{ ...WITHDRAW, address: other.address }]);
  const mine = vipRecord("node-a", 1, 60);
  const mineToo = vipRecord("node-a", 1, 61, other.address);
  const first = story.step(recordsRead([mine, mineToo]), 3_020);
  assert.deepEqual(first, gained("resumed", 1, "node-a"));
  assert.deepEqual(story.tick(4_010), []);
  assert.deepEqual(story.tick(4_011), [READ]);
  const second = story.step(recordsRead([mine, mineToo]), 4_020);
  assert.deepEqual(second, gained("resumed", 1, "node-a", { address: other.address }));
});

for (const { what, vips, waitMs, claimed } of [
  { what: "a VIP that nobody had", vips: [], waitMs: 200, claimed: claims("node-c", 1, null) },
  {
    what: "one that was let go of",
    vips: [vipRecord(null, 4, 60)],
    waitMs: 30,
    claimed: claims("node-c", 5, 60),
  },
] as const) {
  test(`who ranks second for ${what} leaves it to the first for ${waitMs} ms`, () => {
    const story = Story.joined({ node: "node-c", vips: [...vips], members: [member("node-a")] });
    story.step(peerHeard("node-a", 400), 400);
    assert.deepEqual(story.tick(3_000 + waitMs - 1), []);
    assert.deepEqual(story.tick(3_000 + waitMs), claimed);
  });
}

test("a claim that was withdrawn and is written all the same is owned at once", () => {
  const story = Story.joined({ node: "node-c", members: [member("node-a")] });
  story.step(peerHeard("node-a", 400), 400);
  assert.deepEqual(story.tick(3_200), claims("node-c", 1, null));
  assert.deepEqual(story.step(peerClaim("node-a", entry("0+1")), 3_210), [WITHDRAW]);
  const written = vipWritten(vipRecord("node-c", 1, 60));
  assert.deepEqual(story.step(written, 3_215), gained("resumed", 1, "node-c"));
});

test("a claim is given up when the carrier goes, and given back when it was written", () => {
  const story = claiming();
  assert.deepEqual(story.step({ type: "segments", segments: [] }, 3_005), [
    WITHDRAW,
    writePresence(0, { segments: [] }),
  ]);
  const written = vipWritten(vipRecord("node-a", 1, 60));
  assert.deepEqual(story.step(written, 3_010), []);
  assert.deepEqual(story.machine.owned(), []);
  assert.equal(story.nextDeadline(3_010), 4_005);
  assert.deepEqual(story.tick(4_005), [writeVip(null, 1, 60)]);
});
