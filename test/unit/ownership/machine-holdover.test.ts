// Stories of claims without the API's answer: announced after 40 ms, or at once when the last write
// got none either, and written into the record when the API is back.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  claims,
  entry,
  epoch,
  gained,
  grant,
  ip,
  lost,
  member,
  peerClaim,
  peerHeard,
  peerSilent,
  peerTable,
  peerTableChange,
  peerTableMissing,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vip,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
  yieldedTo,
} from "../../support/ownership-words.ts";

const B = member("node-b");
const C = member("node-c");
const THEIRS = vipRecord("node-c", 5, 50);
const READ = { type: "read-records" } as const;
const TAKEN = claims("node-a", 6, 50);
const OTHER = vip({}, ip("192.168.1.242"));
const OWNS = gained("owner-silent", "5+1", "node-c");

/** node-c has the VIP; it and node-b are heard since 400. */
function hearing(): Story {
  const story = Story.joined({ vips: [THEIRS], members: [B, C] });
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 400), 400);
  return story;
}

/** The API has not answered the renewal of 5,000. */
function apiAway(story = hearing()): Story {
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  assert.deepEqual(story.step(presenceNotWritten(5_000, "failed"), 7_000), []);
  return story;
}

test("a claim whose write has no answer is announced after 40 ms, at its holdover epoch", () => {
  const story = hearing();
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), TAKEN);
  assert.equal(story.nextDeadline(4_000), 4_040);
  assert.deepEqual(story.tick(4_039), []);
  assert.deepEqual(story.tick(4_040), OWNS);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an answer that comes after the announcement brings the epoch of the record", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.tick(4_040);
  assert.deepEqual(story.step(vipWritten(vipRecord("node-a", 6, 51)), 4_100), [grant(6)]);
  assert.deepEqual(story.tick(4_200), []);
});

test("a write that fails before the 40 ms are over leaves the claim its time", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_010), [READ]);
  assert.equal(story.nextDeadline(4_010), 4_040);
  assert.deepEqual(story.tick(4_040), OWNS);
});

test("a claim whose write failed within its 40 ms is written again after retryMs", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.step(vipNotWritten("failed"), 4_010);
  story.step(recordsRead([THEIRS], [B, C]), 4_020);
  assert.deepEqual(story.tick(4_040), OWNS);
  story.renew(5_000);
  assert.equal(story.nextDeadline(5_000), 5_010);
  assert.deepEqual(story.tick(5_010), [writeVip("node-a", 6, 50)]);
});

test("a claim whose answer was lost is written again, and finds itself", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.tick(4_040);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_500), [READ]);
  assert.deepEqual(story.step(recordsRead([THEIRS]), 4_510), []);
  story.renew(5_000);
  assert.deepEqual(story.tick(5_499), []);
  assert.deepEqual(story.tick(5_500), [writeVip("node-a", 6, 50)]);
  assert.deepEqual(story.step(vipNotWritten("conflict"), 5_510), [READ]);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-a", 6, 51)]), 5_520), [grant(6)]);
  assert.deepEqual(story.tick(6_510), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a holdover claim yields when the record says that another was written first", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.tick(4_040);
  assert.deepEqual(story.step(vipNotWritten("conflict"), 4_100), [READ]);
  assert.deepEqual(story.machine.owned(), [VIP], "not known yet");
  const yielded = yieldedTo("node-b", "5+1", 6);
  const read = recordsRead([vipRecord("node-b", 6, 51)], [B, C]);
  assert.deepEqual(story.step(read, 4_110), yielded);
});

test("an owner whose write met the record of whom it made an offer keeps its own epoch", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.tick(4_040);
  const asked = story.step({ type: "move", address: VIP, to: "node-b" }, 4_050);
  const offer = { type: "offer", address: VIP, interface: "eth0", to: "node-b" } as const;
  assert.deepEqual(asked, [{ ...offer, epoch: epoch("5+1") }]);
  const record = vipRecord("node-b", 6, 51);
  assert.deepEqual(story.step({ type: "vip-record", record }, 4_060), [], "it is about to answer");
  assert.deepEqual(story.step(vipNotWritten("conflict"), 4_070), [READ]);
  const yielded = lost("handed-over", "5+1", 'to "node-b" at epoch 6: moved on request');
  assert.deepEqual(story.step(peerClaim("node-b", entry(6)), 4_080), yielded);
});

test("a claim hears a better one within its 40 ms, and is withdrawn", () => {
  const story = hearing();
  story.step(peerSilent("node-c", 4_000), 4_000);
  const better = peerClaim("node-b", entry("5+2"));
  assert.deepEqual(story.step(better, 4_020), [{ type: "withdraw", address: VIP }]);
  assert.deepEqual(story.tick(4_040), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a claim while the last write got no answer is announced at once", () => {
  const story = apiAway();
  assert.deepEqual(story.step(peerSilent("node-c", 7_500), 7_500), [...TAKEN, ...OWNS]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a claim that got no answer makes the next be announced at once", () => {
  const { address } = OTHER;
  const vips = [THEIRS, vipRecord("node-b", 8, 51, address)];
  const members = [B, C, member("node-d")];
  const story = Story.joined({ specs: [vip(), OTHER], vips, members });
  for (const { node } of members) story.step(peerHeard(node, 400), 400);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), TAKEN);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_010), [READ]);
  assert.deepEqual(story.step(recordsRead(vips, members), 4_015), []);
  const next = story.step(peerSilent("node-b", 4_020, { gateway: true }), 4_020);
  assert.deepEqual(next, [
    ...claims("node-a", 9, 51, address),
    ...gained("owner-silent", "8+1", "node-b", { address }),
  ]);
  assert.deepEqual(story.tick(4_040), OWNS, "the first was told that it has 40 ms");
});

test("a write that is answered ends the holdover, whatever was written", () => {
  const answered: readonly (readonly [string, Story])[] = [
    ["the node Lease", apiAway()],
    ["a conflict", apiAway()],
  ];
  for (const [what, story] of answered) {
    assert.deepEqual(story.tick(8_000), [writePresence(0)]);
    if (what === "a conflict") story.step(presenceNotWritten(8_000, "conflict"), 8_010);
    else story.step(presenceWritten(8_000), 8_010);
    assert.deepEqual(story.step(peerSilent("node-c", 8_500), 8_500), TAKEN, what);
    assert.deepEqual(story.tick(8_540), OWNS, what);
  }
});

/** node-a has taken the VIP at 5+1 without the API, and its write has failed. */
function holdover(): Story {
  const story = apiAway();
  story.step(peerSilent("node-c", 7_500), 7_500);
  assert.deepEqual(story.step(vipNotWritten("failed"), 9_500), [READ, writePresence(0)]);
  assert.deepEqual(story.step({ type: "records-read", records: "failed" }, 9_900), []);
  return story;
}

test("a holdover is written into the record when the API is back", () => {
  const story = holdover();
  assert.deepEqual(story.step(presenceNotWritten(9_500, "failed"), 11_500), [READ]);
  assert.deepEqual(story.tick(12_500), [writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(12_500), 12_510), [writeVip("node-a", 6, 50)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(vipWritten(vipRecord("node-a", 6, 51)), 12_520), [grant(6)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a holdover gives way to the record of another when the API is back", () => {
  const story = holdover();
  story.step(presenceNotWritten(9_500, "failed"), 11_500);
  const yielded = yieldedTo("node-b", "5+1", 6);
  const record = vipRecord("node-b", 6, 51);
  assert.deepEqual(story.step({ type: "vip-record", record }, 11_600), yielded);
});

test("the next claim without a record goes on from what was heard, one claim more", () => {
  const story = apiAway();
  story.step(peerClaim("node-c", entry("5+3")), 7_400);
  const [claim, write, ...owns] = story.step(peerSilent("node-c", 7_500), 7_500);
  const { epoch } = entry("5+4");
  assert.deepEqual(claim, { type: "claim", address: VIP, epoch, interfaces: ["eth0"] });
  assert.deepEqual(write, writeVip("node-a", 6, 50));
  assert.deepEqual(owns, gained("owner-silent", "5+4", "node-c"));
});

for (const known of [peerTable("node-b"), peerTableChange("node-b", [], [])]) {
  test(`without the API nothing is claimed before a peer tells what it has: ${known.type}`, () => {
    const story = apiAway();
    assert.deepEqual(story.step(peerTableMissing("node-b"), 7_100), []);
    assert.deepEqual(story.step(peerSilent("node-c", 7_200), 7_200), []);
    assert.deepEqual(story.step(known, 7_900), [...claims("node-a", 6, 50), ...OWNS]);
  });
}

test("without the API a peer that could not tell what it has holds nobody up in silence", () => {
  const story = apiAway();
  story.step(peerHeard("node-d", 7_050), 7_050);
  story.step(peerTableMissing("node-d"), 7_100);
  story.step(peerSilent("node-c", 7_200, { gateway: true }), 7_200);
  const then = story.step(peerSilent("node-d", 7_500), 7_500);
  assert.deepEqual(then, [...claims("node-a", 6, 50), ...OWNS]);
});

test("with the API a claim waits for no table: the record has no second owner", () => {
  const story = hearing();
  story.step(peerTableMissing("node-b"), 3_900);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), TAKEN);
});

test("what a peer claimed that cannot tell its table stays its own while it is heard", () => {
  const story = apiAway();
  story.step(peerClaim("node-b", entry("5+1")), 7_050);
  story.step(peerTableMissing("node-b"), 7_400);
  story.step(peerSilent("node-c", 15_000), 15_000);
  assert.deepEqual(story.step(peerTable("node-b", entry("5+1")), 15_500), []);
  assert.deepEqual(story.machine.owned(), []);
});
