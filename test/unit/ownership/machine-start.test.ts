// Stories of a machine that starts: what it does before it may own anything, the start hold, and
// the VIP whose record names it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import {
  claims,
  ETH0,
  entry,
  gained,
  ip,
  member,
  peerTable,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vip,
  vipRecord,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const MINE = vipRecord("node-a", 4, 60);
const READ = [{ type: "read-records" }];

test("Ownership.step() before start() is a programmer's error", () => {
  assert.throws(() => new Story().tick(0), /step\(\) after start\(\)/);
});

test("a node reads, joins as a member, reads again, listens, and only then resumes its VIP", () => {
  const story = new Story();
  assert.deepEqual(story.machine.start(bootMs(0)), READ);
  assert.deepEqual(story.step({ type: "segments", segments: [ETH0] }, 0), []);
  assert.deepEqual(story.step({ type: "vips", changed: [vip()], freed: [] }, 0), []);
  assert.equal(story.nextDeadline(0), 300);
  const join = writePresence(0, { resourceVersion: null });
  assert.deepEqual(story.step(recordsRead([MINE]), 50), [join]);
  assert.deepEqual(story.step(presenceWritten(50), 80), READ);
  assert.deepEqual(story.tick(300), [], "listened, and not read again yet");
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 310), gained("resumed", 4, "node-a"));
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a node that has read listens for one hold before it resumes its VIP", () => {
  const story = Story.joining({ vips: [MINE] });
  assert.deepEqual(story.step(recordsRead([MINE]), 10), []);
  assert.equal(story.nextDeadline(10), 300);
  assert.deepEqual(story.tick(299), []);
  assert.deepEqual(story.tick(300), gained("resumed", 4, "node-a"));
});

test("a node resumes no VIP that it heard a peer claim at a higher epoch while it listened", () => {
  const story = Story.joining({ vips: [MINE], members: [member("node-b")] });
  story.step(recordsRead([MINE], [member("node-b")]), 10);
  assert.deepEqual(story.step(peerTable("node-b", entry("4+1")), 200), []);
  assert.deepEqual(story.tick(300), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a node that finds its own node Lease writes over the version that it read", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  const own = member("node-a", { resourceVersion: "77" });
  const join = writePresence(0, { resourceVersion: "77", segments: [] });
  assert.deepEqual(story.step(recordsRead([], [own]), 0), [join]);
});

test("a node that could not read the records asks again after retryMs, and does not join", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  assert.deepEqual(story.step({ type: "records-read", records: "failed" }, 500), []);
  assert.equal(story.nextDeadline(500), 1_500);
  assert.deepEqual(story.tick(1_499), []);
  assert.deepEqual(story.tick(1_500), READ);
});

test("a node whose first renewal finds another version reads its Lease and writes again", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "segments", segments: [ETH0] }, 0);
  story.step(recordsRead([]), 0);
  const conflict = story.step(presenceNotWritten(0, "conflict"), 10);
  assert.deepEqual(conflict, [{ type: "read-member", node: "node-a" }]);
  const found = member("node-a", { resourceVersion: "1005" });
  const again = story.step({ type: "member-read", node: "node-a", record: found }, 20);
  assert.deepEqual(again, [writePresence(5)]);
});

test("a node whose own node Lease is deleted makes it anew at once", () => {
  const story = Story.joined({ specs: [] });
  const anew = writePresence(0, { resourceVersion: null });
  assert.deepEqual(story.step({ type: "member-gone", node: "node-a" }, 1_000), [anew]);
});

test("a node asks the API again before it resumes what the first read gave to it", () => {
  const story = Story.joining({ vips: [MINE] });
  assert.deepEqual(story.step(recordsRead([vipRecord("node-c", 5, 61)]), 10), []);
  assert.deepEqual(story.tick(300), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("the first in rank takes a free VIP at the end of the start hold, not before", () => {
  const story = Story.joined();
  assert.equal(story.nextDeadline(300), 3_000);
  assert.deepEqual(story.tick(2_999), []);
  assert.deepEqual(story.tick(3_000), claims("node-a", 1, null));
});

test("a VIP that was released within the start hold is left to the others until its end", () => {
  const story = Story.joined({ vips: [vipRecord(null, 4, 60)] });
  assert.deepEqual(story.tick(2_999), []);
  assert.deepEqual(story.tick(3_000), claims("node-a", 5, 60));
});

test("the start hold keeps no VIP from the node that its record names", () => {
  const story = Story.joined();
  assert.deepEqual(story.step({ type: "vip-record", record: MINE }, 310), [
    ...gained("resumed", 4, "node-a"),
  ]);
});

test("a node that may not own the VIP of before gives it up without having answered", () => {
  const refused = { allowed: false, reason: "no L2Advertisement selects it" } as const;
  const story = Story.joining({ specs: [vip({ "node-a": refused })], vips: [MINE] });
  assert.deepEqual(story.step(recordsRead([MINE]), 10), []);
  assert.deepEqual(story.tick(300), [writeVip(null, 4, 60)]);
});

test("a VIP that comes later is taken by its record, or claimed when it has none", () => {
  const story = Story.joined({ specs: [], vips: [MINE] });
  assert.deepEqual(story.machine.views.records(), [MINE]);
  assert.equal(story.machine.views.view(VIP, bootMs(0)), null);
  const other = vip({}, ip("192.168.1.242"));
  const changed = [vip(), other];
  const effects = story.step({ type: "vips", changed, freed: [] }, 4_000);
  const claimed = claims("node-a", 1, null, other.address);
  assert.deepEqual(effects, [...gained("resumed", 4, "node-a"), ...claimed]);
});

test("Ownership.view() and members() tell what is thought, best-ranked first", () => {
  const story = Story.joined({ vips: [MINE], members: [member("node-b", { holder: null })] });
  const view = story.machine.views.view(VIP, bootMs(0));
  assert.equal(view?.phase.kind, "owning");
  assert.deepEqual(view?.record, MINE);
  const told = view?.verdicts.map(({ node, status }) => `${node} ${status}`);
  assert.deepEqual(told, ["node-a alive", "node-c stopped", "node-b stopped"]);
  assert.deepEqual(story.machine.views.members(bootMs(0)), [
    { node: "node-b", status: "stopped", holder: null },
  ]);
});
