// Stories of a tenure that lapsed on the responder thread: what the node owned is gone, and comes
// back only after it has listened and, where the API is in reach, read.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnershipEffect } from "../../../src/ownership/types.ts";
import {
  announce,
  ETH0,
  entry,
  gained,
  grant,
  heard,
  lapsed,
  lost,
  member,
  peerClaim,
  peerHeard,
  peerTable,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  segment,
  VIP,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const READ = { type: "read-records" } as const;
const MINE = vipRecord("node-a", 1, 60);
const ETH1 = segment("eth1", "10.0.0.0/8");
const LOST = lost("tenure-lapsed", 1, "no beacon left eth0 in time");
const B = member("node-b");

function resumed(lapses = 1): OwnershipEffect[] {
  return gained("resumed", 1, "node-a", { lapses });
}

/** An owner whose API is away: the renewal sent at 5,000 got no answer. */
function apiAway(): Story {
  const story = Story.owner([B]);
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  assert.deepEqual(story.step(presenceNotWritten(5_000, "failed"), 7_000), []);
  return story;
}

test("an owner whose tenure lapsed owns nothing, and reads at once", () => {
  const story = Story.owner();
  assert.deepEqual(story.step(lapsed(), 4_000), [...LOST, READ]);
  assert.deepEqual(story.machine.owned(), []);
});

test("a tenure that lapsed comes back by a read that names the node, after one hold", () => {
  const story = Story.owner();
  story.step(lapsed(), 4_000);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_010), []);
  assert.equal(story.nextDeadline(4_010), 4_300);
  assert.deepEqual(story.tick(4_299), []);
  assert.deepEqual(story.tick(4_300), resumed());
});

test("a tenure that lapsed waits for a read that takes longer than the hold", () => {
  const story = Story.owner();
  story.step(lapsed(), 4_000);
  assert.deepEqual(story.tick(4_300), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_500), resumed());
});

test("a tenure that lapsed is not resumed by a read that was sent before", () => {
  const story = Story.owner();
  assert.deepEqual(story.step(heard(), 3_990).slice(0, 2), [announce(), READ]);
  assert.deepEqual(story.step(lapsed(), 4_000), LOST, "the read in flight says too little");
  assert.deepEqual(story.step(recordsRead([MINE]), 4_010), [READ]);
  assert.deepEqual(story.tick(4_300), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_310), resumed());
});

test("a tenure that lapses again is counted, and listened for from then on", () => {
  const story = Story.owner();
  story.step(lapsed(), 4_000);
  assert.deepEqual(story.step(lapsed(2), 4_200), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_210), [READ]);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_220), []);
  assert.deepEqual(story.tick(4_300), []);
  assert.deepEqual(story.tick(4_500), resumed(2));
});

test("a tenure that lapsed stays so when the records name a successor", () => {
  const story = Story.owner([B]);
  story.step(lapsed(), 4_000);
  story.step(recordsRead([vipRecord("node-b", 2, 61)], [B]), 4_010);
  assert.deepEqual(story.tick(4_300), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a tenure that lapsed stays so when a peer says that it owns the VIP since", () => {
  const story = Story.owner([B]);
  story.step(peerHeard("node-b", 400), 400);
  story.step(lapsed(), 4_000);
  story.step(recordsRead([MINE], [B]), 4_010);
  assert.deepEqual(story.step(peerTable("node-b", entry("1+1")), 4_100), []);
  assert.deepEqual(story.tick(4_300), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a tenure that lapsed leaves what is answered on other interfaces alone", () => {
  const story = Story.owner();
  const away = { type: "lapsed", interface: "eth1", lapses: 1 } as const;
  assert.deepEqual(story.step(away, 4_000), [READ]);
  assert.deepEqual(story.machine.owned(), [VIP]);
  // The responder refuses a grant that does not know of the lapse.
  const changed: OwnershipEffect[] = story.step(
    { type: "segments", segments: [ETH0, segment("eth2", "192.168.1.128/25")] },
    4_010,
  );
  const there = grant(1, { interfaces: ["eth2"], lapses: 1 });
  assert.deepEqual(changed.slice(0, 2), [there, announce()]);
});

test("a claim is given up when a tenure lapses, and resumed when the read names the node", () => {
  const story = Story.joined();
  story.tick(3_000);
  const away = { type: "lapsed", interface: "eth1", lapses: 1 } as const;
  assert.deepEqual(story.step(away, 3_005), [READ, { type: "withdraw", address: VIP }]);
  assert.deepEqual(story.step(vipWritten(MINE), 3_010), []);
  assert.deepEqual(story.step(recordsRead([MINE]), 3_020), []);
  assert.equal(story.nextDeadline(3_020), 3_305);
  assert.deepEqual(story.tick(3_304), []);
  assert.deepEqual(story.tick(3_305), resumed());
});

test("a tenure that lapsed while the API is away is resumed by memory, after one hold", () => {
  const story = apiAway();
  assert.deepEqual(story.step(lapsed(), 7_500), [...LOST, READ]);
  assert.deepEqual(story.step({ type: "records-read", records: "failed" }, 7_600), []);
  assert.deepEqual(story.tick(7_799), []);
  assert.deepEqual(story.tick(7_800), resumed());
});

test("a tenure that lapsed while the API is away is not resumed where a peer has claimed", () => {
  const story = apiAway();
  story.step(lapsed(), 7_500);
  assert.deepEqual(story.step(peerClaim("node-b", entry("1+1")), 7_700), []);
  assert.deepEqual(story.tick(7_800), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("an owner goes on for as long as the API is away: beacons renew its tenure", () => {
  const story = apiAway();
  for (let sentAt = 8_000; sentAt <= 60_000; sentAt += 3_000) {
    assert.deepEqual(story.tick(sentAt), [writePresence(0)]);
    assert.deepEqual(story.step(presenceNotWritten(sentAt, "failed"), sentAt + 2_000), []);
  }
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner whose record goes while the API is away rewrites nothing before it is back", () => {
  const story = apiAway();
  assert.deepEqual(story.step({ type: "vip-record-gone", address: VIP }, 7_001), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.tick(12_000), [writePresence(0)]);
  const back = story.step(presenceWritten(12_000), 12_010);
  assert.deepEqual(back, [READ, writeVip("node-a", 2, null)]);
});

test("an owner back from an outage keeps its VIP while the records are read", () => {
  const story = apiAway();
  assert.deepEqual(story.tick(13_000), [writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(13_000), 13_010), [READ]);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(recordsRead([MINE], [B]), 13_020), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner on another segment as well listens there, and goes on answering meanwhile", () => {
  const story = Story.owner();
  const on = { type: "segments", segments: [ETH0, ETH1] } as const;
  assert.deepEqual(story.step(on, 4_000), [writePresence(0, { segments: [ETH0, ETH1] })]);
  assert.equal(story.nextDeadline(4_000), 4_300);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a tenure that lapsed where the address is gone is let go of at once, by the record", () => {
  const story = Story.owner([B]);
  story.step(peerHeard("node-b", 400), 400);
  const both = segment("eth0", "192.168.1.0/24", "10.9.9.0/24");
  story.step({ type: "segments", segments: [both] }, 3_000);
  const gone = { type: "segments", segments: [segment("eth0", "10.9.9.0/24")] } as const;
  const [offer] = story.step(gone, 4_000);
  assert.equal(offer?.type, "offer", "which nobody hears, from an address that is gone");
  const free = { address: VIP, owner: null, epoch: 1, resourceVersion: MINE.resourceVersion };
  const wanted = [...LOST, READ, { type: "write-vip", ...free }];
  assert.deepEqual(story.step(lapsed(), 4_010), wanted);
  // Another had it by then.
  assert.deepEqual(story.step(vipNotWritten("conflict"), 4_020), []);
  assert.deepEqual(story.machine.owned(), []);
});
