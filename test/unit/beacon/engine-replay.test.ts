// Tests of recorded datagrams that somebody sends again to an engine that does not know their
// sender, because it has just started or has forgotten it: nothing counts before a proof of life.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramBody } from "../../../src/beacon/body.ts";
import { Challenges } from "../../../src/beacon/challenges.ts";
import {
  BeaconBench,
  digestOf,
  entryOf,
  OWN_INCARNATION,
  OWN_NODE,
  type Packet,
  sha256,
  TestPeer,
} from "../../support/beacon-bench.ts";

const HEARD_B = "b #1 live 02:00:00:00:00:02";
const TO_B = "to 192.168.1.2";
const FIRST = challengeOf(1);

/** The n-th of this node's engine. */
function challengeOf(n: number): string {
  const about = { node: OWN_NODE, incarnation: OWN_INCARNATION, sha256 };
  const challenges = new Challenges(about);
  return Array.from({ length: n }, () => challenges.next()).at(-1) ?? "";
}

function proof(b: TestPeer, challenge: string): Packet {
  return b.datagram({ kind: "proof", challenge });
}

/** All that b says to anybody, one of each kind. */
function everything(b: TestPeer): Packet[] {
  const entries = [entryOf(1)];
  const digest = digestOf(entries);
  b.digest = digest;
  const bodies: DatagramBody[] = [
    { kind: "claim", entries },
    { kind: "offer", entries },
    { kind: "complaint", entries },
    { kind: "table", digest, page: 0, pages: 1, entries },
  ];
  return [b.beacon(), ...bodies.map((body) => b.datagram(body))];
}

test("BeaconEngine challenges who is heard first, and asks for the table once it is proven", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ proves: false }).hear(b.beacon());
  assert.deepEqual(bench.take(), [
    `0 eth0 unproven ${HEARD_B}`,
    `0 eth0 challenge ${FIRST} ${TO_B}`,
  ]);
  assert.deepEqual(
    bench.engine.peers().map(({ verdict }) => verdict),
    ["unproven"],
  );
  bench.run(2).hear(proof(b, FIRST));
  assert.deepEqual(bench.take(), [
    `2 eth0 heard ${HEARD_B}`,
    `2 eth0 table-request ${TO_B}`,
    "2 eth0 no table of b",
  ]);
  assert.deepEqual(
    bench.engine.peers().map(({ verdict }) => verdict),
    ["heard"],
  );
  bench.run(100).hear(b.beacon()).hear(proof(b, FIRST));
  assert.deepEqual(bench.take(/challenge|heard/), []);
});

test("BeaconEngine challenges with each beacon until there is a proof: some may be lost", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ proves: false }).hearEvery100(b, 0, 300);
  assert.deepEqual(bench.take(/challenge/), [
    `0 eth0 challenge ${FIRST} ${TO_B}`,
    `100 eth0 challenge ${FIRST} ${TO_B}`,
    `200 eth0 challenge ${FIRST} ${TO_B}`,
  ]);
  bench.hear(proof(b, FIRST));
  assert.deepEqual(bench.take(/heard/), [`200 eth0 heard ${HEARD_B}`]);
});

test("BeaconEngine that has just started believes nothing that was recorded of a peer", () => {
  const b = new TestPeer("b");
  // Also the proof that it gave to another life of this node.
  const recorded = [...everything(b), proof(b, challengeOf(2)), ...everything(b)];
  const bench = new BeaconBench({ proves: false });
  for (const packet of recorded) bench.hear(packet);
  assert.deepEqual(bench.take(), [
    `0 eth0 unproven ${HEARD_B}`,
    `0 eth0 challenge ${FIRST} ${TO_B}`,
    `0 eth0 challenge ${FIRST} ${TO_B}`,
  ]);
  assert.deepEqual(bench.engine.drops, { unproven: 8 });
  assert.deepEqual(bench.run(399).take(/silent/), ["300 eth0 silent b"]);
});

test("BeaconEngine takes no recording for new once the live sender has proven itself", () => {
  const b = new TestPeer("b");
  const recorded = everything(b);
  b.sequence += 1_000;
  const bench = new BeaconBench({ proves: false });
  const [beacon, ...others] = recorded;
  assert.ok(beacon !== undefined);
  // The recording comes first, and b answers what is asked because of it.
  bench.hear(beacon).hear(proof(b, FIRST));
  bench.take();
  for (const packet of others) bench.hear(packet);
  assert.deepEqual([bench.take(), bench.engine.drops], [[], { replay: 4 }]);
});

test("BeaconEngine hears the live one beside a recording of an earlier life of it", () => {
  const [old, live] = [new TestPeer("b"), new TestPeer("b")];
  live.incarnation = 2;
  const bench = new BeaconBench({ proves: false }).hear(old.beacon());
  bench.hear(live.beacon()).hear(old.beacon()).hear(proof(live, FIRST));
  assert.deepEqual(bench.take(/ heard/), [`0 eth0 heard ${HEARD_B.replace("#1", "#2")}`]);
  assert.deepEqual(bench.engine.drops, { replay: 1 });
});

test("BeaconEngine wants no new proof of a peer that starts anew: its numbers only grow", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ proves: false }).hear(b.beacon()).hear(proof(b, FIRST));
  bench.take();
  b.incarnation = 2;
  b.sequence = 0;
  bench.hear(b.beacon());
  assert.deepEqual(bench.take(/challenge|heard/), [`0 eth0 heard ${HEARD_B.replace("#1", "#2")}`]);
});

test("BeaconEngine wants another proof of a peer that it has forgotten", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ proves: false }).hear(b.beacon()).hear(proof(b, FIRST));
  const recorded = [b.beacon(), proof(b, FIRST)];
  bench.run(600_300).take();
  for (const packet of recorded) bench.hear(packet);
  assert.deepEqual(bench.take(/challenge|heard/), [
    `600300 eth0 challenge ${challengeOf(2)} ${TO_B}`,
  ]);
});

test("BeaconEngine believes no proof that comes when the peer is silent, until it is heard", () => {
  const b = new TestPeer("b");
  const bench = new BeaconBench({ proves: false }).hear(b.beacon()).run(350);
  bench.take();
  bench.hear(proof(b, FIRST));
  assert.deepEqual(bench.take(/heard/), []);
  bench.hear(b.beacon());
  assert.deepEqual(bench.take(/heard/), [`350 eth0 heard ${HEARD_B}`]);
});

test("BeaconEngine answers whoever challenges it, also before it speaks", () => {
  const b = new TestPeer("b");
  const challenge = "0123456789abcdef";
  const asks = () => b.datagram({ kind: "challenge", challenge });
  const bench = new BeaconBench().hear(asks());
  assert.deepEqual(bench.take(), [`0 eth0 proof ${challenge} ${TO_B}`]);
  assert.deepEqual([bench.engine.peers(), bench.engine.drops], [[], {}]);
  bench.hear(b.beacon()).take();
  bench.hear(asks());
  assert.deepEqual(bench.take(), [`0 eth0 proof ${challenge} ${TO_B}`]);
});

test("Challenges are never the same: for a node, a start of it, a question", () => {
  const seen = new Set<string>();
  for (const node of ["a", "b"]) {
    for (const incarnation of [1, 2, 11]) {
      const challenges = new Challenges({ node, incarnation, sha256 });
      for (let n = 0; n < 20; n++) seen.add(challenges.next());
    }
  }
  assert.equal(seen.size, 2 * 3 * 20);
  for (const challenge of seen) assert.match(challenge, /^[0-9a-f]{16}$/);
});
