// Tests of who takes part: what node Leases change, and the nodes that are expected because they
// were there before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs } from "../../../src/core/time.ts";
import { Members } from "../../../src/ownership/members.ts";
import { Membership } from "../../../src/ownership/membership.ts";
import { Neighbours } from "../../../src/ownership/neighbours.ts";
import { Presence } from "../../../src/ownership/presence.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import { ETH0, macOf, member, segment } from "../../support/ownership-words.ts";

const NOW = bootMs(0);
const ETH1 = segment("eth1", "10.1.0.0/16");

/** Of node-a. */
class Bench {
  readonly members = new Members(DEFAULT_TIMINGS);
  readonly neighbours = new Neighbours();
  readonly presence = new Presence(DEFAULT_TIMINGS);
  isStopping = false;
  evaluations = 0;
  readonly membership = new Membership({
    node: "node-a",
    members: this.members,
    neighbours: this.neighbours,
    presence: this.presence,
    isStopping: () => this.isStopping,
    isHolder: () => false,
    evaluateAll: () => {
      this.evaluations += 1;
    },
  });

  hear(node: string, name = "eth0"): void {
    const about = { state: "live", mac: macOf(node), incarnation: 1, holdMs: 300 } as const;
    this.neighbours.heard(node, name, { ...about, isProven: true, at: NOW });
  }

  fallSilent(node: string, name = "eth0"): void {
    this.neighbours.silent(node, name, { answers: false, gateway: null, heard: [], at: NOW });
  }

  expected(name = "eth0"): string[] {
    const nodes = [...this.neighbours.on(name).keys()];
    return nodes.filter((node) => this.neighbours.isExpected(node, name));
  }
}

test("Membership.expect() expects the others on every interface, and not this node", () => {
  const { membership, ...bench } = new Bench();
  membership.onSegments([ETH0, ETH1], NOW);
  membership.expect(["node-a", "node-b"], NOW);
  assert.deepEqual([...bench.neighbours.on("eth0").keys()], ["node-b"]);
  assert.deepEqual([...bench.neighbours.on("eth1").keys()], ["node-b"]);
});

test("Membership.onSegments() expects them on an interface that comes later, too", () => {
  const bench = new Bench();
  bench.membership.expect(["node-b"], NOW);
  assert.deepEqual(bench.expected(), []);
  bench.membership.onSegments([ETH0], NOW);
  assert.deepEqual(bench.expected(), ["node-b"]);
  bench.membership.onSegments([ETH0, ETH1], NOW);
  assert.deepEqual([bench.expected(), bench.expected("eth1")], [["node-b"], ["node-b"]]);
});

test("Membership.onSegments() expects nobody anew who was heard there", () => {
  const bench = new Bench();
  bench.membership.onSegments([ETH0], NOW);
  bench.membership.expect(["node-b"], NOW);
  bench.hear("node-b");
  bench.membership.onSegments([ETH0], NOW);
  assert.deepEqual(bench.expected(), []);
});

test("Membership.onSegments(): members count after a loss of carrier, heard again or not", () => {
  const bench = new Bench();
  bench.membership.onSegments([ETH0], NOW);
  for (const node of ["node-b", "node-c", "node-d", "node-e"]) bench.hear(node);
  bench.membership.onSegments([], NOW);
  bench.membership.onSegments([ETH0], NOW);
  // One direction of the wire to node-d is broken; the segment falls apart: b | c, d, e.
  for (const node of ["node-b", "node-c", "node-e"]) bench.hear(node);
  const beside = { answers: false, gateway: true, heard: ["node-b"], at: NOW };
  for (const node of ["node-c", "node-e"]) bench.neighbours.silent(node, "eth0", beside);
  assert.equal(bench.neighbours.hearing("node-d", "eth0"), "silent");
  assert.equal(bench.neighbours.mayJudge("node-c", "eth0"), false);
});

for (const [how, after, hearing] of [
  ["with another address of the same prefix", segment("eth0", "192.168.1.0/24"), "silent"],
  ["with one prefix more", segment("eth0", "10.9.0.0/16", "192.168.1.0/24"), "silent"],
  ["on another segment", segment("eth0", "192.168.2.0/24"), "unknown"],
] as const) {
  test(`Membership.onSegments(): a member is ${hearing} where an interface is back ${how}`, () => {
    const bench = new Bench();
    bench.membership.onSegments([ETH0], NOW);
    bench.hear("node-b");
    bench.membership.onSegments([], NOW);
    bench.membership.onSegments([after], NOW);
    assert.equal(bench.neighbours.hearing("node-b", "eth0"), hearing);
  });
}

test("Membership.onRead() ends what is expected: the API tells who the members are", () => {
  const bench = new Bench();
  bench.membership.onSegments([ETH0], NOW);
  bench.membership.expect(["node-b", "node-c"], NOW);
  bench.membership.onRead([member("node-a", { resourceVersion: "7" }), member("node-c")], NOW);
  assert.deepEqual(bench.expected(), []);
  assert.deepEqual(bench.members.names(), ["node-c"]);
  assert.equal(bench.presence.resourceVersion, "7");
  bench.membership.onSegments([ETH0, ETH1], NOW);
  assert.deepEqual(bench.expected("eth1"), []);
});

const NEWS = [
  ["a node that is new", member("node-b", { resourceVersion: "20" }), 1],
  ["a Lease as it is known", member("node-c"), 0],
  ["a late one", member("node-c", { resourceVersion: "9", holder: null }), 0],
  ["a Lease that was given up", member("node-c", { resourceVersion: "11", holder: null }), 1],
  ["this node's own", member("node-a", { resourceVersion: "11" }), 0],
] as const;

for (const [name, record, evaluations] of NEWS) {
  test(`Membership.apply() of ${name} has every VIP looked at: ${evaluations} times`, () => {
    const bench = new Bench();
    bench.members.observe(member("node-c"), NOW);
    bench.membership.apply({ type: "member", record }, NOW);
    assert.equal(bench.evaluations, evaluations);
  });
}

test("Membership.apply() forgets whoever is silent and gave its Lease up, or lost it", () => {
  const released = member("node-b", { holder: null, resourceVersion: "11" });
  for (const event of [
    { type: "member", record: released },
    { type: "member-gone", node: "node-b" },
  ] as const) {
    const bench = new Bench();
    for (const node of ["node-b", "node-c"]) bench.hear(node);
    bench.fallSilent("node-b");
    bench.membership.apply(event, NOW);
    assert.deepEqual([...bench.neighbours.on("eth0").keys()], ["node-c"]);
  }
});

test("Membership.apply() makes this node's Lease anew when it is gone, not while it stops", () => {
  for (const isStopping of [false, true]) {
    const bench = new Bench();
    bench.isStopping = isStopping;
    bench.membership.apply({ type: "member-gone", node: "node-a" }, NOW);
    assert.equal(bench.presence.shouldWrite(NOW), !isStopping);
  }
});

test("Membership.apply() of a read confirms that another is down, and corrects this node", () => {
  const bench = new Bench();
  bench.members.observe(member("node-b"), NOW);
  const late = bootMs(DEFAULT_TIMINGS.leaseDurationMs);
  assert.equal(bench.members.status("node-b", late), "suspect");
  const read = { type: "member-read", node: "node-b", record: member("node-b") } as const;
  bench.membership.apply(read, late);
  assert.deepEqual([bench.members.status("node-b", late), bench.evaluations], ["down", 1]);
  const own = member("node-a", { resourceVersion: "77" });
  bench.membership.apply({ type: "member-read", node: "node-a", record: own }, late);
  assert.equal(bench.presence.resourceVersion, "77");
  assert.equal(bench.presence.shouldWrite(late), true);
});

test("Membership.apply() of a read of this node that failed changes nothing", () => {
  const bench = new Bench();
  bench.membership.apply({ type: "member-read", node: "node-a", record: "failed" }, NOW);
  assert.equal(bench.presence.shouldWrite(NOW), false);
});
