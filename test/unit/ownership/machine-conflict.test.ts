// Stories of two that answer for one VIP: another host on the wire, and a peer that claims it or
// lists it in its table.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import type { OwnershipEffect } from "../../../src/ownership/types.ts";
import {
  announce,
  claim,
  claims,
  entry,
  gained,
  heard,
  ip,
  lost,
  macOf,
  member,
  OTHER_MAC,
  peerClaim,
  peerHeard,
  peerTable,
  peerTableChange,
  presenceNotWritten,
  presenceWritten,
  recordsRead,
  Story,
  VIP,
  vipNotWritten,
  vipRecord,
  writePresence,
  yieldedTo,
} from "../../support/ownership-words.ts";

const READ = { type: "read-records" } as const;
const WITHDRAW = { type: "withdraw", address: VIP } as const;
const MINE = vipRecord("node-a", 1, 60);
const B = member("node-b");

function conflict(
  resolution: "defended" | "yielded" | "counted" | "peer",
  mac = OTHER_MAC,
): OwnershipEffect {
  return { type: "conflict", address: VIP, interface: "eth0", mac, resolution };
}

const PEER = conflict("peer", macOf("node-b"));

/** node-a owns VIP at epoch 1, and hears node-b. */
function ownerWithB(): Story {
  const story = Story.owner([B]);
  story.step(peerHeard("node-b", 400), 400);
  return story;
}

/** An owner whose renewal of 5,000 got no answer. */
function apiAway(): Story {
  const story = ownerWithB();
  story.tick(5_000);
  assert.deepEqual(story.step(presenceNotWritten(5_000, "failed"), 7_000), []);
  return story;
}

test("an owner that hears another host defends at once, asks for the record, and tells", () => {
  const story = Story.owner();
  assert.deepEqual(story.step(heard(), 4_000), [announce(), READ, conflict("defended")]);
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
  assert.deepEqual(story.step(heard(), 14_000), [announce(), READ, conflict("defended")]);
});

test("an owner announces once more after the last conflict, when it may defend again", () => {
  const story = Story.owner();
  story.step(heard(), 4_000);
  story.step(recordsRead([MINE]), 4_010);
  for (const at of [4_001, 4_500, 4_900]) {
    assert.deepEqual(story.step(heard(), at), [conflict("counted")]);
  }
  story.renew(5_500);
  story.renew(10_500);
  assert.equal(story.machine.nextDeadline(bootMs(13_999)), 14_000);
  assert.deepEqual(story.tick(14_000), [announce()]);
  assert.deepEqual(story.tick(14_100), [], "and no more than that");
  assert.deepEqual(story.step(heard(), 14_200), [conflict("counted")], "that was a defence");
});

test("an owner that is told by the read after its defence that it is none yields", () => {
  const story = Story.owner([B]);
  story.step(heard(), 4_000);
  const yielded = lost("yielded", 1, 'to "node-b" at epoch 2');
  assert.deepEqual(story.step(recordsRead([vipRecord("node-b", 2, 61)]), 4_010), yielded);
});

test("an owner that hears a peer answer tells it the epoch, and defends nothing", () => {
  const story = ownerWithB();
  const byPeer = { type: "heard", address: VIP, interface: "eth0", mac: macOf("node-b") } as const;
  assert.deepEqual(story.step(byPeer, 4_000), [claim(1), PEER]);
  assert.deepEqual(story.step(byPeer, 4_200), [claim(1)], "reported once for a while");
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner announces once more when a peer has not announced its VIP for a second", () => {
  const story = ownerWithB();
  const byPeer = { type: "heard", address: VIP, interface: "eth0", mac: macOf("node-b") } as const;
  for (const at of [3_000, 3_500]) story.step(byPeer, at);
  assert.deepEqual(story.tick(4_100), [], "it has announced since");
  assert.equal(story.machine.nextDeadline(bootMs(4_100)), 4_600);
  assert.deepEqual(story.tick(4_600), [announce()]);
  story.step(byPeer, 4_700);
  story.renew(5_500);
  assert.deepEqual(story.tick(6_000), [], "it was a defence, and the next is ten seconds later");
});

test("an owner whose API is away yields at once to a foreign host", () => {
  const story = apiAway();
  const detail = `${OTHER_MAC} on eth0 while the API is away`;
  assert.deepEqual(story.step(heard(), 7_001), [
    ...lost("another-host-answers", 1, detail),
    conflict("yielded"),
    { type: "read-records" },
  ]);
  assert.deepEqual(story.step(heard(), 7_002), [], "an owner no more");
  assert.ok(story.nextDeadline(7_002) <= 17_001, "it looks again by itself");
});

test("an owner that yielded to a foreign host comes back by a read that names it", () => {
  for (const [record, expected] of [
    [MINE, gained("resumed", 1, "node-a")],
    [vipRecord("node-b", 2, 61), []],
  ] as const) {
    const story = apiAway();
    story.step(heard(), 7_001);
    assert.deepEqual(story.tick(8_000), [writePresence(0)]);
    assert.deepEqual(story.step(presenceWritten(8_000), 8_010), []);
    assert.deepEqual(story.step({ type: "vip-record", record: MINE }, 8_020), []);
    assert.deepEqual(story.tick(13_000), [writePresence(8_000)]);
    assert.deepEqual(story.step(presenceWritten(13_000), 13_010), []);
    assert.deepEqual(story.tick(17_001), [], "not read yet");
    assert.deepEqual(story.step(recordsRead([record]), 17_010), [...expected]);
  }
});

test("an owner that yielded to a foreign host resumes by a read after 10 s, not before", () => {
  const story = apiAway();
  story.step(heard(), 7_001);
  story.tick(8_000);
  story.step(presenceWritten(8_000), 8_010);
  assert.deepEqual(story.step(recordsRead([MINE], [B]), 8_020), []);
  assert.deepEqual(story.tick(13_000), [writePresence(8_000)]);
  assert.deepEqual(story.step(presenceWritten(13_000), 13_010), []);
  assert.equal(story.nextDeadline(13_010), 17_001);
  assert.deepEqual(story.tick(17_000), []);
  assert.deepEqual(story.tick(17_001), gained("resumed", 1, "node-a"));
});

test("an owner that yielded to a foreign host resumes after 10 s, the API still away", () => {
  const story = apiAway();
  story.step(heard(), 7_001);
  story.tick(8_000);
  assert.deepEqual(story.step(presenceNotWritten(8_000, "failed"), 10_000), []);
  assert.deepEqual(story.step(peerHeard("node-b", 17_000), 17_000), [writePresence(0)]);
  const back = story.step(peerHeard("node-b", 17_001), 17_001);
  assert.deepEqual(back, gained("resumed", 1, "node-a"));
});

test("a node ignores another host on a VIP that it does not own", () => {
  const story = Story.joined({ vips: [vipRecord("node-b", 1, 60)], members: [B] });
  assert.deepEqual(story.step(heard(), 4_000), []);
});

for (const [what, said] of [
  ["claims it", peerClaim("node-b", entry("1+1"))],
  ["has it in its table", peerTable("node-b", entry("1+1"))],
  ["has it in its table now", peerTableChange("node-b", [entry("1+1")], [])],
] as const) {
  test(`an owner yields at once to a peer that ${what} at a higher epoch`, () => {
    const story = ownerWithB();
    const yielded = yieldedTo("node-b", 1, "1+1");
    assert.deepEqual(story.step(said, 4_000), yielded);
    assert.deepEqual(story.machine.owned(), []);
  });
}

test("an owner takes its VIP back when no table confirms the claim within 3 s", () => {
  const story = ownerWithB();
  story.step(peerClaim("node-b", entry("1+1")), 4_000);
  story.renew(5_000);
  assert.equal(story.nextDeadline(5_000), 7_000);
  assert.deepEqual(story.tick(6_999), []);
  assert.deepEqual(story.tick(7_000), gained("resumed", 1, "node-a"));
});

test("an owner that yielded takes nothing back once a table has confirmed the claim", () => {
  const story = ownerWithB();
  story.step(peerClaim("node-b", entry("1+1")), 4_000);
  assert.deepEqual(story.step(peerTable("node-b", entry("1+1")), 4_100), []);
  story.renew(5_000);
  assert.deepEqual(story.tick(7_000), []);
  assert.deepEqual(story.machine.owned(), []);
});

for (const [how, said] of [
  ["", peerTable("node-b")],
  [" since it changed", peerTableChange("node-b", [], [entry("1+1")])],
] as const) {
  test(`an owner takes its VIP back when the peer's table lists it no more${how}`, () => {
    const story = ownerWithB();
    story.step(peerTable("node-b", entry("1+1")), 4_000);
    const back = story.step(said, 4_500);
    assert.deepEqual(back, [...gained("resumed", 1, "node-a"), announce()]);
  });
}

test("an owner takes its VIP back from a peer that has started anew", () => {
  const story = ownerWithB();
  story.step(peerTable("node-b", entry("1+1")), 4_000);
  assert.deepEqual(story.step(peerHeard("node-b", 4_500), 4_500), [], "the same process");
  const anew = peerHeard("node-b", 4_600, { incarnation: 2 });
  assert.deepEqual(story.step(anew, 4_600), gained("resumed", 1, "node-a"));
});

test("an owner claims again when a peer's table has its VIP at a lower epoch, once a table", () => {
  const story = ownerWithB();
  assert.deepEqual(story.step(peerTable("node-b", entry("0+1")), 4_000), [claim(1), PEER]);
  assert.deepEqual(story.step(peerTable("node-b", entry("0+1")), 4_100), [], "the same");
  assert.deepEqual(story.step(peerTable("node-b", entry("0+2")), 4_200), [claim(1)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner announces when a peer's table lists its VIP no more: caches may still", () => {
  const story = ownerWithB();
  story.step(peerTable("node-b", entry("0+1")), 4_000);
  assert.deepEqual(story.step(peerTable("node-b"), 4_100), [announce()]);
  assert.deepEqual(story.step(peerTable("node-b"), 4_200), []);
});

test("an owner is silent of a lower claim: its table is on its way to the peer", () => {
  const story = ownerWithB();
  assert.deepEqual(story.step(peerClaim("node-b", entry("0+1")), 4_000), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("what a peer says of an address that is no VIP here changes nothing", () => {
  const story = ownerWithB();
  const other = entry(7, ip("192.168.1.99"));
  assert.deepEqual(story.step(peerClaim("node-b", other), 4_000), []);
  assert.deepEqual(story.step(peerTable("node-b", other), 4_100), []);
  assert.deepEqual(story.step(peerTable("node-b"), 4_200), []);
});

/** Rank a, c, b. Both have claimed an unheld VIP at 0+1. */
const TIES = [
  { node: "node-c", other: "node-b", isLost: false },
  { node: "node-c", other: "node-a", isLost: true },
  { node: "node-b", other: "node-c", isLost: true },
] as const;

for (const { node, other, isLost } of TIES) {
  const fate = isLost ? "is withdrawn" : "stands";
  test(`${node}'s claim ${fate} when it hears one of ${other} at the same epoch`, () => {
    const story = Story.joined({ node, members: [member(other)] });
    story.step(peerHeard(other, 400), 400);
    const due = other === "node-b" ? 3_000 : 3_200;
    assert.deepEqual(story.tick(due), claims(node, 1, null));
    const expected = isLost ? [WITHDRAW] : [];
    assert.deepEqual(story.step(peerClaim(other, entry("0+1")), due + 10), expected);
    const owns = isLost ? [] : gained("unheld", "0+1");
    assert.deepEqual(story.tick(due + 40), owns);
  });
}

test("an owner without a record yields at its own epoch to a peer that ranks before it", () => {
  const story = Story.joined({ node: "node-c", members: [member("node-a")] });
  story.step(peerHeard("node-a", 400), 400);
  story.tick(3_200);
  assert.deepEqual(story.tick(3_240), gained("unheld", "0+1"));
  const yielded = yieldedTo("node-a", "0+1", "0+1");
  assert.deepEqual(story.step(peerClaim("node-a", entry("0+1")), 3_250), yielded);
});

test("a claim that was withdrawn is made again when the better one was given up", () => {
  const story = Story.joined({ node: "node-c", members: [member("node-a")] });
  story.step(peerHeard("node-a", 400), 400);
  story.tick(3_200);
  story.step(peerClaim("node-a", entry("0+1")), 3_210);
  assert.deepEqual(story.step(vipNotWritten("conflict"), 3_220), [READ]);
  assert.deepEqual(story.step(recordsRead([]), 3_230), []);
  assert.equal(story.nextDeadline(3_230), 5_000);
  story.renew(5_000);
  assert.deepEqual(story.tick(6_209), []);
  assert.deepEqual(story.tick(6_210), []);
  assert.deepEqual(story.tick(6_410), claims("node-c", 1, null));
});
