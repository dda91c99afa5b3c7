// Stories of a cold start without an API: the node works from what its store remembers and what it
// hears, concludes from silence only as a majority, and believes the API once that answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import type { OwnershipEffect, OwnershipEvent, VipRecord } from "../../../src/ownership/types.ts";
import {
  claim,
  ETH0,
  entry,
  gained,
  lost,
  member,
  peerClaim,
  peerHeard,
  peerSilent,
  peerTable,
  presenceNotWritten,
  recordsRead,
  Story,
  segment,
  VIP,
  vip,
  vipRecord,
  writePresence,
  writeVip,
  yieldedTo,
} from "../../support/ownership-words.ts";

const ALL: readonly string[] = ["node-a", "node-b", "node-c"];
const UNREAD: OwnershipEvent = { type: "records-read", records: "failed" };
const AT = 100;
/** Three holds later. */
const LISTENED = AT + 900;

function remembered(owner: string | null, nodes: readonly string[] = ALL): OwnershipEvent {
  const vips: readonly VipRecord[] = owner === null ? [] : [vipRecord(owner, 4, 0)];
  return { type: "remembered", vips, nodes };
}

/** node-a started at 0, could not read at 100, and remembers that; its renewal fails, too. */
function coldStart(owner: string | null, nodes: readonly string[] = ALL): Story {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "segments", segments: [ETH0] }, 0);
  story.step({ type: "vips", changed: [vip()], freed: [] }, 0);
  assert.deepEqual(story.step(remembered(owner, nodes), AT), [
    writePresence(0, { resourceVersion: null }),
  ]);
  story.step(UNREAD, AT);
  story.step(presenceNotWritten(AT, "failed"), AT + 1);
  return story;
}

/** All effects up to then, with the API away; every one is looked for in vain but claims. */
function runAway(story: Story, from: number, end: number): string[] {
  const seen: string[] = [];
  let now = from;
  for (let ticks = 0; story.nextDeadline(now) <= end; ticks++) {
    assert.ok(ticks < 10_000, "it is due again and again");
    now = Math.max(now, story.nextDeadline(now));
    const more: OwnershipEffect[] = [...story.tick(now)];
    for (let effect = more.shift(); effect !== undefined; effect = more.shift()) {
      if (effect.type === "record")
        seen.push(`${now} ${effect.change.type} ${effect.change.cause}`);
      const answer = noAnswer(effect, now);
      if (answer !== null) more.push(...story.step(answer, now));
    }
  }
  return seen;
}

function noAnswer(effect: OwnershipEffect, now: number): OwnershipEvent | null {
  switch (effect.type) {
    case "write-presence":
      return presenceNotWritten(now, "failed");
    case "write-vip":
      return { type: "vip-written", address: effect.address, outcome: { kind: "failed" } };
    case "read-records":
      return UNREAD;
    case "read-member":
      return { type: "member-read", node: effect.node, record: "failed" };
    default:
      return null;
  }
}

test("a node that remembers nothing waits for the API", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "segments", segments: [ETH0] }, 0);
  story.step({ type: "vips", changed: [vip()], freed: [] }, 0);
  story.step(UNREAD, AT);
  assert.deepEqual(runAway(story, AT, 60_000), []);
});

test("a node listens for three holds, and then resumes what the store names it for", () => {
  const story = coldStart("node-a");
  assert.deepEqual(story.tick(LISTENED - 1), []);
  assert.deepEqual(story.tick(LISTENED), gained("resumed", 4, "node-a"));
});

test("a segment that comes while it listens does not make that shorter", () => {
  const story = coldStart("node-a");
  const both = [ETH0, segment("eth1", "203.0.113.0/24")];
  story.step({ type: "segments", segments: both }, AT + 200);
  assert.deepEqual(runAway(story, AT + 200, LISTENED - 1), []);
  assert.deepEqual(runAway(story, LISTENED - 1, LISTENED), [`${LISTENED} gained resumed`]);
});

test("a node resumes nothing that it heard a peer has at a higher epoch", () => {
  const story = coldStart("node-a");
  story.step(peerHeard("node-b", 300), 300);
  story.step(peerTable("node-b", entry("4+1")), 300);
  assert.deepEqual(runAway(story, 300, 10_000), []);
});

test("a node that hears of a higher epoch only later yields then", () => {
  const story = coldStart("node-a");
  story.tick(LISTENED);
  story.step(peerHeard("node-b", 2_000), 2_000);
  const yielded = story.step(peerTable("node-b", entry(5)), 2_000);
  assert.deepEqual(yielded, yieldedTo("node-b", 4, 5));
});

test("a node leaves to the others what they were owners of, as long as they are heard", () => {
  const story = coldStart("node-c");
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 300), 300);
  assert.deepEqual(runAway(story, 300, 60_000), []);
});

test("a node claims what an owner had that is never heard, as a majority, after the start", () => {
  const story = coldStart("node-c");
  story.step(peerHeard("node-b", 300), 300);
  assert.deepEqual(runAway(story, 300, 2_999), []);
  assert.deepEqual(runAway(story, 2_999, 3_000), ["3000 gained owner-silent"]);
});

test("a claim without an API counts as one more since the Lease that is remembered", () => {
  const story = coldStart("node-c");
  story.step(peerHeard("node-b", 300), 300);
  const expected = [
    claim("4+1"),
    writeVip("node-a", 5, 0),
    ...gained("owner-silent", "4+1", "node-c"),
  ];
  assert.deepEqual(story.tick(3_000).slice(0, expected.length), expected);
});

const ALONE: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["one of two", ["node-a", "node-c"], []],
  ["one of three", ALL, []],
  ["two of four", [...ALL, "node-d"], ["node-b"]],
  ["two of five", [...ALL, "node-d", "node-e"], ["node-b"]],
];

for (const [name, nodes, heard] of ALONE) {
  test(`a node that is ${name} never claims what a silent owner had`, () => {
    const story = coldStart("node-c", nodes);
    for (const node of heard) story.step(peerHeard(node, 300), 300);
    assert.deepEqual(runAway(story, 300, 120_000), []);
  });
}

test("a node that was the only one has its own, and takes what nobody had", () => {
  const story = coldStart(null, ["node-a"]);
  assert.deepEqual(runAway(story, AT, 3_100), ["3000 gained unheld"]);
});

test("an owner that is heard late keeps what it had", () => {
  const story = coldStart("node-c");
  story.step(peerHeard("node-b", 300), 300);
  story.step(peerHeard("node-c", 2_900), 2_900);
  assert.deepEqual(runAway(story, 2_900, 60_000), []);
});

test("an owner that is heard and then silent is replaced as any other", () => {
  const story = coldStart("node-c");
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 300), 300);
  assert.deepEqual(runAway(story, 300, 5_000), []);
  const effects = story.step(peerSilent("node-c", 5_000), 5_000);
  assert.deepEqual(effects.slice(0, 2), [claim("4+1"), writeVip("node-a", 5, 0)]);
});

test("a peer's claim is honoured as ever", () => {
  const story = coldStart("node-c");
  story.step(peerHeard("node-b", 300), 300);
  story.step(peerClaim("node-b", entry("4+1")), 2_990);
  story.step(peerTable("node-b", entry("4+1")), 2_995);
  assert.deepEqual(runAway(story, 2_995, 60_000), []);
});

test("what is remembered counts for nothing once the API was read", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 9, 60)], members: [member("node-c")] });
  assert.deepEqual(story.step(remembered("node-a"), 400), []);
  assert.deepEqual(story.machine.views.records(), [vipRecord("node-c", 9, 60)]);
  assert.equal(story.nextDeadline(400) > 1_000, true, "nor does it listen again");
});

test("the API's answer replaces what was remembered: who owned it by then has it", () => {
  const story = coldStart("node-a");
  story.tick(LISTENED);
  assert.deepEqual(story.machine.owned(), [VIP]);
  const read = recordsRead([vipRecord("node-c", 6, 80)], [member("node-c")]);
  const yielded = lost("yielded", 4, 'to "node-c" at epoch 6');
  assert.deepEqual(story.step(read, 1_500).slice(0, 2), yielded);
});

test("the API's answer replaces what was remembered: what is gone there is nobody's", () => {
  const story = coldStart("node-c");
  story.step(recordsRead([], []), 1_500);
  assert.deepEqual(story.machine.views.records(), []);
});

test("the API's answer ends what was expected: a member that is not heard has its Lease", () => {
  const story = coldStart("node-c");
  story.step(peerHeard("node-b", 300), 300);
  const members = [member("node-b"), member("node-c")];
  story.step(recordsRead([vipRecord("node-c", 4, 80)], members), 1_500);
  assert.deepEqual(runAway(story, 1_500, 10_000), []);
});

test("a node that stops before it remembers has stopped, and nothing follows", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "stop" }, 10);
  story.step(presenceNotWritten(10, "failed"), 20);
  assert.deepEqual(story.step(remembered("node-a"), 30), []);
  assert.equal(story.nextDeadline(30), NEVER);
});
