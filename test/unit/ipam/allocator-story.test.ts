// One long story of four Services and what is asked for them, step by step: each step's outcome
// depends on all before it. And what becomes of small pools that fill up.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpFamily } from "../../../src/core/address.ts";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool, Allotment } from "../../../src/ipam/types.ts";
import { pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

const FOR_RED: Allotment = {
  priority: 1,
  offersTo: ({ namespace }) => namespace === "red",
  admits: ({ namespace }) => namespace === "red",
};
const POOLS: readonly AllocatablePool[] = [
  pool("red", ["10.3.0.0/31"], { autoAssign: false, allotment: FOR_RED }),
  pool("four", ["10.1.0.254-10.1.1.1"], { avoidBuggyIps: true }),
  pool("other", ["10.2.0.0/30", "2001:db8:2::/126"]),
  pool("six", ["2001:db8::/126"]),
];
const KEY = { share: "k" };
const A = "10.2.0.1";
const B = "10.2.0.2";

/** The addresses, or how the reason begins. */
type Step = readonly [what: string, key: string, ask: RequestOptions | null, outcome: string];

const IN_USE = "can't change sharing key";
const BOTH = { families: [4, 6] as const };

// biome-ignore format: a table
const STEPS: readonly Step[] = [
  ["an address by request", "ns/s1", { requested: [A] }, A],
  ["the same again", "ns/s1", { requested: [A], current: [A] }, A],
  ["nobody steals it", "ns/s2", { requested: [A] }, IN_USE],
  ["nor with a key that its owner lacks", "ns/s2", { requested: [A], ...KEY }, IN_USE],
  ["its owner takes a key in place", "ns/s1", { requested: [A], current: [A], ...KEY }, A],
  ["with the key, on the same port: no", "ns/s2", { requested: [A], ...KEY }, "port TCP/80"],
  ["on another port: yes", "ns/s2", { requested: [A], ...KEY, ports: ["UDP/80"] }, A],
  ["a third with another key: no", "ns/s3",
    { requested: [A], share: "x", ports: ["TCP/1"] }, IN_USE],
  ["a third under Local: no", "ns/s3",
    { requested: [A], ...KEY, backend: "a=b", ports: ["TCP/1"] }, IN_USE],
  ["a third without a port of its own: no", "ns/s3",
    { requested: [A], ...KEY, ports: ["TCP/1", "UDP/80"] }, "port UDP/80"],
  ["a third on its own port: yes", "ns/s3", { requested: [A], ...KEY, ports: ["TCP/1"] }, A],
  ["not alone: another key costs the address", "ns/s3",
    { current: [A], requested: [B], share: "x", ports: ["TCP/1"] }, B],
  ["alone again on it, the key may change", "ns/s3",
    { current: [B], requested: [B], share: "y", ports: ["TCP/1"] }, B],
  ["the first moves to the second's", "ns/s1", { current: [A], requested: [B] }, IN_USE],
  ["and has lost what it had", "ns/s4", { requested: [A], ...KEY }, A],
  ["the twin in IPv6 is independent of it", "ns/s1",
    { families: [6], requested: ["2001:db8:2::1"] }, "2001:db8:2::1"],
  ["both families from one pool", "ns/s1",
    { ...BOTH, requested: ["2001:db8:2::2", "10.2.0.3"] }, "10.2.0.3 2001:db8:2::2"],
  ["both families from two pools: no", "ns/s1",
    { ...BOTH, requested: ["10.2.0.3", "2001:db8::1"] }, '["10.2.0.3" "2001:db8::1"] is not allow'],
  ["a buggy address: no", "ns/s1", { requested: ["10.1.0.255"] }, '["10.1.0.255"] is not allowed'],
  ["another buggy address: no", "ns/s1", { requested: ["10.1.1.0"] }, '["10.1.1.0"] is not allo'],
  ["without a request the first good one", "ns/s1", {}, "10.1.0.254"],
  ["a pool of another namespace: no", "ns/s2",
    { requested: ["10.3.0.0"] }, 'pool red not compatible for ip'],
  ["a pool of its namespace by request", "red/s2", { requested: ["10.3.0.1"] }, "10.3.0.1"],
  ["released", "red/s2", null, ""],
  ["and given to the next", "red/s5", { pool: "red", requested: ["10.3.0.1"] }, "10.3.0.1"],
];

test("decide() step by step, as Services come, change and share", () => {
  const made = new Allocator();
  made.configure(POOLS, new Map());
  for (const [what, key, ask, outcome] of STEPS) {
    if (ask === null) {
      made.release(key);
      continue;
    }
    const decision = made.decide(request(key, ask));
    const text = decision.kind === "pending" ? decision.detail : decision.addresses.join(" ");
    const told = decision.kind === "pending" ? text.slice(0, outcome.length) : text;
    assert.equal(told, outcome, `${what}: ${text}`);
  }
});

const FOUR: readonly (readonly [name: string, entries: string[], families: IpFamily[], string])[] =
  [
    ["IPv4", ["10.0.0.0/30"], [4], "10.0.0.2"],
    ["IPv6", ["2001:db8::/126"], [6], "2001:db8::2"],
    ["both families", ["10.0.0.0/30", "2001:db8::/126"], [4, 6], "10.0.0.2 2001:db8::2"],
  ];

for (const [name, entries, families, third] of FOUR) {
  test(`a pool of four of ${name} serves four, who shares, and who comes when one goes`, () => {
    const made = new Allocator();
    made.configure([pool("p", entries)], new Map());
    const ask = (key: string, options: RequestOptions = {}): string => {
      const policy = { familyPolicy: "RequireDualStack", families } as const;
      const decision = made.decide(
        request(key, { ...(families[1] ? policy : { families }), ...options }),
      );
      return decision.kind === "pending" ? decision.reason : decision.addresses.join(" ");
    };
    const got = ["ns/a", "ns/b", "ns/c", "ns/d"].map((key) => ask(key, { share: key }));
    assert.equal(got[2], third);
    assert.equal(new Set(got).size, 4);
    assert.equal(ask("ns/e"), "exhausted");
    assert.equal(ask("ns/f", { share: "ns/c", ports: ["TCP/9"] }), third);
    made.release("ns/c");
    assert.equal(ask("ns/e"), "exhausted", "one is still there");
    made.release("ns/f");
    assert.equal(ask("ns/e"), third);
  });
}

test("a pool of eight with two buggy addresses serves six", () => {
  const made = new Allocator();
  made.configure([pool("p", ["10.0.0.252-10.0.1.3"], { avoidBuggyIps: true })], new Map());
  const got = Array.from({ length: 7 }, (_, i) => made.decide(request(`ns/s${i}`)));
  assert.deepEqual(
    got.flatMap(({ addresses }) => addresses),
    ["10.0.0.252", "10.0.0.253", "10.0.0.254", "10.0.1.1", "10.0.1.2", "10.0.1.3"],
  );
  assert.equal(got[6]?.kind, "pending");
});
