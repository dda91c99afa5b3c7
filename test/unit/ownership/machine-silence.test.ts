// Stories of an owner that falls silent: who may conclude from it that the owner is gone, at once,
// and who waits for the expiry of its node Lease (design, section 4.4).

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import type { StoryOptions } from "../../support/ownership-words.ts";
import {
  claim,
  claims,
  entry,
  gained,
  member,
  peerClaim,
  peerHeard,
  peerSilent,
  presenceNotWritten,
  Story,
  VIP,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
} from "../../support/ownership-words.ts";

const A = member("node-a");
const B = member("node-b");
const C = member("node-c");
const THEIRS = vipRecord("node-c", 5, 50);
const READ_C = { type: "read-member", node: "node-c" } as const;
const RETELL_C = { type: "retell", node: "node-c", interface: "eth0" } as const;
const TAKEN = claims("node-a", 6, 50);

/** node-c has the VIP; it and `others` are heard since 400. */
function hearing(others: readonly string[], options: StoryOptions = {}): Story {
  const members = [C, ...others.map((node) => member(node))];
  const story = Story.joined({ vips: [THEIRS], members, ...options });
  for (const node of ["node-c", ...others]) {
    assert.deepEqual(story.step(peerHeard(node, 400), 400), []);
  }
  return story;
}

/** Renews until the Lease of node-c expires, at 15,000; it is read and found as it was. */
function untilLeaseExpires(story: Story): void {
  story.renew(5_500);
  story.renew(10_500);
  assert.deepEqual(story.tick(14_999), []);
  assert.deepEqual(story.tick(15_000), [READ_C]);
  const read: OwnershipEvent = { type: "member-read", node: "node-c", record: C };
  assert.deepEqual(story.step(read, 15_010), TAKEN);
  const written = vipWritten(vipRecord("node-a", 6, 51));
  assert.deepEqual(story.step(written, 15_020), gained("owner-down", 6, "node-c"));
}

test("one of three nodes claims at once what a silent owner had", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), TAKEN);
  const written = vipWritten(vipRecord("node-a", 6, 51));
  assert.deepEqual(story.step(written, 4_010), gained("owner-silent", 6, "node-c"));
});

test("a silence that others share is acted on when told again beside one that is heard", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000, { heard: [] }), 4_000), []);
  assert.deepEqual(story.step(peerSilent("node-c", 4_100, { heard: ["node-b"] }), 4_100), TAKEN);
});

test("a holdover owner is the one to ask for its VIP when it is silent", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual([...story.machine.views.probeTargets(bootMs(400))], [["node-c", [VIP]]]);
  story.step(peerClaim("node-b", entry("5+1")), 500);
  assert.deepEqual([...story.machine.views.probeTargets(bootMs(500))], [["node-b", [VIP]]]);
});

test("an owner that is heard keeps its VIP though its Lease has expired", () => {
  const story = hearing(["node-b"]);
  story.renew(5_500);
  story.renew(10_500);
  story.renew(15_500);
  assert.deepEqual(story.tick(16_000), []);
  assert.deepEqual(story.tick(20_000), []);
});

/** With two nodes there is no majority: the gateway decides, where there is one. */
const TIES: readonly { readonly gateway: boolean | null; readonly isTaken: boolean }[] = [
  { gateway: null, isTaken: false },
  { gateway: false, isTaken: false },
  { gateway: true, isTaken: true },
];

for (const { gateway, isTaken } of TIES) {
  const how = isTaken ? "claims at once" : "waits for the Lease";
  test(`one of two nodes ${how} when the gateway is ${gateway}`, () => {
    const story = hearing([]);
    const effects = story.step(peerSilent("node-c", 4_000, { gateway }), 4_000);
    assert.deepEqual(effects, isTaken ? TAKEN : []);
    if (!isTaken) untilLeaseExpires(story);
  });
}

test("a node that hears nobody waits for the Lease, though the gateway answers", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-b", 3_990, { gateway: true }), 3_990), []);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000, { gateway: true }), 4_000), []);
  untilLeaseExpires(story);
});

test("two of four that hear each other claim by the gateway's answer only", () => {
  for (const gateway of [false, true]) {
    const story = hearing(["node-b", "node-d"]);
    story.step(peerSilent("node-d", 3_990, { gateway }), 3_990);
    const effects = story.step(peerSilent("node-c", 4_000, { gateway }), 4_000);
    assert.deepEqual(effects, gateway ? TAKEN : []);
  }
});

test("an owner whose host still answers keeps its VIP while its Lease is fresh", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000, { answers: true }), 4_000), []);
  untilLeaseExpires(story);
});

test("an owner whose host still answers keeps its VIP while the API cannot be read", () => {
  const story = hearing(["node-b"]);
  story.step(peerSilent("node-c", 4_000, { answers: true }), 4_000);
  assert.deepEqual(story.tick(5_000), [writePresence(0)]);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  assert.deepEqual(story.tick(20_000), [writePresence(0)]);
  assert.deepEqual(story.machine.owned(), []);
});

test("an owner whose host answers no more is one that is silent", () => {
  const story = hearing(["node-b"]);
  story.step(peerSilent("node-c", 4_000, { answers: true }), 4_000);
  assert.deepEqual(story.step(peerSilent("node-c", 4_500), 4_500), TAKEN);
});

test("the silence of a node that was not heard while it owned says nothing", () => {
  const unheard = Story.joined({ vips: [THEIRS], members: [B, C] });
  unheard.step(peerHeard("node-b", 400), 400);
  assert.deepEqual(unheard.step(peerSilent("node-c", 4_000), 4_000), []);
  untilLeaseExpires(unheard);

  const later = hearing(["node-b"], { vips: [vipRecord("node-b", 4, 49)] });
  assert.deepEqual(later.step(peerSilent("node-c", 3_000), 3_000), []);
  assert.deepEqual(later.step({ type: "vip-record", record: THEIRS }, 4_000), []);
  untilLeaseExpires(later);
});

test("the silence of a node that owns nothing changes nothing", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-b", 4_000), 4_000), []);
});

test("news of a silence that is 100 ms old is asked for again before anything is done", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_100), [RETELL_C]);
  assert.deepEqual(story.tick(4_150), []);
  assert.deepEqual(story.step(peerSilent("node-c", 4_160), 4_259), TAKEN);
});

test("news of a silence that is over by the time it is asked for again takes nothing", () => {
  const story = hearing(["node-b"]);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 5_500), [RETELL_C, writePresence(0)]);
  assert.deepEqual(story.step(peerHeard("node-c", 5_510), 5_510), []);
  assert.deepEqual(story.machine.owned(), []);
});

test("a silence within the start hold is acted on at its end, and not when it was over", () => {
  const silent = hearing(["node-b"]);
  assert.deepEqual(silent.step(peerSilent("node-c", 2_000), 2_000), []);
  assert.equal(silent.nextDeadline(2_000), 3_000);
  assert.deepEqual(silent.tick(3_000), TAKEN);

  const back = hearing(["node-b"]);
  back.step(peerSilent("node-c", 2_000), 2_000);
  assert.deepEqual(back.step(peerHeard("node-c", 2_500), 2_500), []);
  assert.deepEqual(back.tick(3_000), []);
});

test("the second in rank claims 30 ms later, unless it hears the first claim", () => {
  const story = hearing(["node-a"], { node: "node-b" });
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), []);
  assert.equal(story.nextDeadline(4_000), 4_030);
  assert.deepEqual(story.tick(4_029), []);
  assert.deepEqual(story.tick(4_030), claims("node-b", 6, 50));

  const told = hearing(["node-a"], { node: "node-b" });
  told.step(peerSilent("node-c", 4_000), 4_000);
  assert.deepEqual(told.step(peerClaim("node-a", entry("5+1")), 4_005), []);
  assert.deepEqual(told.tick(4_030), []);
});

for (const state of ["draining", "stopping", "restarting", "deaf"] as const) {
  test(`a ${state} node is not waited for by those that rank after it`, () => {
    const story = hearing(["node-a"], { node: "node-b" });
    assert.deepEqual(story.step(peerHeard("node-a", 2_000, { state }), 2_000), []);
    assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), claims("node-b", 6, 50));
  });
}

test("a node that fell silent is not waited for either, though its Lease is fresh", () => {
  const members = [A, C, member("node-d"), member("node-e")];
  const story = Story.joined({ node: "node-b", vips: [THEIRS], members });
  for (const { node } of members) story.step(peerHeard(node, 400), 400);
  story.step(peerSilent("node-a", 3_990), 3_990);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), claims("node-b", 6, 50));
});

test("a claimant that dies over its claim is followed by the next, when it falls silent", () => {
  const story = hearing(["node-a", "node-d", "node-e"], { node: "node-b" });
  story.step(peerSilent("node-c", 4_000), 4_000);
  story.step(peerClaim("node-a", entry("5+1")), 4_005);
  assert.deepEqual(story.tick(4_030), []);
  // The claim is at 5+1, so the next is at 5+2; the record is still at 5.
  const next = [claim("5+2"), writeVip("node-b", 6, 50)];
  assert.deepEqual(story.step(peerSilent("node-a", 4_320), 4_320), next);
});

test("a node that stopped in order counts among the members no more", () => {
  const story = hearing(["node-b"]);
  story.step(peerSilent("node-b", 3_900, { gateway: true }), 3_900);
  const stopped = member("node-b", { holder: null, resourceVersion: "11" });
  assert.deepEqual(story.step({ type: "member", record: stopped }, 3_950), []);
  // Two are left, and the gateway answers.
  assert.deepEqual(story.step(peerSilent("node-c", 4_000, { gateway: true }), 4_000), TAKEN);
});

test("what was heard on an interface says nothing once its carrier was gone", () => {
  const story = hearing(["node-b"]);
  story.step({ type: "segments", segments: [] }, 1_000);
  assert.deepEqual(story.step(peerSilent("node-c", 4_000), 4_000), []);
  const verdicts = story.machine.views.view(VIP, bootMs(4_000))?.verdicts ?? [];
  assert.deepEqual(
    verdicts.map(({ node, hearing }) => `${node} ${hearing}`),
    ["node-a heard", "node-c unknown", "node-b unknown"],
  );
});
