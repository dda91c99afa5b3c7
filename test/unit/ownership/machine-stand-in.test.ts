// Stories of an owner whose daemon restarts: nothing moves, and the best of the others answers in
// its place, with its MAC, until it says itself that it answers (design, section 4.7).

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerEntry, PeerState } from "../../../src/core/peer.ts";
import type {
  NodePlacement,
  OwnershipEffect,
  OwnershipEvent,
} from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  claims,
  ETH0,
  entry,
  lapsed,
  macOf,
  member,
  OTHER_MAC,
  peerClaim,
  peerHeard,
  peerSilent,
  peerTable,
  Story,
  segment,
  VIP,
  vip,
  vipRecord,
} from "../../support/ownership-words.ts";

const REFUSED: NodePlacement = { allowed: false, reason: "no L2Advertisement selects it" };
const SICK: NodePlacement = { ...ALLOWED, unhealthy: "not Ready" };
const BEGIN = { type: "stand-in", address: VIP, interface: "eth0", mac: macOf("node-a") } as const;
const END = { ...BEGIN, mac: null };

/** node-a owns the VIP at epoch 1; told by node-c, which ranks next, or by node-b. */
function standby(node = "node-c", placements: Readonly<Record<string, NodePlacement>> = {}): Story {
  const others = ["node-a", "node-b", "node-c"].filter((other) => other !== node);
  const story = Story.joined({
    node,
    specs: [vip(placements)],
    vips: [vipRecord("node-a", 1, 60)],
    members: others.map((other) => member(other)),
  });
  for (const other of others) story.step(peerHeard(other, 400), 400);
  story.step(peerTable("node-a", entry(1)), 400);
  return story;
}

function restarting(at: number, state: PeerState = "restarting") {
  return peerHeard("node-a", at, { state });
}

/** Its new process is heard. */
function back(at: number, state: PeerState = "live") {
  return peerHeard("node-a", at, { state, incarnation: 2 });
}

for (const state of ["live", "draining", "stopping", "deaf"] as const) {
  test(`nobody stands in for an owner that is ${state}`, () => {
    assert.deepEqual(standby().step(restarting(1_000, state), 1_000), []);
  });
}

const ROWS: readonly (readonly [string, Story, readonly OwnershipEffect[]])[] = [
  ["the second in rank", standby("node-b"), []],
  ["a node that may not own the VIP", standby("node-c", { "node-c": REFUSED }), []],
  ["a node that is not well, beside one that is", standby("node-c", { "node-c": SICK }), []],
  ["the second, with the first not well", standby("node-b", { "node-c": SICK }), [BEGIN]],
  ["the second, with the first not selected", standby("node-b", { "node-c": REFUSED }), [BEGIN]],
  ["the best of the others", standby(), [BEGIN]],
];

for (const [name, story, effects] of ROWS) {
  const what = effects.length === 0 ? "leaves it alone" : "stands in";
  test(`an owner restarts: ${name} ${what}`, () => {
    assert.deepEqual(story.step(restarting(1_000), 1_000), effects);
    assert.deepEqual(story.machine.owned(), []);
  });
}

test("the second in rank stands in when the first is silent, and not while it is there", () => {
  const story = standby("node-b");
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.step(peerSilent("node-c", 1_500), 1_500), [BEGIN]);
  assert.deepEqual(story.step(peerHeard("node-c", 2_000), 2_000), [END]);
});

test("the second stands in when both restart that rank before it", () => {
  const story = standby("node-b");
  story.step(restarting(1_000), 1_000);
  const both = peerHeard("node-c", 1_100, { state: "restarting" });
  assert.deepEqual(story.step(both, 1_100), [BEGIN]);
});

test("a node stands in once, however often it is said that the owner restarts", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.step(restarting(1_100), 1_100), []);
  assert.deepEqual(story.tick(1_200), []);
});

test("nobody claims in the time that the owner is waited for, whatever its Lease says", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  story.renew(5_000);
  story.renew(10_000);
  story.renew(15_000);
  const late = story.tick(16_000).filter(({ type }) => type !== "write-presence");
  assert.deepEqual(late, []);
});

test("the first beacon of the new process does not end it: its word that it answers does", () => {
  for (const says of [peerTable("node-a", entry(1)), peerClaim("node-a", entry(1))]) {
    const story = standby();
    story.step(restarting(1_000), 1_000);
    assert.deepEqual(story.step(back(2_000), 2_000), []);
    assert.deepEqual(story.step(peerTable("node-a"), 2_001), [], "it answers for nothing yet");
    assert.deepEqual(story.step(says, 2_300), [END]);
  }
});

test("it ends in the same way when the new process is drained", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.step(back(2_000, "draining"), 2_000), []);
  assert.deepEqual(story.step(peerTable("node-a", entry(1)), 2_300), [END]);
});

test("it ends when the new process stops, or is deaf: that one will not answer", () => {
  for (const state of ["stopping", "deaf"] as const) {
    const story = standby();
    story.step(restarting(1_000), 1_000);
    assert.deepEqual(story.step(back(2_000, state), 2_000), [END], state);
  }
});

test("it goes on over a second restart", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  story.step(back(2_000), 2_000);
  assert.deepEqual(story.step(back(2_100, "restarting"), 2_100), []);
  story.step(peerHeard("node-a", 2_500, { incarnation: 3 }), 2_500);
  assert.deepEqual(story.step(peerTable("node-a", entry(1)), 2_800), [END]);
});

test("it ends when the owner is silent, and the VIP is claimed: the host is gone", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  story.tick(3_000);
  const gone = story.step(peerSilent("node-a", 3_400), 3_400);
  assert.deepEqual(gone, [...claims("node-c", 2, 60), END]);
});

test("it ends when this node stops", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  const effects = story.step({ type: "stop" }, 1_100);
  assert.equal(effects.filter(({ type }) => type === "stand-in").length, 1);
  assert.deepEqual(effects[0], END);
});

test("it ends when this node has slept: what it knows may be old", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.step(lapsed(), 1_500)[1], END);
  assert.deepEqual(story.tick(1_800), [BEGIN], "it listened, and the owner is still away");
});

test("it ends when the address is freed, or the VIP does not fit here any more", () => {
  const freed = standby();
  freed.step(restarting(1_000), 1_000);
  assert.deepEqual(freed.step({ type: "vips", changed: [], freed: [VIP] }, 1_100), [END]);
  const moved = standby();
  moved.step(restarting(1_000), 1_000);
  const elsewhere = [segment("eth1", "203.0.113.0/24")];
  const effects = moved.step({ type: "segments", segments: elsewhere }, 1_100);
  assert.deepEqual(effects[0], END);
});

test("it ends when somebody else has the VIP at a higher epoch", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.step(peerTable("node-b", entry(2)), 1_100), [END]);
});

test("it ends when the record says that the owner released it, and the VIP is claimed", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  story.step(back(2_000), 2_000);
  const record = vipRecord(null, 1, 70);
  assert.deepEqual(story.step({ type: "vip-record", record }, 3_500), [END]);
  assert.deepEqual(story.tick(3_530), claims("node-c", 2, 70), "node-a ranks before it");
});

test("an owner is no stand-in, and a stand-in no owner", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.machine.views.view(VIP, 1_000 as never)?.phase, { kind: "idle" });
});

test("an owner that is back with another MAC is stood in for with that", () => {
  const story = standby();
  story.step(restarting(1_000), 1_000);
  const bonded = peerHeard("node-a", 2_000, { incarnation: 2, mac: OTHER_MAC });
  assert.deepEqual(story.step(bonded, 2_000), [
    { type: "stand-in", address: VIP, interface: "eth0", mac: OTHER_MAC },
  ]);
});

const NAMED: NodePlacement = { ...ALLOWED, interfaces: ["eth0", "eth1"] };

/** As above, with the VIP answered on two segments, where the owner has a MAC each. */
function standbyOnTwo(): Story {
  const story = Story.joined({
    node: "node-c",
    specs: [vip({ "node-a": NAMED, "node-b": NAMED, "node-c": NAMED })],
    vips: [vipRecord("node-a", 1, 60)],
    members: [member("node-a"), member("node-b")],
  });
  story.step({ type: "segments", segments: [ETH0, segment("eth1", "203.0.113.0/24")] }, 310);
  for (const name of ["eth0", "eth1"]) {
    for (const other of ["node-a", "node-b"]) story.step(heardOn(name, other, 400), 400);
    story.step(tableOn(name, entry(1)), 400);
  }
  story.tick(700);
  return story;
}

function heardOn(
  name: string,
  node: string,
  at: number,
  incarnation = 1,
  state: PeerState = "live",
) {
  const mac = name === "eth0" ? macOf(node) : OTHER_MAC;
  return peerHeard(node, at, { interface: name, mac, incarnation, state });
}

function tableOn(name: string, ...entries: readonly PeerEntry[]): OwnershipEvent {
  return { type: "peer-table", node: "node-a", interface: name, entries };
}

const BEGIN_ON_ETH1: OwnershipEffect = { ...BEGIN, interface: "eth1", mac: OTHER_MAC };

test("on each segment of the VIP it answers with the owner's MAC there", () => {
  const story = standbyOnTwo();
  const one = heardOn("eth0", "node-a", 1_000, 1, "restarting");
  assert.deepEqual(story.step(one, 1_000), [BEGIN]);
  const other = heardOn("eth1", "node-a", 1_000, 1, "restarting");
  assert.deepEqual(story.step(other, 1_000), [BEGIN_ON_ETH1]);
});

test("on each segment it ends when the new process says there that it answers", () => {
  const story = standbyOnTwo();
  for (const name of ["eth0", "eth1"]) {
    story.step(heardOn(name, "node-a", 1_000, 1, "restarting"), 1_000);
  }
  // What the old process said on the other segment is no word of the new one.
  assert.deepEqual(story.step(heardOn("eth0", "node-a", 2_000, 2), 2_000), []);
  assert.deepEqual(story.step(heardOn("eth1", "node-a", 2_000, 2), 2_000), []);
  assert.deepEqual(story.step(tableOn("eth1", entry(1)), 2_100), [{ ...BEGIN_ON_ETH1, mac: null }]);
  assert.deepEqual(story.step(tableOn("eth0", entry(1)), 2_200), [END]);
});
