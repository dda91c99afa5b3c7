// Stories of an owner that may own its VIP no longer: it hands over before it lets go, as long as
// there is somebody who hears it and can take it; among them the endpoints of a Local Service.

import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  NodePlacement,
  OwnershipEffect,
  OwnershipEvent,
  Serving,
  VipSpec,
} from "../../../src/ownership/types.ts";
import {
  ALLOWED,
  claims,
  entry,
  epoch,
  gained,
  lost,
  member,
  peerClaim,
  peerHeard,
  peerOffer,
  presenceNotWritten,
  Story,
  segment,
  VIP,
  vip,
  vipRecord,
  vipWritten,
  writeVip,
} from "../../support/ownership-words.ts";

const [A, B, C] = [member("node-a"), member("node-b"), member("node-c")];
const REFUSED: NodePlacement = { allowed: false, reason: "no L2Advertisement selects it" };
const SICK: NodePlacement = { ...ALLOWED, unhealthy: "not Ready" };
const NO_ENDPOINT = "no endpoint on it serves (externalTrafficPolicy: Local)";
const TERMINATING = "the last endpoints on it are terminating";

type Endpoints = Readonly<Record<string, "ready" | "terminating">>;

function offer(to: string, at = 1): OwnershipEffect {
  return { type: "offer", address: VIP, epoch: epoch(at), interface: "eth0", to };
}

function changed(spec: VipSpec): OwnershipEvent {
  return { type: "vips", changed: [spec], freed: [] };
}

function placed(placements: Readonly<Record<string, NodePlacement>>): OwnershipEvent {
  return changed(vip(placements));
}

function local(endpoints: Endpoints): VipSpec {
  const serving: Serving = new Map(Object.entries(endpoints));
  return { ...vip(), serving };
}

/** node-a owns the VIP at epoch 1, and hears these. */
function owner(...heard: readonly string[]): Story {
  const story = Story.owner([B, C]);
  for (const node of heard) story.step(peerHeard(node, 400), 400);
  return story;
}

function released(detail: string): OwnershipEffect[] {
  return [...lost("not-eligible", 1, detail), writeVip(null, 1, 60)];
}

/** Nothing happens by itself, however often it is asked to be woken. */
function assertQuiet(story: Story, from: number, end: number): void {
  for (let now = story.nextDeadline(from); now <= end; now = story.nextDeadline(now)) {
    assert.deepEqual(story.tick(now), [], `${now}`);
  }
}

interface Row {
  readonly name: string;
  readonly heard: readonly string[];
  readonly event: OwnershipEvent;
  readonly effects: readonly OwnershipEffect[];
}

const ROWS: readonly Row[] = [
  {
    name: "that nobody selects any more, with nobody heard, lets go at once",
    heard: [],
    event: placed({ "node-a": REFUSED }),
    effects: released(REFUSED.reason),
  },
  {
    name: "that is not well, with nobody heard but somebody alive, lets go at once",
    heard: [],
    event: placed({ "node-a": SICK }),
    effects: released("not Ready"),
  },
  {
    name: "whose segment is gone lets go at once, whoever was heard there",
    heard: ["node-b", "node-c"],
    event: { type: "segments", segments: [segment("eth1", "203.0.113.0/24")] },
    effects: released(`no interface with carrier has a prefix that holds ${VIP} (looked at eth1)`),
  },
  {
    name: "that is not well stays when nobody is better",
    heard: ["node-b", "node-c"],
    event: placed({ "node-a": SICK, "node-b": SICK, "node-c": REFUSED }),
    effects: [],
  },
  {
    name: "that nobody selects any more asks the best",
    heard: ["node-b", "node-c"],
    event: placed({ "node-a": REFUSED }),
    effects: [offer("node-c")],
  },
  {
    name: "that nobody selects any more asks one that is not well, with nobody better",
    heard: ["node-b", "node-c"],
    event: placed({ "node-a": REFUSED, "node-b": SICK, "node-c": REFUSED }),
    effects: [offer("node-b")],
  },
  {
    name: "that is not well asks the best of the healthy",
    heard: ["node-b", "node-c"],
    event: placed({ "node-a": SICK, "node-c": SICK }),
    effects: [offer("node-b")],
  },
  {
    name: "without an endpoint asks one that has one",
    heard: ["node-b", "node-c"],
    event: changed(local({ "node-b": "ready" })),
    effects: [offer("node-b")],
  },
  {
    name: "whose last endpoint terminates asks one that has one, not one whose does, too",
    heard: ["node-b", "node-c"],
    event: changed(local({ "node-a": "terminating", "node-b": "ready", "node-c": "terminating" })),
    effects: [offer("node-b")],
  },
  {
    name: "whose last endpoint terminates stays while nobody else has one",
    heard: ["node-b", "node-c"],
    event: changed(local({ "node-a": "terminating" })),
    effects: [],
  },
  {
    name: "of a Service without any endpoint lets go at once",
    heard: ["node-b", "node-c"],
    event: changed(local({})),
    effects: released("no endpoint of its Services serves"),
  },
];

for (const { name, heard, event, effects } of ROWS) {
  test(`an owner ${name}`, () => {
    const story = owner(...heard);
    const found = story.step(event, 1_000).filter(({ type }) => type !== "write-presence");
    assert.deepEqual(found, effects);
  });
}

for (const state of ["draining", "restarting", "stopping", "deaf"] as const) {
  test(`an owner that must go asks nobody who is ${state}`, () => {
    const story = owner("node-b");
    story.step(peerHeard("node-c", 500, { state }), 500);
    assert.deepEqual(story.step(placed({ "node-a": REFUSED }), 1_000), [offer("node-b")]);
  });
}

test("an owner that must go asks whom it hears, also when the Leases of all are old", () => {
  const story = owner("node-c");
  story.tick(5_000);
  story.step(presenceNotWritten(5_000, "failed"), 7_000);
  story.step({ type: "member-gone", node: "node-c" }, 19_000);
  story.tick(20_000);
  assert.deepEqual(story.step(placed({ "node-a": REFUSED }), 20_001), [offer("node-c")]);
});

test("an owner that must go lets go after a second for each that did not take it", () => {
  const story = owner("node-b", "node-c");
  const seen: string[] = [];
  const event = placed({ "node-a": REFUSED });
  let effects = story.step(event, 1_000);
  for (let now = 1_000; now < 3_500; ) {
    for (const effect of effects) {
      if (effect.type === "offer") seen.push(`${now} ${effect.to}`);
      if (effect.type === "record") seen.push(`${now} ${effect.change.type}`);
    }
    now = story.nextDeadline(now);
    effects = story.tick(now);
  }
  const asked = (node: string, at: number) => [0, 250, 500, 750].map((ms) => `${at + ms} ${node}`);
  assert.deepEqual(seen, [...asked("node-c", 1_000), ...asked("node-b", 2_000), "3000 lost"]);
});

test("an owner that may stay after all asks no more", () => {
  const story = owner("node-c");
  story.step(placed({ "node-a": REFUSED }), 1_000);
  assert.deepEqual(story.step(placed({}), 1_100), []);
  assertQuiet(story, 1_100, 4_000);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("the last endpoint terminates: the VIP goes to a node with a ready one, without a gap", () => {
  const spec = local({ "node-a": "terminating", "node-b": "ready" });
  const from = owner("node-b", "node-c");
  assert.deepEqual(from.step(changed(spec), 1_000), [offer("node-b")]);
  const to = Story.joined({
    node: "node-b",
    specs: [spec],
    vips: [vipRecord("node-a", 1, 60)],
    members: [A, C],
  });
  for (const node of ["node-a", "node-c"]) to.step(peerHeard(node, 400), 400);
  assert.deepEqual(to.step(peerOffer("node-a", 1_001, entry(1)), 1_001), claims("node-b", 2, 60));
  from.step(peerClaim("node-b", entry("1+1")), 1_002);
  assert.deepEqual(from.machine.owned(), [VIP]);
  const written = to.step(vipWritten(vipRecord("node-b", 2, 61)), 1_010);
  assert.deepEqual(written, gained("handed-over", 2, "node-a"));
  const why = `to "node-b" at epoch 2: ${TERMINATING}`;
  assert.deepEqual(from.step(peerClaim("node-b", entry(2)), 1_011), lost("handed-over", 1, why));
});

test("a taker whose endpoint is not known there yet takes the VIP once it is", () => {
  const to = Story.joined({
    node: "node-b",
    specs: [local({ "node-a": "ready" })],
    vips: [vipRecord("node-a", 1, 60)],
    members: [A, C],
  });
  to.step(peerHeard("node-a", 400), 400);
  assert.deepEqual(to.step(peerOffer("node-a", 1_000, entry(1)), 1_000), []);
  const spec = local({ "node-a": "terminating", "node-b": "ready" });
  assert.deepEqual(to.step(changed(spec), 1_700), claims("node-b", 2, 60));
});

test("a rollout moves the endpoints on before the VIP has followed: the next is asked", () => {
  const story = owner("node-b", "node-c");
  story.step(changed(local({ "node-a": "terminating", "node-b": "ready" })), 1_000);
  const on = local({ "node-a": "terminating", "node-b": "terminating", "node-c": "ready" });
  assert.deepEqual(story.step(changed(on), 1_100), []);
  assert.deepEqual(story.tick(2_000), [offer("node-c")]);
});

test("a rollout that comes back to the owner leaves the VIP where it is", () => {
  const story = owner("node-b", "node-c");
  story.step(changed(local({ "node-a": "terminating", "node-b": "ready" })), 1_000);
  story.step(changed(local({ "node-a": "ready", "node-b": "ready" })), 1_100);
  assertQuiet(story, 1_100, 4_000);
  assert.deepEqual(story.machine.owned(), [VIP]);
});

test("nobody else has an endpoint: the VIP stays until the last one is gone", () => {
  const story = owner("node-b", "node-c");
  assert.deepEqual(story.step(changed(local({ "node-a": "terminating" })), 1_000), []);
  assert.deepEqual(story.step(changed(local({})), 2_000), [
    ...released("no endpoint of its Services serves"),
  ]);
});

test("endpoints come back: whoever has one claims what was released", () => {
  const story = owner("node-b", "node-c");
  story.step(changed(local({})), 3_000);
  story.step(vipWritten(vipRecord(null, 1, 61)), 3_010);
  assert.deepEqual(story.step(changed(local({ "node-b": "ready" })), 3_500), []);
  const ready = local({ "node-a": "ready" });
  assert.deepEqual(story.step(changed(ready), 4_000), claims("node-a", 2, 61));
});

test("an owner without endpoints tells which nodes could not take it either", () => {
  const story = owner("node-b");
  story.step(changed(local({ "node-c": "ready" })), 1_000);
  assert.deepEqual(story.machine.owned(), [], "node-c is not heard here");
  const view = story.machine.views.view(VIP, 1_000 as never);
  const verdicts = view?.verdicts.map(({ node, verdict }) => [
    node,
    verdict.eligible ? verdict.interfaces : verdict.reason,
  ]);
  assert.deepEqual(verdicts, [
    ["node-a", NO_ENDPOINT],
    ["node-c", []],
    ["node-b", NO_ENDPOINT],
  ]);
});
