// Tests of what the segments show of the other nodes: who is heard, and whether this node may act
// on somebody's silence.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerState } from "../../../src/core/peer.ts";
import { bootMs } from "../../../src/core/time.ts";
import type { Hearing } from "../../../src/ownership/neighbours.ts";
import { MAJORITY_MS, Neighbours } from "../../../src/ownership/neighbours.ts";
import { macOf, OTHER_MAC } from "../../support/ownership-words.ts";

/** Of those that were heard beside a silent node. */
const ALL = ["a", "b", "c", "d"];

type How = Exclude<Hearing, "unknown">;

function hear(neighbours: Neighbours, node: string, at = 0, name = "eth0"): void {
  const about = { state: "live", mac: macOf(node), incarnation: 1, holdMs: 300 } as const;
  neighbours.heard(node, name, { ...about, isProven: true, at: bootMs(at) });
}

function silence(
  neighbours: Neighbours,
  node: string,
  news: { answers?: boolean; gateway?: boolean | null; heard?: string[]; at?: number } = {},
): void {
  const { answers = false, gateway = null, heard = ALL, at = 0 } = news;
  neighbours.silent(node, "eth0", { answers, gateway, heard, at: bootMs(at) });
}

/** All heard at 0; those that are not heard any more fell silent then. */
function neighboursOf(all: Readonly<Record<string, How>>, gateway: boolean | null = null) {
  const neighbours = new Neighbours();
  for (const [node, how] of Object.entries(all)) {
    hear(neighbours, node);
    if (how !== "heard") silence(neighbours, node, { answers: how === "answers", gateway });
  }
  return neighbours;
}

const JUDGEMENTS: readonly {
  readonly name: string;
  readonly others: Readonly<Record<string, How>>;
  readonly gateway?: boolean | null;
  readonly may: boolean;
}[] = [
  { name: "one of two, no gateway", others: { a: "silent" }, may: false },
  { name: "one of two, gateway silent", others: { a: "silent" }, gateway: false, may: false },
  { name: "one of two, gateway answers", others: { a: "silent" }, gateway: true, may: true },
  { name: "two of three", others: { a: "silent", b: "heard" }, may: true },
  {
    name: "two of three, gateway silent",
    others: { a: "silent", b: "heard" },
    gateway: false,
    may: true,
  },
  {
    name: "two of three, one of them without beacons",
    others: { a: "silent", b: "answers" },
    may: true,
  },
  { name: "one of three", others: { a: "silent", b: "silent" }, gateway: true, may: false },
  {
    name: "two of four, no gateway",
    others: { a: "silent", b: "silent", c: "heard" },
    may: false,
  },
  {
    name: "two of four, gateway answers",
    others: { a: "silent", b: "silent", c: "heard" },
    gateway: true,
    may: true,
  },
  {
    name: "two of five, gateway answers",
    others: { a: "silent", b: "silent", c: "silent", d: "heard" },
    gateway: true,
    may: false,
  },
];

for (const { name, others, gateway = null, may } of JUDGEMENTS) {
  test(`Neighbours.mayJudge() is ${may} for ${name}`, () => {
    assert.equal(neighboursOf(others, gateway).mayJudge("a", "eth0"), may);
  });
}

test("Neighbours.mayJudge() goes by the gateway's answer during that node's silence", () => {
  const neighbours = neighboursOf({ a: "heard", b: "heard", c: "heard" });
  silence(neighbours, "a", { gateway: true });
  silence(neighbours, "b", { gateway: false });
  const may = ["a", "b"].map((node) => neighbours.mayJudge(node, "eth0"));
  assert.deepEqual(may, [true, false]);
  hear(neighbours, "b", 10);
  silence(neighbours, "b", { gateway: true, at: 20 });
  assert.equal(neighbours.mayJudge("b", "eth0"), true);
});

test("Neighbours.mayJudge() counts only those that were heard beside the silent node", () => {
  const neighbours = neighboursOf({ a: "heard", b: "heard", c: "answers" });
  const beside = (heard: string[]): boolean => {
    silence(neighbours, "a", { heard, at: 10 });
    return neighbours.mayJudge("a", "eth0");
  };
  assert.deepEqual([[], ["b"], ["b", "c"], ["b", "z"]].map(beside), [false, false, true, false]);
  silence(neighbours, "b", { at: 20 });
  assert.equal(beside(["b", "c"]), false, "b is silent itself by now");
});

test("Neighbours.mayJudge() is false of a node that was never heard there", () => {
  assert.equal(neighboursOf({ a: "heard" }).mayJudge("z", "eth0"), false);
});

test("Neighbours.mayJudge() counts each segment's members on their own", () => {
  const neighbours = neighboursOf({ a: "silent", b: "silent" });
  for (const node of ["a", "b"]) hear(neighbours, node, 0, "eth1");
  const news = { answers: false, gateway: null, heard: ALL, at: bootMs(10) };
  neighbours.silent("a", "eth1", news);
  assert.equal(neighbours.mayJudge("a", "eth0"), false);
  assert.equal(neighbours.mayJudge("a", "eth1"), true);
});

test("Neighbours.hearing() is what was told last, by segment", () => {
  const neighbours = neighboursOf({ a: "heard" });
  const now = () => ["eth0", "eth1", undefined].map((name) => neighbours.hearing("a", name));
  assert.deepEqual(now(), ["heard", "unknown", "unknown"]);
  silence(neighbours, "a", { answers: true });
  assert.deepEqual(now(), ["answers", "unknown", "unknown"]);
  silence(neighbours, "a");
  assert.deepEqual(now(), ["silent", "unknown", "unknown"]);
  hear(neighbours, "a");
  assert.deepEqual(now(), ["heard", "unknown", "unknown"]);
  assert.equal(neighbours.hearing("z", "eth0"), "unknown");
});

test("Neighbours.silent() of a node that was never heard there tells nothing", () => {
  const neighbours = new Neighbours();
  silence(neighbours, "a");
  assert.equal(neighbours.hearing("a", "eth0"), "unknown");
  assert.deepEqual([...neighbours.on("eth0")], []);
});

test("Neighbours.on() says since when, and in which state", () => {
  const neighbours = neighboursOf({ a: "heard" });
  const about = () => neighbours.on("eth0").get("a");
  const first = { state: "live", mac: macOf("a"), incarnation: 1, isProven: true, holdMs: 300 };
  const nothing = { gateway: null, beside: [], isExpected: false, untoldSince: null };
  const heard = { hearing: "heard", ...first, ...nothing };
  hear(neighbours, "a", 100);
  assert.deepEqual(about(), { ...heard, since: 0 });
  const second = { state: "draining", mac: OTHER_MAC, incarnation: 2, isProven: true } as const;
  neighbours.heard("a", "eth0", { ...second, holdMs: 300, at: bootMs(200) });
  const draining = { ...heard, ...second };
  assert.deepEqual(about(), { ...draining, since: 200 }, "it is another process");
  silence(neighbours, "a", { gateway: false, at: 500 });
  silence(neighbours, "a", { gateway: true, heard: ["b"], at: 600 });
  const silent = { ...draining, hearing: "silent", gateway: true, beside: ["b"] };
  assert.deepEqual(about(), { ...silent, since: 500 });
  hear(neighbours, "a", 700);
  assert.deepEqual(about(), { ...heard, since: 700 });
});

test("Neighbours.lacksTable() is of who is heard, until its table comes or it is silent", () => {
  const neighbours = neighboursOf({ a: "heard", b: "heard" });
  const missing = (at: number) => neighbours.tableMissing("a", "eth0", bootMs(at));
  const untold = () => [neighbours.lacksTable("eth0"), neighbours.untoldSince("a", "eth0")];
  assert.deepEqual(untold(), [false, null]);
  for (const at of [50, 60]) missing(at);
  hear(neighbours, "a", 100);
  assert.deepEqual(untold(), [true, 50]);
  assert.equal(neighbours.untoldSince("b", "eth0"), null);
  assert.equal(neighbours.lacksTable("eth1"), false);
  const came = () => neighbours.tableCame("a", "eth0");
  assert.deepEqual([came(), came()], [true, false]);
  assert.deepEqual(untold(), [false, null]);
  missing(400);
  silence(neighbours, "a", { at: 500 });
  assert.deepEqual(untold(), [false, null]);
  missing(600);
  hear(neighbours, "a", 700);
  assert.deepEqual(untold(), [false, null], "it is asked again, and told anew");
});

test("Neighbours.lacksTable() is of who has not shown yet that it lives", () => {
  const neighbours = new Neighbours();
  const about = { state: "live", mac: macOf("a"), incarnation: 1, holdMs: 300 } as const;
  neighbours.heard("a", "eth0", { ...about, isProven: false, at: bootMs(0) });
  assert.equal(neighbours.lacksTable("eth0"), true);
  neighbours.heard("a", "eth0", { ...about, isProven: true, at: bootMs(10) });
  assert.equal(neighbours.lacksTable("eth0"), false);
});

test("Neighbours.heard() is true when the node has started anew, once on each segment", () => {
  const neighbours = new Neighbours();
  const isAnew = (incarnation: number, name = "eth0"): boolean => {
    const about = { state: "live", mac: macOf("a"), holdMs: 300, isProven: true } as const;
    return neighbours.heard("a", name, { ...about, incarnation, at: bootMs(0) });
  };
  assert.deepEqual([isAnew(1), isAnew(1), isAnew(2), isAnew(2)], [false, false, true, false]);
  assert.deepEqual([isAnew(1, "eth1"), isAnew(2, "eth1")], [false, true]);
  silence(neighbours, "a");
  assert.deepEqual([isAnew(2), isAnew(3)], [false, true]);
});

for (const how of ["heard", "silent", "answers"] as const) {
  const fate = how === "heard" ? "keeps" : "drops";
  test(`Neighbours.forget() ${fate} a node that is ${how}`, () => {
    const neighbours = neighboursOf({ a: how, b: "silent" });
    neighbours.forget("a");
    const left = how === "heard" ? ["a", "b"] : ["b"];
    assert.deepEqual([...neighbours.on("eth0").keys()], left);
  });
}

const EXPECTED: readonly {
  readonly name: string;
  /** Beside a, which is expected. */
  readonly others: Readonly<Record<string, How | "expected">>;
  readonly may: boolean;
}[] = [
  { name: "one of two", others: {}, may: false },
  { name: "one of three, the third expected, too", others: { b: "expected" }, may: false },
  { name: "two of four", others: { b: "heard", c: "expected" }, may: false },
  { name: "two of three", others: { b: "heard" }, may: true },
  { name: "two of three, one of them without beacons", others: { b: "answers" }, may: true },
  { name: "three of five", others: { b: "heard", c: "heard", d: "expected" }, may: true },
];

for (const { name, others, may } of EXPECTED) {
  test(`Neighbours.mayJudge() of one never heard but expected is ${may} for ${name}`, () => {
    const neighbours = new Neighbours();
    for (const [node, how] of Object.entries({ a: "expected", ...others })) {
      if (how === "expected") neighbours.expect(node, "eth0", bootMs(0));
      else hear(neighbours, node);
      if (how === "answers") silence(neighbours, node, { answers: true });
    }
    assert.equal(neighbours.mayJudge("a", "eth0"), may);
  });
}

test("Neighbours.expect() makes a node silent there, and nowhere else, until it is heard", () => {
  const neighbours = new Neighbours();
  neighbours.expect("a", "eth0", bootMs(5));
  const how = (name: string) => [neighbours.hearing("a", name), neighbours.isExpected("a", name)];
  assert.deepEqual(
    [how("eth0"), how("eth1")],
    [
      ["silent", true],
      ["unknown", false],
    ],
  );
  assert.equal(neighbours.on("eth0").get("a")?.since, 5);
  hear(neighbours, "a", 10);
  assert.deepEqual(how("eth0"), ["heard", false]);
  silence(neighbours, "a", { at: 20 });
  assert.deepEqual(how("eth0"), ["silent", false], "it was heard in this life");
});

test("Neighbours.expect() changes nothing of a node that was heard", () => {
  const neighbours = neighboursOf({ a: "heard", b: "silent" });
  for (const node of ["a", "b"]) neighbours.expect(node, "eth0", bootMs(50));
  assert.deepEqual(
    ["a", "b"].map((node) => [
      neighbours.hearing(node, "eth0"),
      neighbours.isExpected(node, "eth0"),
    ]),
    [
      ["heard", false],
      ["silent", false],
    ],
  );
});

test("Neighbours.forgetExpected() forgets those, on every segment, and no others", () => {
  const neighbours = neighboursOf({ a: "heard", b: "silent" });
  for (const name of ["eth0", "eth1"]) neighbours.expect("c", name, bootMs(0));
  neighbours.forgetExpected();
  assert.deepEqual([...neighbours.on("eth0").keys()], ["a", "b"]);
  assert.deepEqual([...neighbours.on("eth1").keys()], []);
});

test("Neighbours.longestHoldMs() is of those that are heard, a restart not counted", () => {
  const neighbours = new Neighbours();
  assert.equal(neighbours.longestHoldMs(), 0);
  const tell = (node: string, holdMs: number, state: PeerState = "live", name = "eth0"): void => {
    const about = { state, mac: macOf(node), incarnation: 1, isProven: true, holdMs };
    neighbours.heard(node, name, { ...about, at: bootMs(0) });
  };
  tell("a", 300);
  tell("b", 500, "draining", "eth1");
  assert.equal(neighbours.longestHoldMs(), 500);
  tell("a", 10_000, "restarting");
  tell("c", 10_000, "restarting");
  assert.equal(neighbours.longestHoldMs(), 500);
  silence(neighbours, "b");
  neighbours.silent("b", "eth1", { answers: false, gateway: null, heard: [], at: bootMs(9) });
  assert.equal(neighbours.longestHoldMs(), 300, "as a had before its restart");
});

test("Neighbours.most() is of the segment with most, silent ones included", () => {
  const neighbours = new Neighbours();
  assert.equal(neighbours.most(), 0);
  for (const node of ["a", "b", "c"]) hear(neighbours, node);
  hear(neighbours, "d", 0, "eth1");
  silence(neighbours, "c");
  assert.equal(neighbours.most(), 3);
});

test("Neighbours.heard() of an expected node is no new start of it", () => {
  const neighbours = new Neighbours();
  neighbours.expect("a", "eth0", bootMs(0));
  const about = { state: "live", mac: macOf("a"), incarnation: 9, holdMs: 300 } as const;
  assert.equal(neighbours.heard("a", "eth0", { ...about, isProven: true, at: bootMs(10) }), false);
});

test("Neighbours.interfaceLost() makes all silent there, with nothing to judge them by", () => {
  const neighbours = neighboursOf({ a: "heard", b: "answers" }, true);
  hear(neighbours, "a", 0, "eth1");
  neighbours.interfaceLost("eth0", bootMs(70));
  assert.deepEqual(
    ["a", "b"].map((node) => neighbours.on("eth0").get(node)),
    ["a", "b"].map((node) => ({
      ...{
        hearing: "silent",
        state: "live",
        mac: macOf(node),
        incarnation: 1,
        holdMs: 300,
        since: 70,
        isProven: true,
      },
      ...{ gateway: null, beside: [], isExpected: false, untoldSince: null },
    })),
  );
  assert.equal(neighbours.mayJudge("a", "eth0"), false);
  assert.equal(neighbours.hearing("a", "eth1"), "heard");
});

test("Neighbours.forgetInterface() drops what was heard there", () => {
  const neighbours = neighboursOf({ a: "heard" });
  hear(neighbours, "a", 0, "eth1");
  neighbours.forgetInterface("eth0");
  assert.deepEqual(
    ["eth0", "eth1"].map((name) => neighbours.hearing("a", name)),
    ["unknown", "heard"],
  );
});

test("Neighbours.nodeOf() finds a node by its MAC on any segment, also a silent one", () => {
  const neighbours = neighboursOf({ a: "silent" });
  hear(neighbours, "b", 0, "eth1");
  assert.equal(neighbours.nodeOf(macOf("a")), "a");
  assert.equal(neighbours.nodeOf(macOf("b")), "b");
  assert.equal(neighbours.nodeOf(OTHER_MAC), null);
});

const PRUNED: readonly {
  readonly name: string;
  readonly others: Readonly<Record<string, How>>;
  readonly isExpired?: boolean;
  readonly at?: number;
  readonly left: readonly string[];
}[] = [
  {
    name: "a silent node after 30 s of majority",
    others: { a: "silent", b: "heard" },
    left: ["b"],
  },
  {
    name: "nobody before",
    others: { a: "silent", b: "heard" },
    at: MAJORITY_MS - 1,
    left: ["a", "b"],
  },
  {
    name: "nobody whose Lease stands",
    others: { a: "silent", b: "heard" },
    isExpired: false,
    left: ["a", "b"],
  },
  { name: "nobody without a majority", others: { a: "silent" }, left: ["a"] },
  { name: "nobody who answers", others: { a: "answers", b: "heard" }, left: ["a", "b"] },
  { name: "nobody who is heard", others: { a: "heard", b: "heard" }, left: ["a", "b"] },
];

for (const { name, others, isExpired = true, at = MAJORITY_MS, left } of PRUNED) {
  test(`Neighbours.prune() drops ${name}`, () => {
    const neighbours = neighboursOf(others);
    const hasPruned = neighbours.prune(() => isExpired, bootMs(at));
    assert.equal(hasPruned, left.length < Object.keys(others).length);
    assert.deepEqual([...neighbours.on("eth0").keys()], left);
  });
}

test("Neighbours.prune() lets 3 -> 2 -> 1 crashes in a row end with a tie, not a minority", () => {
  const neighbours = neighboursOf({ a: "silent", b: "heard" });
  neighbours.prune((node) => node === "a", bootMs(MAJORITY_MS));
  silence(neighbours, "b", { gateway: true, at: MAJORITY_MS + 1_000 });
  assert.equal(neighbours.mayJudge("b", "eth0"), true);
});
