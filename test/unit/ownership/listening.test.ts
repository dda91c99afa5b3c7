// Tests of how long a node listens before it may own anything: by the hold as it is with the nodes
// that it knows of, from the records and from beacons, not as it was configured.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type BootMs, bootMs, NEVER } from "../../../src/core/time.ts";
import { Listening } from "../../../src/ownership/listening.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import {
  ETH0,
  gained,
  member,
  peerHeard,
  recordsRead,
  Story,
  VIP,
  vip,
  vipRecord,
} from "../../support/ownership-words.ts";

const MINE = vipRecord("node-a", 4, 60);

function many(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `node-${n}`);
}

/** With a hold that a test changes. */
class Bench {
  holdMs = 300;
  readonly listening = new Listening(() => this.holdMs);

  begin(holds: number, at: number): this {
    this.listening.begin(holds, bootMs(at));
    return this;
  }

  due(at: number): BootMs {
    return this.listening.nextDeadline(bootMs(at));
  }
}

test("Listening is over when as many holds have passed, and was before it began", () => {
  const bench = new Bench();
  assert.equal(bench.due(0), NEVER);
  assert.equal(bench.begin(1, 50).due(60), 350);
  assert.deepEqual(
    [349, 350].map((at) => bench.listening.isOver(bootMs(at))),
    [false, true],
  );
  assert.equal(bench.due(350), NEVER);
});

test("Listening that begins within a longer one does not end it, and the other way round", () => {
  assert.equal(new Bench().begin(3, 0).begin(1, 100).due(100), 900);
  assert.equal(new Bench().begin(3, 0).begin(1, 800).due(800), 1_100);
  assert.equal(new Bench().begin(1, 0).begin(3, 100).due(100), 1_000);
});

test("Listening goes on for as long as the hold is by now, and is not begun again by it", () => {
  const bench = new Bench().begin(1, 0);
  bench.holdMs = 771;
  assert.equal(bench.due(300), 771);
  bench.holdMs = 400;
  assert.equal(bench.due(300), 400);
  assert.equal(bench.listening.isOver(bootMs(400)), true);
  bench.holdMs = 771;
  assert.equal(bench.listening.isOver(bootMs(401)), true);
});

/** When a node that has read these members and heard that resumes what is its own. */
function resumesAt(members: readonly string[], ...heard: readonly OwnershipEvent[]): number {
  const records = members.map((name) => member(name));
  const story = Story.joining({ vips: [MINE], members: records });
  assert.deepEqual(story.step(recordsRead([MINE], records), 10), []);
  for (const event of heard) assert.deepEqual(story.step(event, 200), []);
  const at = story.nextDeadline(200);
  assert.deepEqual(story.tick(at - 1), []);
  assert.deepEqual(story.tick(at), gained("resumed", 4, "node-a"));
  return at;
}

const HEARD_MANY = many(150).map((node) => peerHeard(node, 200));

for (const [name, members, heard, expected] of [
  ["99 members", many(99), [], 300],
  ["199 members", many(199), [], 600],
  ["more members than a segment has", many(900), [], 771],
  ["150 that it hears, of whom no record tells", [], HEARD_MANY, 453],
  ["one that says it holds for longer", [], [peerHeard("node-b", 200, { holdMs: 480 })], 480],
  [
    "one that restarts",
    [],
    [peerHeard("node-b", 200, { holdMs: 10_000, state: "restarting" })],
    300,
  ],
] as const) {
  test(`a node that starts beside ${name} listens for ${expected} ms`, () => {
    assert.equal(resumesAt(members, ...heard), expected);
  });
}

test("a node that wakes listens for the hold of those that it knows", () => {
  const records = many(199).map((node) => member(node));
  const story = Story.joining({ vips: [MINE], members: records });
  story.step(recordsRead([MINE], records), 10);
  story.tick(600);
  assert.deepEqual(story.machine.owned(), [VIP]);
  story.step({ type: "lapsed", interface: "eth0", lapses: 1 }, 3_000);
  story.step(recordsRead([MINE], records), 3_010);
  assert.deepEqual([story.machine.owned(), story.nextDeadline(3_010)], [[], 3_600]);
  story.tick(3_599);
  assert.deepEqual(story.machine.owned(), []);
  story.tick(3_600);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("a node without the API listens for three holds as they are with those remembered", () => {
  const story = new Story();
  story.machine.start(bootMs(0));
  story.step({ type: "segments", segments: [ETH0] }, 0);
  story.step({ type: "vips", changed: [vip()], freed: [] }, 0);
  story.step({ type: "remembered", vips: [MINE], nodes: many(199) }, 0);
  assert.deepEqual(story.tick(1_799), []);
  assert.deepEqual(story.machine.owned(), []);
  story.tick(1_800);
  assert.deepEqual(story.machine.owned(), [VIP]);
});
