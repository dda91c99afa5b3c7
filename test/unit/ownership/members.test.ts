// Tests of what is thought of the other nodes: by what was seen here, confirmed by a read, excused
// after an outage of this node's own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import type { MemberStatus } from "../../../src/ownership/members.ts";
import { Members } from "../../../src/ownership/members.ts";
import type { MemberRecord } from "../../../src/ownership/types.ts";
import { ETH0, member, segment } from "../../support/ownership-words.ts";

const START = bootMs(1_000);
const EXPIRY = bootMs(16_000);
const LONG_AFTER = bootMs(100_000);
const B = member("node-b");

/** node-b, seen at START. */
function members(): Members {
  const made = new Members({ leaseDurationMs: 15_000, retryMs: 1_000 });
  assert.equal(made.observe(B, START), true);
  return made;
}

function statuses(made: Members, ...times: readonly number[]): MemberStatus[] {
  return times.map((now) => made.status("node-b", bootMs(now)));
}

interface Seen {
  readonly name: string;
  readonly record: MemberRecord;
  readonly at: number;
  readonly isNews: boolean;
  /** Just before and at the expiry by the first sight, and 15 s after the second. */
  readonly statuses: readonly MemberStatus[];
}

const SEEN: readonly Seen[] = [
  {
    name: "ignores a record that comes late",
    record: member("node-b", { resourceVersion: "9", renewal: "r0", holder: null }),
    at: 6_000,
    isNews: false,
    statuses: ["alive", "suspect", "suspect"],
  },
  {
    name: "takes the same renewal for no sign of life",
    record: member("node-b", { resourceVersion: "11" }),
    at: 6_000,
    isNews: false,
    statuses: ["alive", "suspect", "suspect"],
  },
  {
    name: "takes a new renewal for a sign of life, and not for news",
    record: member("node-b", { resourceVersion: "11", renewal: "r2" }),
    at: 6_000,
    isNews: false,
    statuses: ["alive", "alive", "suspect"],
  },
  {
    name: "says that a Lease given up is news",
    record: member("node-b", { resourceVersion: "11", renewal: "r2", holder: null }),
    at: 6_000,
    isNews: true,
    statuses: ["stopped", "stopped", "stopped"],
  },
  {
    name: "says that other segments are news",
    record: member("node-b", { resourceVersion: "11", renewal: "r2", segments: [ETH0] }),
    at: 6_000,
    isNews: true,
    statuses: ["alive", "alive", "suspect"],
  },
  {
    name: "says that a suspect's renewal is news",
    record: member("node-b", { resourceVersion: "11", renewal: "r2" }),
    at: 16_000,
    isNews: true,
    statuses: ["alive", "alive", "suspect"],
  },
];

for (const { name, record, at, isNews, statuses: expected } of SEEN) {
  test(`Members.observe() ${name}`, () => {
    const made = members();
    assert.equal(made.observe(record, bootMs(at)), isNews);
    assert.deepEqual(statuses(made, 15_999, 16_000, at + 15_000), expected);
  });
}

test("Members.observe() says that another prefix on the same interface is news", () => {
  const made = members();
  const on = (version: string, prefix: string): MemberRecord =>
    member("node-b", { resourceVersion: version, segments: [segment("eth0", prefix)] });
  assert.equal(made.observe(on("11", "10.0.0.0/24"), START), true);
  assert.equal(made.observe(on("12", "10.0.0.0/24"), START), false);
  assert.equal(made.observe(on("13", "10.0.1.0/24"), START), true);
  assert.deepEqual(made.segments("node-b"), [segment("eth0", "10.0.1.0/24")]);
});

test("Members.confirm() with nothing new makes a suspect down, for one Lease duration", () => {
  const made = members();
  made.confirm("node-b", B, EXPIRY);
  assert.deepEqual(statuses(made, 16_000, 30_999, 31_000), ["down", "down", "suspect"]);
});

test("Members.confirm() that there is no Lease makes a suspect down", () => {
  const made = members();
  made.confirm("node-b", null, EXPIRY);
  assert.equal(made.status("node-b", EXPIRY), "down");
});

test("Members.confirm() with a renewal shows that the node lives", () => {
  const made = members();
  made.confirm("node-b", member("node-b", { renewal: "r2", resourceVersion: "11" }), EXPIRY);
  assert.deepEqual(statuses(made, 16_000, 30_999, 31_000), ["alive", "alive", "suspect"]);
});

test("Members.confirm() without an answer leaves a suspect one", () => {
  const made = members();
  assert.equal(made.shouldRead("node-b", EXPIRY), true);
  made.confirm("node-b", "failed", EXPIRY);
  assert.equal(made.status("node-b", EXPIRY), "suspect");
  assert.equal(made.shouldRead("node-b", bootMs(16_999)), false);
  assert.equal(made.shouldRead("node-b", bootMs(17_000)), true);
});

test("Members.confirm() of a node that is alive says nothing of later", () => {
  const made = members();
  made.confirm("node-b", B, bootMs(15_999));
  assert.equal(made.status("node-b", EXPIRY), "suspect");
});

test("Members.observe() of a renewal takes a verdict back", () => {
  const made = members();
  made.confirm("node-b", B, EXPIRY);
  const renewed = member("node-b", { renewal: "r2", resourceVersion: "11" });
  assert.equal(made.observe(renewed, bootMs(17_000)), true);
  assert.deepEqual(statuses(made, 17_000, 32_000), ["alive", "suspect"]);
});

test("Members.shouldRead() asks once, again after retryMs, and at once after an answer", () => {
  const made = members();
  const asks = [16_000, 16_001, 16_999, 17_000, 17_001].map((now) =>
    made.shouldRead("node-b", bootMs(now)),
  );
  assert.deepEqual(asks, [true, false, false, true, false]);
  made.confirm("node-b", B, bootMs(17_001));
  assert.equal(made.shouldRead("node-b", bootMs(17_001)), true);
});

test("Members.deadline() is the expiry, then the next read, then never", () => {
  const made = members();
  assert.equal(made.deadline("node-b", START), 16_000);
  made.shouldRead("node-b", bootMs(16_500));
  assert.equal(made.deadline("node-b", bootMs(16_600)), 17_500);
  made.confirm("node-b", B, bootMs(16_700));
  assert.equal(made.deadline("node-b", bootMs(16_700)), NEVER);
});

test("Members.nextExpiry() is that of the first of those alive", () => {
  const made = members();
  made.observe(member("node-c"), bootMs(5_000));
  made.observe(member("node-d", { holder: null }), bootMs(500));
  assert.equal(made.nextExpiry(bootMs(5_000)), 16_000);
  assert.deepEqual(made.alive(bootMs(15_999)), ["node-b", "node-c"]);
  assert.equal(made.nextExpiry(EXPIRY), 20_000);
  assert.deepEqual(made.alive(EXPIRY), ["node-c"]);
  assert.equal(made.nextExpiry(bootMs(20_000)), NEVER);
});

test("Members.excuseSilence() gives everyone the grace, and shortens nobody's time", () => {
  const made = members();
  made.observe(member("node-c"), bootMs(19_000));
  made.confirm("node-b", B, EXPIRY);
  made.excuseSilence(5_000, bootMs(20_000));
  assert.deepEqual(statuses(made, 20_000, 24_999, 25_000), ["alive", "alive", "suspect"]);
  assert.equal(made.deadline("node-c", bootMs(20_000)), 34_000);
});

test("Members.excuseSilence() brings nobody back who gave its Lease up", () => {
  const made = members();
  made.observe(member("node-b", { resourceVersion: "11", holder: null }), START);
  made.excuseSilence(5_000, LONG_AFTER);
  assert.equal(made.status("node-b", LONG_AFTER), "stopped");
});

test("Members.forget() counts a node as not renewed since it was last seen", () => {
  const made = members();
  made.forget("node-b");
  made.forget("node-z");
  assert.deepEqual(statuses(made, 15_999, 16_000), ["alive", "suspect"]);
  assert.equal(made.holder("node-b"), null);
  assert.deepEqual(made.names(), ["node-b"]);
  // Made anew: whatever its version, it is the record now.
  assert.equal(made.observe(member("node-b", { resourceVersion: "3" }), EXPIRY), true);
  assert.equal(made.holder("node-b"), "node-b/1");
  assert.equal(made.status("node-b", EXPIRY), "alive");
});

test("Members.status() of a node that was never seen counts from the question", () => {
  const made = members();
  assert.equal(made.isKnown("node-z"), false);
  assert.equal(made.status("node-z", START), "alive");
  assert.equal(made.isKnown("node-z"), true);
  assert.equal(made.status("node-z", bootMs(15_999)), "alive");
  assert.equal(made.status("node-z", EXPIRY), "suspect");
  assert.equal(made.segments("node-z"), null);
});

test("Members.prune() drops a node whose Lease was deleted long ago, and no other", () => {
  const made = members();
  const names = (now: number, isNeeded: (node: string) => boolean = () => false) => {
    made.prune(isNeeded, bootMs(now));
    return made.names();
  };
  assert.deepEqual(names(LONG_AFTER), ["node-b"], "its Lease is there");
  made.forget("node-b");
  assert.deepEqual(names(START + 29_999), ["node-b"], "it may be alive");
  assert.deepEqual(
    names(LONG_AFTER, (node) => node === "node-b"),
    ["node-b"],
    "a VIP names it",
  );
  assert.deepEqual(names(LONG_AFTER), []);
});
