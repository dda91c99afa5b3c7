// Stories of a node whose API was away, or that slept: what it learnt before may not be acted on
// before it is read again, and the silence of the others meanwhile says nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoryOptions } from "../../support/ownership-words.ts";
import {
  member,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  vipRecord,
  writePresence,
} from "../../support/ownership-words.ts";

const READ = { type: "read-records" } as const;
const READ_C = { type: "read-member", node: "node-c" } as const;
const THEIRS = vipRecord("node-c", 5, 50);
const OWNED_BY_C: StoryOptions = { vips: [THEIRS], members: [member("node-c")] };

test("a node takes no VIP of an owner that it cannot read while the API is away", () => {
  const story = Story.joined(OWNED_BY_C);
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  assert.deepEqual(story.tick(15_000), [READ_C, writePresence(0)]);
  const unread = { type: "member-read", node: "node-c", record: "failed" } as const;
  assert.deepEqual(story.step(unread, 15_900), []);
  assert.deepEqual(story.tick(16_000), [READ_C]);
  assert.deepEqual(story.machine.owned(), []);
});

test("a node back from an outage reads first, and gives the others 5 s to come back too", () => {
  const story = Story.joined(OWNED_BY_C);
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  assert.deepEqual(story.tick(20_000), [READ_C, writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(20_000), 20_010), [READ]);
  assert.deepEqual(story.step(recordsRead([THEIRS]), 20_020), []);
  assert.deepEqual(story.tick(25_009), [writePresence(20_000)]);
  assert.deepEqual(story.tick(25_010), [READ_C]);
});

test("a node that slept, without a failed renewal, gives the others 5 s as well", () => {
  const story = Story.joined(OWNED_BY_C);
  assert.deepEqual(story.tick(20_000), [READ_C, writePresence(0)]);
  assert.deepEqual(story.step(presenceWritten(20_000), 20_010), [READ]);
  assert.deepEqual(story.step(recordsRead([THEIRS]), 20_020), []);
  assert.deepEqual(story.tick(25_009), [writePresence(20_000)]);
  assert.deepEqual(story.tick(25_010), [READ_C]);
});

test("an outage shorter than the renew deadline excuses the silence of the others as well", () => {
  const story = Story.joined(OWNED_BY_C);
  story.renew(5_000);
  assert.deepEqual(story.tick(10_000), [writePresence(5_000)]);
  story.step(presenceNotWritten(10_000, "failed"), 12_000);
  assert.deepEqual(story.tick(13_000), [writePresence(5_000)]);
  assert.deepEqual(story.step(presenceWritten(13_000), 13_010), []);
  assert.deepEqual(story.tick(15_000), []);
  assert.deepEqual(story.tick(18_009), [writePresence(13_000)]);
  assert.deepEqual(story.tick(18_010), [READ_C]);
});
