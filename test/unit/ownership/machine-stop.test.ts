// Stories of the end: VIPs are released first, the node Lease is given up last, then "stopped".

import assert from "node:assert/strict";
import { test } from "node:test";
import { NEVER } from "../../../src/core/time.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  claims,
  ETH0,
  gained,
  ip,
  lost,
  member,
  presenceNotWritten,
  presenceWritten,
  Story,
  VIP,
  vip,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const STOP: OwnershipEvent = { type: "stop" };
const LEAVE = writePresence(0, { live: false });
const READ = { type: "read-records" } as const;
const LOST = lost("stopping", 1, "daemon stops");
const STOPPED = [{ type: "stopped" }];

test("a node that owns nothing gives its node Lease up at once, and then has stopped", () => {
  const story = Story.joined({ specs: [] });
  assert.deepEqual(story.step(STOP, 4_000), [LEAVE]);
  assert.equal(story.nextDeadline(4_000), NEVER);
  assert.deepEqual(story.step(presenceWritten(4_000), 4_010), STOPPED);
  assert.equal(story.nextDeadline(4_010), NEVER);
});

test("an owner stops answering, releases, and gives its node Lease up last", () => {
  const other = vip({}, ip("192.168.1.242"));
  const vips = [vipRecord("node-a", 1, 60), vipRecord("node-a", 7, 61, other.address)];
  const story = Story.joined({ specs: [vip(), other], vips });
  assert.deepEqual(story.step(STOP, 4_000), [
    ...LOST,
    writeVip(null, 1, 60),
    ...lost("stopping", 7, "daemon stops", other.address),
    writeVip(null, 7, 61, other.address),
  ]);
  assert.deepEqual(story.step(vipWritten(vipRecord(null, 1, 62)), 4_010), []);
  const last = vipWritten(vipRecord(null, 7, 63, other.address));
  assert.deepEqual(story.step(last, 4_020), [LEAVE]);
  assert.deepEqual(story.step(presenceWritten(4_020), 4_030), STOPPED);
});

test("a stop that is asked for again changes nothing", () => {
  const story = Story.owner();
  story.step(STOP, 4_000);
  assert.deepEqual(story.step(STOP, 4_001), []);
  story.step(vipWritten(vipRecord(null, 1, 61)), 4_010);
  assert.deepEqual(story.step(STOP, 4_011), []);
  story.step(presenceWritten(4_010), 4_020);
  assert.deepEqual(story.step(STOP, 4_021), []);
});

test("a node that stops waits for the renewal in flight before it leaves", () => {
  const story = Story.joined({ specs: [] });
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  assert.deepEqual(story.step(STOP, 5_001), []);
  const leave = writePresence(5_000, { live: false });
  assert.deepEqual(story.step(presenceWritten(5_000), 5_010), [leave]);
  assert.deepEqual(story.step(presenceWritten(5_010), 5_020), STOPPED);
});

test("a claim in flight at the stop is withdrawn; the node Lease given up says enough", () => {
  const story = Story.joined();
  story.tick(3_000);
  assert.deepEqual(story.step(STOP, 3_001), [{ type: "withdraw", address: VIP }, LEAVE]);
  assert.deepEqual(story.step(vipWritten(vipRecord("node-a", 1, 60)), 3_010), []);
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.step(presenceWritten(3_001), 3_020), STOPPED);
});

test("a release that fails keeps no node from stopping: its Lease given up says enough", () => {
  const story = Story.owner();
  story.step(STOP, 4_000);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_010), [READ, LEAVE]);
  assert.deepEqual(story.step(presenceNotWritten(4_010, "conflict"), 6_010), STOPPED);
});

test("nothing follows `stopped`, also when the node Lease could not be given up", () => {
  const story = Story.owner();
  story.step(STOP, 4_000);
  story.step(vipNotWritten("failed"), 4_010);
  assert.deepEqual(story.step(presenceNotWritten(4_010, "failed"), 6_010), STOPPED);
  assert.deepEqual(story.tick(20_000), []);
});

test("a node that stops claims nothing, and resumes nothing", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  story.step(STOP, 5_001);
  const released = vipRecord(null, 5, 51);
  assert.deepEqual(story.step({ type: "vip-record", record: released }, 5_002), []);
  const mine = vipRecord("node-a", 6, 52);
  assert.deepEqual(story.step({ type: "vip-record", record: mine }, 5_003), [
    writeVip(null, 6, 52),
  ]);
});

test("carrier that changes during the stop renews no node Lease", () => {
  const story = Story.owner();
  story.step(STOP, 4_000);
  assert.deepEqual(story.step({ type: "segments", segments: [] }, 4_001), []);
  assert.deepEqual(story.step({ type: "segments", segments: [ETH0] }, 4_002), []);
  assert.deepEqual(story.step({ type: "member-gone", node: "node-a" }, 4_003), []);
});

test("a VIP that a stopped node has released is taken by the next in rank", () => {
  const story = Story.joined({
    node: "node-c",
    vips: [vipRecord("node-a", 1, 60)],
    members: [member("node-a")],
  });
  const released = vipRecord(null, 1, 61);
  assert.deepEqual(story.step({ type: "vip-record", record: released }, 4_010), []);
  const left = member("node-a", { holder: null, resourceVersion: "11" });
  assert.deepEqual(story.step({ type: "member", record: left }, 4_020), claims("node-c", 2, 61));
  const written = vipWritten(vipRecord("node-c", 2, 62));
  assert.deepEqual(story.step(written, 4_030), gained("released", 2));
  assert.deepEqual(story.machine.owned(), [VIP]);
});
