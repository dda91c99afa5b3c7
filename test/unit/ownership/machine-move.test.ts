// Stories of moves: one that somebody asks for, and the way back to the node that ranks first.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import type { OwnershipEffect, OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  entry,
  epoch,
  ip,
  lost,
  member,
  offersUntil,
  peerClaim,
  peerHeard,
  peerSilent,
  Story,
  VIP,
  vip,
  vipRecord,
  writeVip,
} from "../../support/ownership-words.ts";

const [A, B, C] = [member("node-a"), member("node-b"), member("node-c")];

function offer(to: string, at = 1, address = VIP): OwnershipEffect {
  return { type: "offer", address, epoch: epoch(at), interface: "eth0", to };
}

function move(to: string, address = VIP): OwnershipEvent {
  return { type: "move", address, to };
}

/** node-a owns the VIP at epoch 1 and hears node-c, which ranks next, and node-b. */
function owner(): Story {
  const story = Story.owner([B, C]);
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 400), 400);
  return story;
}

const NOWHERE = ["node-a", "node-d", ""];

for (const to of NOWHERE) {
  test(`a move to "${to}", which cannot take it, is given up at once`, () => {
    const story = owner();
    assert.deepEqual(story.step(move(to), 1_000), []);
    assert.deepEqual(offersUntil(story, 1_000, 4_900), []);
    assert.deepEqual(story.machine.owned(), [VIP]);
  });
}

test("a move of what this node has not, or knows not, is nothing", () => {
  const vips = [vipRecord("node-c", 1, 60)];
  const story = Story.joined({ vips, members: [B, C] });
  for (const node of ["node-b", "node-c"]) story.step(peerHeard(node, 400), 400);
  assert.deepEqual(story.step(move("node-b"), 500), []);
  assert.deepEqual(story.step(move("node-b", ip("192.168.1.9")), 500), []);
});

test("a move asks the chosen node, whatever its rank, and lets go when that answers", () => {
  const story = owner();
  assert.deepEqual(story.step(move("node-b"), 1_000), [offer("node-b")]);
  story.step(peerClaim("node-b", entry("1+1")), 1_005);
  assert.deepEqual(story.machine.owned(), [VIP]);
  const why = 'to "node-b" at epoch 2: moved on request';
  const done = story.step(peerClaim("node-b", entry(2)), 1_010);
  assert.deepEqual(done, lost("handed-over", 1, why));
});

test("a move that is not taken is given up after a second, and asked of nobody else", () => {
  const story = owner();
  story.step(move("node-b"), 1_000);
  assert.deepEqual(
    offersUntil(story, 1_000, 4_900),
    [1_250, 1_500, 1_750].map((at) => `${at} ${VIP} to node-b`),
  );
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a move that was given up can be asked for again at once", () => {
  const story = owner();
  story.step(move("node-b"), 1_000);
  offersUntil(story, 1_000, 2_000);
  assert.deepEqual(story.step(move("node-b"), 2_001), [offer("node-b")]);
});

test("a move to another node follows when the first is not taken", () => {
  const story = owner();
  story.step(move("node-b"), 1_000);
  assert.deepEqual(story.step(move("node-c"), 1_100), []);
  assert.deepEqual(offersUntil(story, 1_100, 2_000).at(-1), `2000 ${VIP} to node-c`);
});

test("a move is forgotten with the tenure that it was asked for", () => {
  const story = owner();
  story.step(peerHeard("node-b", 900, { state: "restarting" }), 900);
  story.step(move("node-b"), 1_000);
  story.step(peerClaim("node-c", entry("1+1")), 1_100);
  assert.deepEqual(story.machine.owned(), []);
  const record = vipRecord("node-a", 3, 80);
  story.step({ type: "vip-record", record }, 1_200);
  assert.deepEqual(story.machine.owned(), [VIP]);
  assert.deepEqual(story.step(peerHeard("node-b", 1_300), 1_300), []);
});

/** node-b owns VIPs; node-a ranks first for all of them, and is heard from `heardAt` on. */
function preempting(addresses: readonly Ip[] = [VIP], heardAt = 400, preempt = true): Story {
  const specs = addresses.map((address) => vip({}, address));
  const vips = addresses.map((address, n) => vipRecord("node-b", 1, 60 + n, address));
  const story = Story.joined({ node: "node-b", specs, vips, members: [A, C], preempt });
  story.step(peerHeard("node-a", heardAt), heardAt);
  return story;
}

test("preempt: back to the first in rank once that was heard for ten seconds, not before", () => {
  assert.equal(DEFAULT_TIMINGS.preemptDelayMs, 10_000);
  const story = preempting();
  assert.deepEqual(offersUntil(story, 400, 10_399), []);
  assert.deepEqual(offersUntil(story, 10_399, 10_400), [`10400 ${VIP} to node-a`]);
});

test("without preempt nothing goes back", () => {
  const story = preempting([VIP], 400, false);
  assert.deepEqual(offersUntil(story, 400, 14_000), []);
});

test("preempt: a node that starts anew is there from then on", () => {
  const story = preempting();
  story.step(peerHeard("node-a", 5_000, { incarnation: 2 }), 5_000);
  assert.deepEqual(offersUntil(story, 5_000, 14_999), []);
  assert.deepEqual(offersUntil(story, 14_999, 15_000), [`15000 ${VIP} to node-a`]);
});

test("preempt: nothing goes to the second in rank, nor to one that is not well", () => {
  const story = preempting();
  story.step(peerHeard("node-a", 500, { state: "draining" }), 500);
  assert.deepEqual(offersUntil(story, 500, 14_000), []);
  const other = preempting();
  const changed = [vip({ "node-a": { ...ALLOWED, unhealthy: "not Ready" } })];
  other.step({ type: "vips", changed, freed: [] }, 500);
  assert.deepEqual(offersUntil(other, 500, 14_000), []);
});

test("preempt: to the one that is preferred, and not away from it", () => {
  const prefer = (node: string) => [vip({ [node]: { ...ALLOWED, preference: 5 } })];
  const away = preempting();
  away.step(peerHeard("node-c", 400), 400);
  away.step({ type: "vips", changed: prefer("node-c"), freed: [] }, 500);
  assert.deepEqual(offersUntil(away, 500, 10_400), [`10400 ${VIP} to node-c`]);
  const there = preempting();
  there.step({ type: "vips", changed: prefer("node-b"), freed: [] }, 500);
  assert.deepEqual(offersUntil(there, 500, 14_000), []);
});

test("preempt: one after the other, a tenth of a second apart", () => {
  assert.equal(DEFAULT_TIMINGS.moveGapMs, 100);
  const addresses = [VIP, ip("192.168.1.243"), ip("192.168.1.250")];
  const story = preempting(addresses);
  const first = offersUntil(story, 400, 10_649);
  assert.deepEqual(
    first,
    addresses.map((address, n) => `${10_400 + 100 * n} ${address} to node-a`),
  );
});

test("preempt: a VIP that waits for its turn is looked after meanwhile", () => {
  const addresses = [VIP, ip("192.168.1.243")];
  const story = preempting(addresses);
  offersUntil(story, 400, 10_400);
  const lowered = vipRecord("node-b", 0, 90, addresses[1]);
  const repair = writeVip("node-b", 2, 90, addresses[1]);
  assert.deepEqual(story.step({ type: "vip-record", record: lowered }, 10_410), [repair]);
});

test("preempt: what is not taken stays, and is offered again five seconds later", () => {
  const story = preempting();
  const asked = offersUntil(story, 400, 16_399);
  const again = [10_400, 10_650, 10_900, 11_150].map((at) => `${at} ${VIP} to node-a`);
  assert.deepEqual(asked, again);
  assert.deepEqual(offersUntil(story, 16_399, 16_400), [`16400 ${VIP} to node-a`]);
});

test("preempt: an offer ends with the silence of the node, and begins with its return", () => {
  const story = preempting();
  offersUntil(story, 400, 10_400);
  story.step(peerSilent("node-a", 10_700), 10_700);
  assert.deepEqual(offersUntil(story, 10_700, 12_000), []);
  story.step(peerHeard("node-a", 12_000), 12_000);
  assert.deepEqual(offersUntil(story, 12_000, 21_999), []);
});
