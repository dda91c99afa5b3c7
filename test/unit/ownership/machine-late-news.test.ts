// What comes late or twice: answers that were sent before what is known, outages that end in an odd
// way, and a node that must look again by itself. Each was a bug.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { Leadership } from "../../../src/ownership/leadership.ts";
import {
  ALLOWED,
  heard,
  ip,
  member,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vip,
  vipNotWritten,
  vipRecord,
  vipWritten,
} from "../../support/ownership-words.ts";

test("an unhealthy node looks again when the healthy owner dies", () => {
  const story = Story.joined({
    specs: [vip({ "node-a": { ...ALLOWED, unhealthy: "not Ready" } })],
    vips: [vipRecord("node-c", 5, 50)],
    members: [member("node-c")],
  });
  story.renew(5_500);
  story.renew(10_500);
  assert.equal(story.nextDeadline(10_500), 15_000);
  assert.deepEqual(story.tick(15_000), [{ type: "read-member", node: "node-c" }]);
});

test("an outage that ends with a conflict excuses the silence of the others", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  story.renew(5_000);
  story.tick(10_000);
  story.step(presenceNotWritten(10_000, "failed"), 12_000);
  story.tick(13_000);
  story.step(presenceNotWritten(13_000, "conflict"), 13_010);
  const found = member("node-a", { resourceVersion: "11000" });
  story.step({ type: "member-read", node: "node-a", record: found }, 13_020);
  story.step(presenceWritten(13_020), 13_030);
  assert.deepEqual(story.tick(15_000), []);
});

test("a list sent before a claim was written does not undo the claim", () => {
  const other = vip({}, ip("192.168.1.242"));
  const story = Story.joined({ specs: [vip(), other] });
  story.tick(3_000);
  story.step(vipNotWritten("conflict"), 3_010);
  story.step(vipWritten(vipRecord("node-a", 1, 61, other.address)), 3_020);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 1, 60)]), 3_030), []);
});

test("a list sent before a record was seen does not undo what was seen", () => {
  const story = Story.joining({ members: [member("node-b")] });
  story.step({ type: "vip-record", record: vipRecord("node-b", 1, 60) }, 10);
  story.step(recordsRead([], [member("node-b")]), 20);
  assert.deepEqual(story.machine.views.records(), [vipRecord("node-b", 1, 60)]);
  assert.deepEqual(story.tick(3_000), []);
});

test("a list sent before the owner's own record was seen does not undo it", () => {
  const story = Story.owner();
  story.step(heard(), 4_000);
  const record = vipRecord("node-a", 2, 90);
  story.step({ type: "vip-record", record }, 4_010);
  assert.deepEqual(story.machine.views.records(), [record]);
  story.step(recordsRead([]), 4_030);
  assert.deepEqual(story.machine.views.records(), [record]);
});

test("a deletion of a record that was made anew since changes nothing", () => {
  const story = Story.joined();
  story.tick(3_000);
  story.step(vipWritten(vipRecord("node-a", 1, 60)), 3_010);
  const late = { type: "vip-record-gone", address: VIP, resourceVersion: "55" } as const;
  assert.deepEqual(story.step(late, 3_020), []);
});

test("nothing is done any more after `stopped`", () => {
  const story = Story.owner();
  story.step({ type: "stop" }, 4_000);
  story.step(vipNotWritten("failed"), 4_010);
  story.step(presenceWritten(4_010), 4_020);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-a", 1, 60)]), 5_020), []);
});

test("Leadership.written() does not undo a newer record that the watch has shown", () => {
  const leadership = new Leadership("me");
  const record = (holder: string | null, version: string) =>
    ({ holder, renewal: version, transitions: 1, resourceVersion: version }) as const;
  leadership.observe(record(null, "10"), bootMs(0));
  leadership.takeWrite(bootMs(0));
  leadership.observe(record("other", "12"), bootMs(10));
  leadership.written(bootMs(0), { kind: "written", record: record("me", "11") }, bootMs(20));
  assert.equal(leadership.isLeader(bootMs(20)), false);
});
