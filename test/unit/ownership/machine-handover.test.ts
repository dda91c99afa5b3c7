// Stories of a planned move: the owner asks the best of its peers, goes on until that one answers,
// and lets go when it hears so on the wire, whatever the record says (design, section 4.7).

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  claims,
  entry,
  epoch,
  gained,
  lost,
  macOf,
  member,
  peerClaim,
  peerHeard,
  peerOffer,
  peerTable,
  peerTableChange,
  Story,
  VIP,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
  yieldedTo,
} from "../../support/ownership-words.ts";

const C = member("node-c");
const OFFER = {
  type: "offer",
  address: VIP,
  epoch: epoch(1),
  interface: "eth0",
  to: "node-c",
} as const;

/** node-a owns the VIP at epoch 1 and hears node-c, which ranks next. */
function owner(): Story {
  const story = Story.owner([C]);
  story.step(peerHeard("node-c", 3_500), 3_500);
  return story;
}

test("an owner that stops asks the best of those it hears, and goes on answering", () => {
  const story = owner();
  assert.deepEqual(story.step({ type: "stop" }, 4_000), [OFFER]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("neither the claim nor the record ends it: only the taker's answering does", () => {
  const story = owner();
  story.step({ type: "stop" }, 4_000);
  assert.deepEqual(story.step(peerClaim("node-c", entry("1+1")), 4_001), []);
  const record = vipRecord("node-c", 2, 70);
  assert.deepEqual(story.step({ type: "vip-record", record }, 4_005), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  const yielded = lost("handed-over", 1, 'to "node-c" at epoch 2: daemon stops');
  const done = story.step(peerClaim("node-c", entry(2)), 4_010);
  assert.deepEqual(done.slice(0, yielded.length), yielded);
  assert.deepEqual(story.machine.owned(), []);
});

for (const listed of [
  peerTable("node-c", entry("1+1")),
  peerTableChange("node-c", [entry("1+1")], []),
]) {
  test(`a taker that cannot write has it once its table lists it: ${listed.type}`, () => {
    const story = owner();
    story.step({ type: "stop" }, 4_000);
    story.step(peerClaim("node-c", entry("1+1")), 4_001);
    story.step(peerClaim("node-c", entry("1+1")), 4_002);
    assert.deepEqual(story.machine.owned(), [VIP]);
    story.step(listed, 4_042);
    assert.deepEqual(story.machine.owned(), []);
  });
}

test("who is asked has it at the same epoch: the table of the better one ends the tenure", () => {
  const vips = [vipRecord(null, 1, 60)];
  const story = Story.joined({ node: "node-c", vips, members: [member("node-a")] });
  story.tick(3_030);
  assert.deepEqual(story.tick(3_070), gained("released", "1+1"));
  story.step({ type: "drain", force: false }, 3_100);
  const offers = story.step(peerHeard("node-a", 4_000), 4_000);
  assert.deepEqual(offers, [{ ...OFFER, epoch: epoch("1+1"), to: "node-a" }]);
  story.step(peerClaim("node-a", entry("1+1")), 4_001);
  assert.deepEqual(story.machine.owned(), [VIP], "it may not answer yet");
  const ended = yieldedTo("node-a", "1+1", "1+1");
  assert.deepEqual(story.step(peerTable("node-a", entry("1+1")), 4_100), ended);
});

test("a taker that gives its claim up has not taken it: the owner goes on, and asks again", () => {
  const story = owner();
  story.step({ type: "drain", force: false }, 4_000);
  story.step(peerClaim("node-c", entry("1+1")), 4_005);
  story.step(peerTable("node-c"), 4_020);
  const asked: number[] = [];
  for (let now = 4_020; now < 12_500; now = story.nextDeadline(now)) {
    const effects = story.tick(now);
    if (effects.some(({ type }) => type === "offer")) asked.push(now);
    assert.deepEqual(story.machine.owned(), [VIP], `${now}`);
  }
  assert.deepEqual(
    asked,
    [12_005, 12_255],
    "once the claim counts no more, and five seconds later",
  );
});

test("a taker that the record names has it after a second, though it was not heard", () => {
  const story = owner();
  story.step({ type: "drain", force: false }, 4_000);
  story.step(peerClaim("node-c", entry("1+1")), 4_005);
  story.step({ type: "vip-record", record: vipRecord("node-c", 2, 70) }, 4_010);
  assert.deepEqual(story.tick(4_999), []);
  story.tick(5_000);
  assert.deepEqual(story.machine.owned(), []);
});

test("nobody takes it within a second: it is released, as without anybody to ask", () => {
  const story = owner();
  story.step({ type: "stop" }, 4_000);
  assert.deepEqual(story.tick(4_249), []);
  assert.deepEqual(story.tick(4_250), [OFFER], "a datagram may be lost");
  const released = [...lost("stopping", 1, "daemon stops"), writeVip(null, 1, 60)];
  assert.deepEqual(story.tick(5_000).slice(0, released.length), released);
});

test("an owner that hears nobody releases at once", () => {
  const story = Story.owner([C]);
  const released = [...lost("stopping", 1, "daemon stops"), writeVip(null, 1, 60)];
  assert.deepEqual(story.step({ type: "stop" }, 4_000), released);
});

test("whoever is asked claims at once, whatever its rank", () => {
  const story = Story.joined({
    node: "node-b",
    vips: [vipRecord("node-a", 1, 60)],
    members: [member("node-a"), C],
  });
  for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
  const offer = peerOffer("node-a", 4_000, entry(1));
  assert.deepEqual(story.step(offer, 4_000), claims("node-b", 2, 60));
  const written = vipWritten(vipRecord("node-b", 2, 61));
  assert.deepEqual(story.step(written, 4_010), gained("handed-over", 2, "node-a"));
});

test("whoever took a VIP over reports no conflict when the former owner is still heard", () => {
  const vips = [vipRecord("node-a", 1, 60)];
  const story = Story.joined({ node: "node-b", vips, members: [member("node-a"), C] });
  for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
  story.step(peerOffer("node-a", 4_000, entry(1)), 4_000);
  story.step(vipWritten(vipRecord("node-b", 2, 61)), 4_010);
  const its = { type: "heard", address: VIP, interface: "eth0", mac: macOf("node-a") } as const;
  const kinds = (at: number) => story.step(its, at).map(({ type }) => type);
  assert.deepEqual(kinds(4_020), ["claim"]);
  assert.ok(kinds(9_000).includes("conflict"), "not for ever");
});

for (const [late, isTaken] of [
  [999, true],
  [1_000, false],
  [30_000, false],
] as const) {
  test(`an offer that waited ${late} ms in a queue is taken: ${isTaken}`, () => {
    const vips = [vipRecord("node-a", 1, 60)];
    const story = Story.joined({ node: "node-b", vips, members: [member("node-a"), C] });
    for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
    const effects = story.step(peerOffer("node-a", 1_000, entry(1)), 1_000 + late);
    assert.equal(
      effects.some(({ type }) => type === "claim"),
      isTaken,
    );
  });
}

test("an offer of a tenure that is over, or by somebody who has it not, is nothing", () => {
  for (const offer of [
    peerOffer("node-a", 4_000, entry(1)),
    peerOffer("node-c", 4_000, entry(9)),
  ]) {
    const story = Story.joined({
      node: "node-b",
      vips: [vipRecord("node-a", 2, 60)],
      members: [member("node-a"), C],
    });
    for (const node of ["node-a", "node-c"]) story.step(peerHeard(node, 400), 400);
    assert.deepEqual(story.step(offer, 4_000), []);
    assert.deepEqual(story.tick(5_500).includes(writePresence(0)), false);
  }
});
