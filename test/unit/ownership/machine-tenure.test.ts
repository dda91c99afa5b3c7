// Stories of the tenure: it lapses in a process that slept, is held on to while the API is away,
// and is defended, or not, against another host on the wire (docs/adr/0004).

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import type { OwnershipEffect } from "../../../src/ownership/types.ts";
import {
  gained,
  heard,
  lost,
  member,
  OTHER_MAC,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vipNotWritten,
  vipRecord,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const READ = { type: "read-records" } as const;
const MINE = vipRecord("node-a", 1, 60);
const LAPSED = lost("tenure-lapsed", 1, "the node Lease was not renewed in time");

function extend(until: number): OwnershipEffect {
  return { type: "extend", until: bootMs(until) };
}

function conflict(resolution: "defended" | "yielded" | "counted"): OwnershipEffect {
  return { type: "conflict", address: VIP, interface: "eth0", mac: OTHER_MAC, resolution };
}

/** An owner whose renewals get no answer from 5,000 on; stepped every 500 ms until `end`. */
function apiAwayUntil(end: number): Story {
  const story = Story.owner([member("node-b")]);
  let sentAt: number | null = null;
  for (let now = 5_000; now <= end; now += 500) {
    const effects = story.tick(now);
    if (effects.some((effect) => effect.type === "write-presence")) sentAt = now;
    else if (sentAt !== null && now - sentAt >= 2_000) {
      assert.deepEqual(story.step(presenceNotWritten(sentAt, "failed"), now), []);
      sentAt = null;
    }
  }
  return story;
}

test("an owner that slept past its tenure wakes up silent, whatever wakes it", () => {
  const story = Story.owner();
  assert.deepEqual(story.tick(10_000), [...LAPSED, READ, writePresence(0)]);
  const byRecord = Story.owner();
  const woken = byRecord.step({ type: "vip-record", record: MINE }, 50_000);
  assert.deepEqual(woken, [...LAPSED, READ, writePresence(0)]);
});

test("an owner that slept within its tenure goes on", () => {
  const story = Story.owner();
  assert.deepEqual(story.tick(9_999), [extend(12_999), writePresence(0)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a tenure that lapsed comes back by a renewal and a read that still names the node", () => {
  const story = Story.owner();
  story.tick(10_000);
  assert.deepEqual(story.step(recordsRead([MINE]), 10_010), [], "not confirmed yet");
  assert.deepEqual(story.step(presenceWritten(10_000), 10_020), [extend(20_000), READ]);
  assert.deepEqual(story.step(recordsRead([MINE]), 10_030), gained("resumed", 1, "node-a"));
});

test("a tenure that lapsed is not resumed by a read sent before the renewal was answered", () => {
  const story = Story.owner();
  story.tick(10_000);
  assert.deepEqual(story.step(presenceWritten(10_000), 10_010), [extend(20_000)]);
  assert.deepEqual(story.step(recordsRead([MINE]), 10_020), [READ]);
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 10_030), gained("resumed", 1, "node-a"));
});

test("a tenure that lapsed stays so when the records name a successor", () => {
  const story = Story.owner([member("node-b")]);
  story.tick(10_000);
  story.step(presenceWritten(10_000), 10_010);
  story.step(recordsRead([MINE]), 10_020);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 2, 61)]), 10_030), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("an owner pushes its tenure on by 3 s every second while the API is away", () => {
  const story = Story.owner();
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  assert.equal(story.nextDeadline(5_000), 7_000);
  assert.deepEqual(story.tick(7_000), [], "no further than the renewal reaches");
  for (let now = 8_000; now <= 60_000; now += 1_000) {
    assert.equal(story.nextDeadline(now - 1), now);
    assert.deepEqual(story.tick(now), [extend(now + 3_000)]);
  }
  assert.equal(story.machine.isConfirmed(bootMs(60_000)), false);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner that freezes while the API is away wakes up silent after 3 s", () => {
  const story = apiAwayUntil(30_000);
  assert.equal(story.machine.tenureUntil, 33_000);
  const effects = story.tick(33_000);
  assert.deepEqual(effects.slice(0, 3), [...LAPSED, READ]);
  assert.deepEqual(story.machine.owned(), []);
});

test("an owner whose record goes while the API is away rewrites nothing before it is back", () => {
  const story = apiAwayUntil(10_000);
  assert.deepEqual(story.step({ type: "vip-record-gone", address: VIP }, 10_001), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  const back = story.step(presenceWritten(8_000), 10_010);
  assert.deepEqual(back, [extend(18_000), READ, writeVip("node-a", 2, null)]);
});

test("a node claims nothing while the API is away, though the owner seems down", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  assert.deepEqual(story.tick(15_000), []);
  assert.deepEqual(story.step({ type: "vip-record", record: vipRecord(null, 5, 51) }, 15_100), []);
});

test("a node back from an outage reads first, and gives the others 5 s to come back too", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  assert.deepEqual(story.tick(20_000), [writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(20_000), 20_010), [extend(30_000), READ]);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-c", 5, 50)]), 20_020), []);
  assert.deepEqual(story.tick(25_009), [writePresence(20_000)]);
  assert.deepEqual(story.tick(25_010), [{ type: "read-member", node: "node-c" }]);
});

test("a node that slept, without a failed renewal, gives the others 5 s as well", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  assert.deepEqual(story.tick(20_000), [writePresence(0)]);
  story.step(presenceWritten(20_000), 20_010);
  assert.deepEqual(story.step(recordsRead([vipRecord("node-c", 5, 50)]), 20_020), []);
  assert.deepEqual(story.tick(25_009), [writePresence(20_000)]);
  assert.deepEqual(story.tick(25_010), [{ type: "read-member", node: "node-c" }]);
});

test("an outage shorter than the tenure excuses the silence of the others as well", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  story.renew(5_000);
  assert.deepEqual(story.tick(10_000), [writePresence(5_000)]);
  story.step(presenceNotWritten(10_000, "failed"), 12_000);
  assert.deepEqual(story.tick(13_000), [extend(16_000), writePresence(5_000)]);
  assert.deepEqual(story.step(presenceWritten(13_000), 13_010), [extend(23_000)]);
  assert.deepEqual(story.tick(15_000), []);
  assert.deepEqual(story.tick(18_009), [writePresence(13_000)]);
  assert.deepEqual(story.tick(18_010), [{ type: "read-member", node: "node-c" }]);
});

test("an owner back from an outage keeps its VIP while the records are read", () => {
  const story = Story.owner();
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  for (let now = 7_000; now < 12_000; now += 1_000) story.tick(now);
  story.step(presenceNotWritten(8_000, "failed"), 12_000);
  assert.deepEqual(story.tick(13_000), [extend(16_000), writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(13_000), 13_010), [extend(23_000), READ]);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(recordsRead([MINE]), 13_020), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner that hears another host defends at once, asks for the record, and tells", () => {
  const story = Story.owner();
  const announce = { type: "announce", address: VIP } as const;
  assert.deepEqual(story.step(heard(), 4_000), [announce, READ, conflict("defended")]);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_010), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner defends once in 10 s, and counts the others", () => {
  const story = Story.owner();
  story.step(heard(), 4_000);
  story.step(recordsRead([MINE]), 4_010);
  assert.deepEqual(story.step(heard(), 4_001), [conflict("counted")]);
  story.renew(5_500);
  story.renew(10_500);
  assert.deepEqual(story.step(heard(), 13_999), [conflict("counted")]);
  const announce = { type: "announce", address: VIP } as const;
  assert.deepEqual(story.step(heard(), 14_000), [announce, READ, conflict("defended")]);
});

test("an owner that is told by the read after its defence that it is none yields", () => {
  const story = Story.owner([member("node-b")]);
  story.step(heard(), 4_000);
  const yielded = lost("yielded", 1, 'to "node-b" at epoch 2');
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 2, 61)]), 4_010), yielded);
});

test("an owner that the API does not confirm yields at once to what it hears", () => {
  const story = apiAwayUntil(10_000);
  const detail = `${OTHER_MAC} on eth0 while the API is away`;
  assert.deepEqual(story.step(heard(), 10_001), [
    ...lost("another-host-answers", 1, detail),
    conflict("yielded"),
  ]);
  assert.deepEqual(story.step(heard(), 10_002), [], "an owner no more");
});

test("an owner that yielded on the wire takes its VIP back only by a read that names it", () => {
  for (const [record, expected] of [
    [MINE, gained("resumed", 1, "node-a")],
    [vipRecord("node-b", 2, 61), []],
  ] as const) {
    const story = apiAwayUntil(10_000);
    story.step(heard(), 10_001);
    assert.deepEqual(story.step({ type: "vip-record", record: MINE }, 10_002), []);
    assert.deepEqual(story.step(presenceWritten(10_000), 10_010), [extend(20_000), READ]);
    assert.deepEqual(story.step(recordsRead([record]), 10_020), [...expected]);
  }
});

test("an owner yields to what it hears while it is confirmed but its record is in doubt", () => {
  const story = Story.owner();
  story.step({ type: "vip-record-gone", address: VIP }, 4_000);
  story.step(vipNotWritten("failed"), 4_100);
  const detail = `${OTHER_MAC} on eth0 while the record is in doubt`;
  assert.deepEqual(story.step(heard(), 4_110), [
    ...lost("another-host-answers", 1, detail),
    conflict("yielded"),
  ]);
  // The read in flight was sent before: it settles nothing.
  assert.deepEqual(story.step(recordsRead([]), 4_120), []);
  assert.deepEqual(story.tick(5_110), [READ, writePresence(0)].toReversed());
  assert.deepEqual(story.step(recordsRead([]), 5_120), [writeVip("node-a", 2, null)]);
});

test("a node ignores another host on a VIP that it does not own", () => {
  const story = Story.joined({ vips: [vipRecord("node-b", 1, 60)], members: [member("node-b")] });
  assert.deepEqual(story.step(heard(), 4_000), []);
});
