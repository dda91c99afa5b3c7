// Stories of a node that is heard and has not shown that it lives: its beacons may be recordings.
// It holds up the claim of what it has, and does nothing else for or against anybody.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { Neighbours } from "../../../src/ownership/neighbours.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  claims,
  ETH0,
  macOf,
  member,
  OTHER_MAC,
  peerHeard,
  peerSilent,
  presenceNotWritten,
  Story,
  vip,
  vipRecord,
} from "../../support/ownership-words.ts";

const THEIRS = vipRecord("node-c", 5, 50);
const TAKEN = claims("node-a", 6, 50);
const READ_C = { type: "read-member", node: "node-c" } as const;
const UNPROVEN = { isProven: false } as const;

/** node-c has the VIP; at 400 these are heard, and those only perhaps. */
function hearing(heard: readonly string[], perhaps: readonly string[]): Story {
  const members = [...heard, ...perhaps].map((node) => member(node));
  const story = Story.joined({ vips: [THEIRS], members });
  for (const node of heard) story.step(peerHeard(node, 400), 400);
  for (const node of perhaps) story.step(peerHeard(node, 400, UNPROVEN), 400);
  return story;
}

test("one of three that hears only a recording beside the silent owner is no majority", () => {
  const story = hearing(["node-c"], ["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), []);
  assert.deepEqual(story.step(peerHeard("node-b", 4_050), 4_050), TAKEN, "now it is");
});

test("the end of a recording of the owner is no silence of the owner: its Lease decides", () => {
  const story = hearing(["node-b"], ["node-c"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), []);
  story.renew(5_500);
  story.renew(10_500);
  assert.deepEqual(story.tick(15_000), [READ_C]);
});

test("a recording of the owner holds up the claim that its expired Lease would allow", () => {
  const story = hearing(["node-b"], ["node-c"]);
  story.renew(5_500);
  story.renew(10_500);
  assert.deepEqual(story.tick(15_000), []);
  const silent = story.step(peerSilent("node-c", 15_100), 15_100);
  assert.deepEqual(silent, [READ_C]);
});

/** Without an API, node-a remembers that node-c has the VIP; at 200 these are heard. */
function remembering(...heard: readonly OwnershipEvent[]): Story {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "segments", segments: [ETH0] }, 0);
  story.step({ type: "vips", changed: [vip()], freed: [] }, 0);
  const nodes = ["node-a", "node-b", "node-c"];
  story.step({ type: "remembered", vips: [vipRecord("node-c", 4, 0)], nodes }, 100);
  story.step({ type: "records-read", records: "failed" }, 100);
  story.step(presenceNotWritten(100, "failed"), 101);
  for (const event of heard) story.step(event, 200);
  return story;
}

/** Whether it claims by 3,500. */
function isClaimed(story: Story): boolean {
  const types: string[] = [];
  for (let at = 300; at <= 3_500; at += 50) {
    types.push(...story.tick(at).map(({ type }) => type));
  }
  return types.includes("claim");
}

test("a cold start takes what a node remembered has, with a majority that is proven", () => {
  assert.equal(isClaimed(remembering(peerHeard("node-b", 200))), true);
  assert.equal(isClaimed(remembering(peerHeard("node-b", 200, UNPROVEN))), false);
});

test("a cold start leaves it to a node that is perhaps there, and takes it when it is not", () => {
  const perhaps = peerHeard("node-c", 200, UNPROVEN);
  assert.equal(isClaimed(remembering(peerHeard("node-b", 200), perhaps)), false);
  const ended = [perhaps, peerSilent("node-c", 200)];
  assert.equal(isClaimed(remembering(peerHeard("node-b", 200), ...ended)), true);
});

const about = { mac: macOf("b"), incarnation: 3, holdMs: 300, at: bootMs(0) } as const;
const proven = { ...about, state: "live", isProven: true } as const;
const perhaps = {
  ...about,
  state: "draining",
  incarnation: 2,
  mac: OTHER_MAC,
  ...UNPROVEN,
} as const;
const NO_SILENCE = { answers: false, gateway: null, heard: [], at: bootMs(9) };

test("Neighbours.heard() unproven changes nothing of what a node was known to be", () => {
  const neighbours = new Neighbours();
  neighbours.heard("b", "eth0", proven);
  assert.equal(neighbours.heard("b", "eth0", perhaps), false, "it has not started anew");
  const { hearing, state, incarnation, mac } = neighbours.on("eth0").get("b") ?? {};
  assert.deepEqual([hearing, state, incarnation, mac], ["unproven", "live", 3, macOf("b")]);
  neighbours.silent("b", "eth0", NO_SILENCE);
  assert.equal(neighbours.hearing("b", "eth0"), "silent", "a member that was there");
});

for (const [what, end] of [
  ["falls silent", (all: Neighbours) => all.silent("b", "eth0", NO_SILENCE)],
  ["has its interface lost", (all: Neighbours) => all.interfaceLost("eth0", bootMs(9))],
] as const) {
  test(`Neighbours forgets one that was never proven when it ${what}`, () => {
    const neighbours = new Neighbours();
    neighbours.heard("b", "eth0", perhaps);
    assert.equal(neighbours.hearing("b", "eth0"), "unproven");
    end(neighbours);
    assert.equal(neighbours.hearing("b", "eth0"), "unknown");
  });
}
