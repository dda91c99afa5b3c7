// What a change of the pools does to a Service that has addresses: it keeps them, or gets others,
// or none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool, ServiceRequest } from "../../../src/ipam/types.ts";
import { pool, request } from "../../support/ipam-requests.ts";

interface Row {
  readonly name: string;
  /** One pool "p" of these before. */
  readonly before: readonly string[];
  readonly has: readonly string[];
  readonly after: readonly AllocatablePool[];
  /** Empty: none. */
  readonly becomes: readonly string[];
  /** The pool after it; default: "p". */
  readonly of?: string;
}

const FOUR = ["10.0.0.0/29"];
const SIX = ["2001:db8::/125"];
const TWO = [...FOUR, ...SIX];
const BOTH = ["10.0.0.5", "2001:db8::5"];

// biome-ignore format: a table
const ROWS: readonly Row[] = [
  { name: "the same", before: FOUR, has: ["10.0.0.5"], after: [pool("p", FOUR)],
    becomes: ["10.0.0.5"] },
  { name: "written as a range", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", ["10.0.0.0-10.0.0.7"])], becomes: ["10.0.0.5"] },
  { name: "larger", before: FOUR, has: ["10.0.0.5"], after: [pool("p", ["10.0.0.0/24"])],
    becomes: ["10.0.0.5"] },
  { name: "larger by what comes before", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", ["10.9.0.0/24", ...FOUR])], becomes: ["10.0.0.5"] },
  { name: "smaller, and it still fits", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", ["10.0.0.4/30"])], becomes: ["10.0.0.5"] },
  { name: "too small", before: FOUR, has: ["10.0.0.5"], after: [pool("p", ["10.0.0.0/30"])],
    becomes: ["10.0.0.0"] },
  { name: "smaller, and it still fits", before: SIX, has: ["2001:db8::5"],
    after: [pool("p", ["2001:db8::4/126"])], becomes: ["2001:db8::5"] },
  { name: "too small", before: SIX, has: ["2001:db8::5"], after: [pool("p", ["2001:db8::/126"])],
    becomes: ["2001:db8::"] },
  { name: "too small in IPv4 alone", before: TWO, has: BOTH,
    after: [pool("p", ["10.0.0.0/30", ...SIX])], becomes: ["10.0.0.0", "2001:db8::"] },
  { name: "too small in IPv6 alone", before: TWO, has: BOTH,
    after: [pool("p", [...FOUR, "2001:db8::/126"])], becomes: ["10.0.0.0", "2001:db8::"] },
  { name: "renamed", before: FOUR, has: ["10.0.0.5"], after: [pool("q", FOUR)],
    becomes: ["10.0.0.5"], of: "q" },
  { name: "split in two", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", ["10.0.0.0/30"]), pool("q", ["10.0.0.4/30"])], becomes: ["10.0.0.5"],
    of: "q" },
  { name: "split between the families", before: TWO, has: BOTH,
    after: [pool("p", FOUR), pool("q", SIX)], becomes: [] },
  { name: "without autoAssign", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", FOUR, { autoAssign: false })], becomes: ["10.0.0.5"] },
  { name: "without buggy addresses, of which it has one", before: FOUR, has: ["10.0.0.0"],
    after: [pool("p", FOUR, { avoidBuggyIps: true })], becomes: ["10.0.0.1"] },
  { name: "without buggy addresses, of which it has none", before: FOUR, has: ["10.0.0.5"],
    after: [pool("p", FOUR, { avoidBuggyIps: true })], becomes: ["10.0.0.5"] },
  { name: "somewhere else", before: FOUR, has: ["10.0.0.5"], after: [pool("p", ["10.9.0.0/29"])],
    becomes: ["10.9.0.0"] },
  { name: "gone", before: FOUR, has: ["10.0.0.5"], after: [], becomes: [] },
];

for (const { name, before, has, after, becomes, of = "p" } of ROWS) {
  test(`a pool of ${before.join(" and ")} that is ${name}: ${has} becomes ${becomes}`, () => {
    const made = new Allocator();
    made.configure([pool("p", before)], new Map());
    const families: ServiceRequest["families"] =
      has.length > 1 ? [4, 6] : [has[0]?.includes(":") ? 6 : 4];
    const asked = { families, familyPolicy: "RequireDualStack" } as const;
    const one = request("ns/a", {
      ...(has.length > 1 ? asked : { families }),
      current: has,
    });
    assert.deepEqual(made.decide(one).addresses, has);
    made.configure(after, new Map());
    const decision = made.decide(one);
    assert.deepEqual(decision.addresses, becomes);
    const isKept = becomes.join() === has.join();
    assert.deepEqual(decision.cleared?.addresses ?? null, isKept ? null : has);
    if (decision.kind === "assigned") assert.equal(decision.pool, of);
  });
}
