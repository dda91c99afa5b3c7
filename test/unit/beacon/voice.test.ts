// Tests of how a node speaks: what its datagrams say of it, when it can speak and when it is
// silent, and how often it tells of another host of its name.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramBody } from "../../../src/beacon/body.ts";
import { Voice } from "../../../src/beacon/voice.ts";
import { type Datagram, decodeDatagram } from "../../../src/beacon/wire.ts";
import { bootMs } from "../../../src/core/time.ts";
import {
  CLUSTER,
  ETH0,
  entryOf,
  KEY,
  OWN_INCARNATION,
  OWN_NODE,
} from "../../support/beacon-bench.ts";
import { hmac } from "../../support/beacon-datagrams.ts";

const OTHER_KEY = new Uint8Array(32).fill(0x33);
const BODY: DatagramBody = { kind: "claim", entries: [entryOf(1)] };
const NOW = bootMs(10_000);

function mute(): Voice {
  return new Voice({ node: OWN_NODE, incarnation: OWN_INCARNATION, hmac });
}

function voice(): Voice {
  const made = mute();
  made.setCluster(CLUSTER);
  made.setKey(KEY);
  return made;
}

/** What it says, as whoever has the key reads it. */
function said(made: Voice, key = KEY, now = NOW) {
  const bytes = made.say(BODY, ETH0.address, now);
  return bytes === null ? null : decodeDatagram(bytes, [key], hmac);
}

test("Voice says who speaks, from where, in which cluster, and numbers what it says from 1", () => {
  const made = voice();
  const head = { cluster: CLUSTER, node: OWN_NODE, incarnation: OWN_INCARNATION };
  for (const sequence of [1, 2, 3]) {
    const value: Datagram = { ...head, sequence, address: ETH0.address, body: BODY };
    assert.deepEqual(said(made), { ok: true, value });
  }
});

test("Voice is authenticated with the key that it was given last", () => {
  const made = voice();
  made.setKey(OTHER_KEY);
  assert.deepEqual(said(made, KEY), { ok: false, reason: "hmac" });
  assert.equal(said(made, OTHER_KEY)?.ok, true);
});

test("Voice can speak with a key and a cluster, whichever comes last, and says so once", () => {
  const first = mute();
  assert.equal(first.cluster, null);
  assert.deepEqual([first.setKey(KEY), first.setCluster(CLUSTER)], [false, true]);
  assert.deepEqual([first.setKey(OTHER_KEY), first.setCluster(CLUSTER)], [false, false]);
  assert.equal(first.cluster, CLUSTER);
  const second = mute();
  assert.deepEqual([second.setCluster(CLUSTER), second.setKey(KEY)], [false, true]);
  assert.deepEqual([second.setKey(null), second.setKey(null)], [false, false]);
  assert.equal(second.setKey(KEY), true, "it could not meanwhile");
});

for (const lacks of ["key", "cluster"] as const) {
  test(`Voice without a ${lacks} is silent, and does not count what it did not say`, () => {
    const made = mute();
    if (lacks !== "key") made.setKey(KEY);
    if (lacks !== "cluster") made.setCluster(CLUSTER);
    assert.deepEqual([made.isMuted(NOW), said(made)], [true, null]);
    made.setKey(KEY);
    made.setCluster(CLUSTER);
    assert.equal(made.isMuted(NOW), false);
    const read = said(made);
    assert.ok(read?.ok);
    assert.equal(read.value.sequence, 1);
  });
}

test("Voice that is muted is silent for 90 s", () => {
  const made = voice();
  made.mute(bootMs(900));
  for (const [at, isMuted] of [
    [10_000, true],
    [90_899, true],
    [90_900, false],
  ] as const) {
    assert.equal(made.isMuted(bootMs(at)), isMuted);
    assert.equal(said(made, KEY, bootMs(at)) === null, isMuted);
  }
});

test("Voice.takeConflictReport() is true at once, and then once a minute", () => {
  const made = voice();
  const times = [10_000, 10_001, 69_999, 70_000, 129_999, 130_000];
  assert.deepEqual(
    times.filter((at) => made.takeConflictReport(bootMs(at))),
    [10_000, 70_000, 130_000],
  );
});
