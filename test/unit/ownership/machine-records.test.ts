// Stories of answers that come late: a list or a watch event that is older than what is known
// undoes nothing, of VIPs and of members; and of a record that is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import {
  claims,
  gained,
  grant,
  heard,
  lost,
  member,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const B = member("node-b");
const C = member("node-c");

test("a list that is older than what the watch has shown does not undo it", () => {
  const story = Story.joining({ vips: [vipRecord("node-a", 1, 60)], members: [B] });
  const newer = vipRecord("node-b", 2, 61);
  story.step({ type: "vip-record", record: newer }, 10);
  // Sent before node-b claimed: it still names node-a, which must not resume.
  assert.deepEqual(story.step(recordsRead([vipRecord("node-a", 1, 60)], [B]), 20), []);
  assert.deepEqual(story.tick(300), []);
  assert.deepEqual(story.machine.views.records(), [newer]);
  assert.deepEqual(story.machine.owned(), []);
});

test("an owner does not yield to a list that is older than its own claim", () => {
  const story = Story.joined({ vips: [vipRecord("node-b", 1, 60)], members: [B] });
  const mine = vipRecord("node-a", 2, 61);
  const resumed = story.step({ type: "vip-record", record: mine }, 4_000);
  assert.deepEqual(resumed, gained("resumed", 2, "node-a"));
  story.step(heard(), 4_010);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 9, 60)], [B]), 4_020), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.machine.views.records(), [mine]);
});

test("a list that is newer than what the watch has shown counts", () => {
  const story = Story.owner([B]);
  story.step(heard(), 4_000);
  const newer = vipRecord("node-b", 2, 100);
  const yielded = lost("yielded", 1, 'to "node-b" at epoch 2');
  assert.deepEqual(story.step(recordsRead([newer], [B]), 4_010), yielded);
  // The watch follows late.
  assert.deepEqual(
    story.step({ type: "vip-record", record: vipRecord("node-a", 1, 60) }, 4_020),
    [],
  );
  assert.deepEqual(story.machine.views.records(), [newer]);
});

test("a watch event that is older than the answer to a claim changes nothing", () => {
  const story = Story.joined({ vips: [vipRecord(null, 1, 60)] });
  assert.deepEqual(story.tick(3_000), claims("node-a", 2, 60));
  const outcome = { kind: "written", record: vipRecord("node-a", 2, 62) } as const;
  const effects = story.step({ type: "vip-written", address: VIP, outcome }, 3_010);
  assert.deepEqual(effects, gained("released", 2));
  const late = vipRecord("node-b", 5, 61);
  assert.deepEqual(story.step({ type: "vip-record", record: late }, 3_020), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("the answer to a claim that is older than what the watch has shown is no ownership", () => {
  const story = Story.joined({ vips: [vipRecord(null, 1, 60)], members: [B] });
  story.tick(3_000);
  const theirs = vipRecord("node-b", 3, 62);
  const given = story.step({ type: "vip-record", record: theirs }, 3_005);
  assert.deepEqual(given, [{ type: "withdraw", address: VIP }]);
  const outcome = { kind: "written", record: vipRecord("node-a", 2, 61) } as const;
  assert.deepEqual(story.step({ type: "vip-written", address: VIP, outcome }, 3_010), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("the epoch of a claim goes on from what was seen, also after the record is gone", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [C] });
  assert.deepEqual(story.step({ type: "vip-record-gone", address: VIP }, 4_000), []);
  assert.deepEqual(story.tick(5_000), [...claims("node-a", 6, null), writePresence(0)]);
});

test("a member that a late list shows as alive stays stopped", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [B, C] });
  const stopped = member("node-c", { holder: null, resourceVersion: "11" });
  assert.deepEqual(story.step({ type: "member", record: stopped }, 2_000), []);
  story.step(recordsRead([vipRecord("node-c", 5, 50)], [B, C]), 2_010);
  const statuses = story.machine.views
    .members(bootMs(2_010))
    .map(({ node, status }) => [node, status]);
  assert.deepEqual(statuses, [
    ["node-b", "alive"],
    ["node-c", "stopped"],
  ]);
  assert.deepEqual(story.tick(3_000), claims("node-a", 6, 50));
});

test("a member that only a list shows is one", () => {
  const story = Story.joining();
  story.step(recordsRead([], [C]), 10);
  assert.deepEqual(story.machine.views.members(bootMs(10)), [
    { node: "node-c", status: "alive", holder: "node-c/1" },
  ]);
});

for (const epochByHand of [0, 3, 4]) {
  test(`an owner at epoch 5 whose Lease is set to ${epochByHand} by hand writes it again`, () => {
    const story = Story.joined({ vips: [vipRecord("node-a", 5, 60)] });
    const record = vipRecord("node-a", epochByHand, 70);
    const repaired = story.step({ type: "vip-record", record }, 1_000);
    assert.deepEqual(repaired, [writeVip("node-a", 6, 70)]);
    assert.deepEqual(story.step({ type: "vip-record", record }, 1_001), [], "one write at a time");
    const written = story.step(vipWritten(vipRecord("node-a", 6, 71)), 1_010);
    assert.deepEqual(written, [grant(6)], "the record's epoch is the tenure's from here on");
  });
}

test("an owner whose Lease was lowered while the API was away repairs it after that", () => {
  const story = Story.joined({ vips: [vipRecord("node-a", 5, 60)] });
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 5_001);
  const record = vipRecord("node-a", 3, 70);
  assert.deepEqual(story.step({ type: "vip-record", record }, 5_100), []);
  story.tick(6_001);
  const again = story.step(presenceWritten(6_001), 6_010);
  assert.deepEqual(
    again.filter(({ type }) => type === "write-vip"),
    [writeVip("node-a", 6, 70)],
  );
});
