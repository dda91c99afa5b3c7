// Stories of an owner: what makes it yield, release or write again, and what does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  announce,
  claims,
  ETH0,
  entry,
  epoch,
  gained,
  grant,
  heard,
  ip,
  lost,
  member,
  peerHeard,
  peerSilent,
  peerTable,
  presenceNotWritten,
  recordsRead,
  Story,
  segment,
  VIP,
  vip,
  vipNotWritten,
  vipRecord,
  vipWritten,
  writePresence,
  writeVip,
  yieldedTo,
} from "../../support/ownership-words.ts";

const READ = { type: "read-records" } as const;
const ETH1 = segment("eth1", "192.168.0.0/16");
const MINE = vipRecord("node-a", 1, 60);
const GONE: OwnershipEvent = { type: "vip-record-gone", address: VIP };

function watched(owner: string | null, epoch: number, version: number): OwnershipEvent {
  return { type: "vip-record", record: vipRecord(owner, epoch, version) };
}

test("an owner yields at a higher epoch of another, and looks again when that one may die", () => {
  const story = Story.owner([member("node-b")]);
  const yielded = lost("yielded", 1, 'to "node-b" at epoch 2');
  assert.deepEqual(story.step(watched("node-b", 2, 61), 4_000), yielded);
  assert.deepEqual(story.machine.owned(), []);
  story.renew(5_500);
  story.renew(10_500);
  assert.equal(story.nextDeadline(10_500), 15_000);
  assert.deepEqual(story.tick(15_000), [{ type: "read-member", node: "node-b" }]);
});

test("an owner writes a record again that names another at its own epoch: it was edited", () => {
  const story = Story.owner([member("node-b")]);
  assert.deepEqual(story.step(watched("node-b", 1, 61), 4_000), [writeVip("node-a", 2, 61)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an edited record gives a node nothing that a live owner has at that epoch", () => {
  const owners = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ vips: owners, members: [member("node-c")] });
  story.step(peerHeard("node-c", 400), 400);
  story.step(peerTable("node-c", entry(1)), 500);
  assert.deepEqual(story.step(watched("node-a", 1, 61), 4_000), []);
  story.renew(5_000);
  assert.deepEqual(story.machine.owned(), []);
  const taken = [...gained("resumed", 1, "node-a"), announce()];
  assert.deepEqual(story.step(peerTable("node-c"), 5_100), taken, "until the owner lets go");
});

test("a record edited to a node at the epoch of an owner that is silent gives it the VIP", () => {
  const owners = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ vips: owners, members: [member("node-b"), member("node-c")] });
  story.step(peerHeard("node-c", 400), 400);
  story.step(peerTable("node-c", entry(1)), 500);
  story.step(watched("node-a", 1, 61), 600);
  const silent = peerSilent("node-c", 4_000);
  assert.deepEqual(story.step(silent, 4_000), gained("resumed", 1, "node-a"));
});

/** node-c owns the VIP; then the API is away, and the record was edited to a peer that it hears. */
function editedWithoutApi(to: string): Story {
  const vips = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ node: "node-c", vips, members: [member(to)] });
  story.step(peerHeard(to, 400), 400);
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 5_001);
  assert.deepEqual(story.step(watched(to, 1, 61), 5_010), []);
  return story;
}

test("an owner that cannot write goes on until who is named answers, and ranks before it", () => {
  const story = editedWithoutApi("node-a");
  story.tick(5_100);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(peerTable("node-a", entry(1)), 5_200), yieldedTo("node-a", 1, 1));
});

test("an owner that cannot write goes on beside a named one that ranks after it", () => {
  const story = editedWithoutApi("node-b");
  story.step(peerTable("node-b", entry(1)), 5_200);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner goes on beside a named one after a write that may have been done", () => {
  const vips = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ node: "node-c", vips, members: [member("node-a")] });
  story.step(peerHeard("node-a", 400), 400);
  assert.deepEqual(story.step(watched("node-a", 1, 61), 4_000), [writeVip("node-c", 2, 61)]);
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 5_001);
  story.step(peerTable("node-a", entry(1)), 5_100);
  assert.deepEqual(story.step(vipNotWritten("failed"), 6_000), [READ]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner writes a record again whose epoch was lowered by hand", () => {
  const story = Story.joined({ vips: [vipRecord("node-a", 7, 60)] });
  assert.deepEqual(story.step(watched("node-a", 3, 61), 4_000), [writeVip("node-a", 8, 61)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner keeps its VIP against a record that comes late", () => {
  const story = Story.owner([member("node-b")]);
  assert.deepEqual(story.step(watched("node-b", 9, 59), 4_000), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner whose record somebody released or set back by hand writes it again", () => {
  for (const [owner, epoch] of [
    [null, 1],
    ["node-b", 0],
  ] as const) {
    const story = Story.owner([member("node-b")]);
    assert.deepEqual(story.step(watched(owner, epoch, 61), 4_000), [writeVip("node-a", 2, 61)]);
    assert.deepEqual(story.machine.owned(), [VIP]);
  }
});

test("a live owner whose record was deleted writes it again at once, and goes on answering", () => {
  const story = Story.owner();
  assert.deepEqual(story.step(GONE, 4_000), [writeVip("node-a", 2, null)]);
  const changed = { type: "vips", changed: [vip()], freed: [] } as const;
  assert.deepEqual(story.step(changed, 4_001), [], "one write at a time");
  const written = vipWritten(vipRecord("node-a", 2, 70));
  assert.deepEqual(story.step(written, 4_010), [grant(2)]);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner whose rewriting failed reads, and tries again after retryMs", () => {
  const story = Story.owner();
  story.step(GONE, 4_000);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_100), [READ]);
  assert.deepEqual(story.step(recordsRead([]), 4_110), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.equal(story.nextDeadline(4_110), 5_000);
  story.renew(5_000);
  assert.deepEqual(story.tick(5_099), []);
  assert.deepEqual(story.tick(5_100), [writeVip("node-a", 2, null)]);
});

test("an owner that finds another's record when it rewrites yields to a higher epoch only", () => {
  for (const [epoch, keeps] of [
    [1, true],
    [2, false],
  ] as const) {
    const story = Story.owner([member("node-b")]);
    story.step(GONE, 4_000);
    assert.deepEqual(story.step(vipNotWritten("conflict"), 4_010), [READ]);
    story.step(recordsRead([vipRecord("node-b", epoch, 61)]), 4_020);
    assert.deepEqual(story.machine.owned(), keeps ? [VIP] : []);
  }
});

test("the others leave a live owner the time to rewrite a record that was deleted", () => {
  const story = Story.joined({ vips: [vipRecord("node-c", 5, 50)], members: [member("node-c")] });
  assert.deepEqual(story.step(GONE, 4_000), []);
  assert.equal(story.nextDeadline(4_000), 5_000);
  assert.deepEqual(story.tick(4_999), []);
  // The epoch goes on from what was seen, also after the record is gone.
  const [told, ...written] = story.tick(5_000);
  assert.equal(told?.type, "claim");
  assert.deepEqual(written, [writeVip("node-a", 6, null), writePresence(0)]);
});

test("an owner that loses carrier stops answering, tells, and releases, in this order", () => {
  const story = Story.owner();
  const none = writePresence(0, { segments: [] });
  assert.deepEqual(story.step({ type: "segments", segments: [] }, 4_000), [
    { type: "revoke", address: VIP },
    {
      type: "record",
      change: {
        type: "lost",
        address: VIP,
        epoch: epoch(1),
        cause: "not-eligible",
        detail: "no interface with carrier and an address",
      },
    },
    writeVip(null, 1, 60),
    none,
  ]);
  assert.deepEqual(story.step(vipWritten(vipRecord(null, 1, 61)), 4_010), []);
  // With carrier again it is one of those who may claim, once it has listened.
  assert.deepEqual(story.step({ type: "segments", segments: [ETH0] }, 4_020), []);
  assert.equal(story.nextDeadline(4_020), 4_320);
  assert.deepEqual(story.tick(4_319), []);
  assert.deepEqual(story.tick(4_320), claims("node-a", 2, 61));
});

test("a release without an answer is written again once the records were read", () => {
  const story = Story.owner();
  story.step({ type: "segments", segments: [] }, 4_000);
  assert.deepEqual(story.step(vipNotWritten("failed"), 4_100), [READ]);
  assert.deepEqual(story.step(recordsRead([MINE]), 4_110), []);
  assert.deepEqual(story.tick(5_099), []);
  assert.deepEqual(story.tick(5_100), [writeVip(null, 1, 60)]);
});

test("an owner on another interface grants it anew and announces there, without a loss", () => {
  const story = Story.owner();
  assert.deepEqual(story.step({ type: "segments", segments: [ETH1] }, 4_000), [
    grant(1, { interfaces: ["eth1"] }),
    announce(),
    writePresence(0, { segments: [ETH1] }),
  ]);
});

test("an owner that no advertisement selects any more releases, with the reason", () => {
  const story = Story.owner();
  const refused = { allowed: false, reason: "no L2Advertisement selects it" } as const;
  const changed = [vip({ "node-a": refused })];
  assert.deepEqual(story.step({ type: "vips", changed, freed: [] }, 4_000), [
    ...lost("not-eligible", 1, "no L2Advertisement selects it"),
    writeVip(null, 1, 60),
  ]);
});

const UNHEALTHY = { ...ALLOWED, unhealthy: "not Ready" };

test("an unhealthy owner releases to a healthy member", () => {
  const story = Story.owner([member("node-b")]);
  const changed = [vip({ "node-a": UNHEALTHY })];
  assert.deepEqual(story.step({ type: "vips", changed, freed: [] }, 4_000), [
    ...lost("not-eligible", 1, "not Ready"),
    writeVip(null, 1, 60),
  ]);
});

test("an unhealthy owner keeps its VIP while nobody is healthier", () => {
  const story = Story.owner([member("node-b"), member("node-c", { holder: null })]);
  const changed = [vip({ "node-a": UNHEALTHY, "node-b": UNHEALTHY })];
  assert.deepEqual(story.step({ type: "vips", changed, freed: [] }, 4_000), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner keeps its VIP when a better-ranked node comes", () => {
  const options = { node: "node-b", vips: [vipRecord("node-b", 1, 60)] };
  const story = Story.joined(options);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step({ type: "member", record: member("node-a") }, 4_000), []);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("an owner of an address that is a VIP no more stops answering, and writes nothing", () => {
  const story = Story.owner();
  const effects = story.step({ type: "vips", changed: [], freed: [VIP] }, 4_000);
  assert.deepEqual(effects, lost("address-freed", 1, "no Service has the address"));
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.machine.views.records(), [MINE]);
  assert.equal(story.machine.views.view(VIP, bootMs(4_000)), null);
  assert.deepEqual(story.step(heard(), 4_100), []);
});

test("an address that comes back as a VIP is resumed by its record", () => {
  const story = Story.owner();
  story.step({ type: "vips", changed: [], freed: [VIP] }, 4_000);
  const effects = story.step({ type: "vips", changed: [vip()], freed: [] }, 4_100);
  assert.deepEqual(effects, gained("resumed", 1, "node-a"));
});

test("a claim whose address is freed meanwhile is not answered when it is written", () => {
  const story = Story.joined();
  story.tick(3_000);
  assert.deepEqual(story.step({ type: "vips", changed: [], freed: [VIP] }, 3_005), []);
  assert.deepEqual(story.step(vipWritten(MINE), 3_010), []);
  assert.deepEqual(story.machine.owned(), []);
  assert.deepEqual(story.machine.views.records(), [MINE]);
});

test("each VIP is decided on its own", () => {
  const other = vip({ "node-a": UNHEALTHY }, ip("192.168.1.242"));
  const theirs = vipRecord("node-b", 3, 61, other.address);
  const story = Story.joined({
    specs: [vip(), other],
    vips: [MINE, theirs],
    members: [member("node-b")],
  });
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(GONE, 4_000), [writeVip("node-a", 2, null)]);
  assert.deepEqual(story.machine.views.records(), [theirs]);
});
