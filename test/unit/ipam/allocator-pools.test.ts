// Stories of pools that are asked for by name, that are for certain Services, and that come one
// before the other; and of Services that would have a second family.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool, Allotment } from "../../../src/ipam/types.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

function allocator(...pools: readonly AllocatablePool[]): Allocator {
  const made = new Allocator();
  made.configure(pools, new Map());
  return made;
}

function ask(made: Allocator, key: string, options: RequestOptions = {}): string {
  const decision = made.decide(request(key, options));
  return decision.kind === "pending" ? decision.detail : decision.addresses.join(" ");
}

function allotment(priority: number, admits: Allotment["admits"] = () => true): Allotment {
  return { priority, admits, offersTo: admits };
}

const isEdge: Allotment["admits"] = ({ labels }) => labels.tier === "edge";
const EDGE = { labels: { tier: "edge" } };
const GOLD = pool("gold", ["10.1.0.0/31"], { autoAssign: false });
const LAN = pool("lan", ["10.0.0.0/30"]);
const RED = pool("red", ["10.2.0.0/31"], { allotment: allotment(10, isEdge) });

test("decide() gives an address of the pool that is asked for, autoAssign or not", () => {
  const made = allocator(GOLD, LAN);
  assert.equal(ask(made, "ns/a", { pool: "gold" }), "10.1.0.0");
  assert.equal(ask(made, "ns/b", { pool: "gold" }), "10.1.0.1");
  assert.equal(ask(made, "ns/c", { pool: "gold" }), "no available IPs in pool gold (2 of 2 used)");
  assert.equal(ask(made, "ns/c", { pool: "tin" }), 'unknown pool "tin"');
});

const MOVES: readonly (readonly [string, RequestOptions, string, readonly string[]])[] = [
  ["another pool", { pool: "gold" }, 'the Service asks for pool "gold" now', ["10.1.0.0"]],
  ["a pool that is not there", { pool: "tin" }, 'the Service asks for pool "tin" now', []],
  ["a pool that is not for it", { pool: "red" }, 'the Service asks for pool "red" now', []],
];

for (const [name, change, cleared, left] of MOVES) {
  test(`decide() of a Service that asks for ${name} now takes the old address away`, () => {
    const made = allocator(GOLD, LAN, RED);
    const decision = made.decide(request("ns/a", { current: ["10.0.0.1"], ...change }));
    assert.deepEqual(decision.cleared, { addresses: ["10.0.0.1"], detail: cleared });
    assert.deepEqual(decision.addresses, left);
    assert.deepEqual(made.ownersOf(ip("10.0.0.1")), []);
  });
}

test("decide() of a Service that asks for the pool it has, or for none now, keeps", () => {
  const made = allocator(GOLD, LAN);
  const current = ["10.1.0.1"];
  assert.equal(ask(made, "ns/a", { current, pool: "gold" }), "10.1.0.1");
  assert.equal(ask(made, "ns/a", { current }), "10.1.0.1");
});

test("decide() keeps the address while the request cannot be read, in any pool", () => {
  const made = allocator(GOLD, LAN);
  const unreadable = { unreadable: "found nonsense" };
  const asked = { current: ["10.0.0.1"], pool: "gold", requested: unreadable };
  assert.deepEqual(made.decide(request("ns/a", asked)).addresses, ["10.0.0.1"]);
});

test("decide() refuses a requested address of another pool than the one asked for", () => {
  const made = allocator(GOLD, LAN);
  assert.equal(
    ask(made, "ns/a", { pool: "gold", requested: ["10.0.0.1"] }),
    '["10.0.0.1"] is not of pool "gold", which the Service asks for as well',
  );
  assert.equal(ask(made, "ns/a", { pool: "gold", requested: ["10.1.0.1"] }), "10.1.0.1");
});

test("decide() tries pools for the Service first: by priority, then name", () => {
  const made = allocator(
    pool("a-all", ["10.0.0.0/32"]),
    pool("b-zero", ["10.0.0.1/32"], { allotment: allotment(0) }),
    pool("c-two", ["10.0.0.2/32"], { allotment: allotment(2) }),
    pool("d-one", ["10.0.0.3/32"], { allotment: allotment(1) }),
    pool("e-one", ["10.0.0.4/32"], { allotment: allotment(1) }),
    pool("f-edge", ["10.0.0.5/32"], { allotment: allotment(1, isEdge) }),
    pool("g-manual", ["10.0.0.6/32"], { allotment: allotment(1), autoAssign: false }),
  );
  const all = [1, 2, 3, 4, 5].map((n) => ask(made, `ns/s${n}`));
  assert.deepEqual(all, ["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.1", "10.0.0.0"]);
  assert.match(ask(made, "ns/more"), /^no available IPs: d-one /);
  assert.equal(ask(made, "ns/edge", EDGE), "10.0.0.5");
});

const NOT_ADMITTED =
  "pool red not compatible for ip assignment: its serviceAllocation leaves out the Service's " +
  "namespace or labels";

test("decide() refuses a pool that is not for the Service, however it asks", () => {
  const made = allocator(RED);
  assert.equal(ask(made, "ns/a", { pool: "red" }), NOT_ADMITTED);
  assert.equal(ask(made, "ns/a", { requested: ["10.2.0.1"] }), NOT_ADMITTED);
  assert.equal(ask(made, "ns/a"), "no available IPs: no pool has autoAssign");
  assert.equal(ask(made, "ns/a", { ...EDGE, pool: "red" }), "10.2.0.0");
});

test("decide() takes an address away whose pool is not for the Service any more", () => {
  const made = allocator(LAN, RED);
  assert.equal(ask(made, "ns/a", EDGE), "10.2.0.0");
  const decision = made.decide(request("ns/a", { current: ["10.2.0.0"] }));
  assert.deepEqual(decision.cleared, { addresses: ["10.2.0.0"], detail: NOT_ADMITTED });
  assert.deepEqual(decision.addresses, ["10.0.0.0"]);
});

test("decide() of a pool that is offered to nobody gives to those who ask", () => {
  const shy = { priority: 1, offersTo: () => false, admits: () => true };
  const made = allocator(LAN, pool("shy", ["10.3.0.0/31"], { allotment: shy }));
  assert.equal(ask(made, "ns/a"), "10.0.0.0");
  assert.equal(ask(made, "ns/b", { pool: "shy" }), "10.3.0.0");
  assert.equal(ask(made, "ns/b", { current: ["10.3.0.0"] }), "10.3.0.0");
});

test("decide() takes an address away that avoidBuggyIPs leaves out now", () => {
  const made = allocator(LAN);
  assert.equal(ask(made, "ns/a"), "10.0.0.0");
  made.configure([pool("lan", ["10.0.0.0/30"], { avoidBuggyIps: true })], new Map());
  const decision = made.decide(request("ns/a", { current: ["10.0.0.0"] }));
  assert.match(decision.cleared?.detail ?? "", /^\["10\.0\.0\.0"\] is not allowed in config/);
  assert.deepEqual(decision.addresses, ["10.0.0.1"]);
});

test("decide() takes the address while RequireDualStack has one cluster IP", () => {
  const made = allocator(pool("dual", ["10.0.0.0/31", "2001:db8::/127"]));
  const asked = { familyPolicy: "RequireDualStack", current: ["10.0.0.0"] } as const;
  const decision = made.decide(request("ns/a", asked));
  assert.ok(decision.kind === "pending" && decision.reason === "too-few-cluster-ips");
  assert.deepEqual(decision.cleared?.addresses, ["10.0.0.0"]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.0")), []);
});

const PREFER = { families: [4, 6] as const, familyPolicy: "PreferDualStack" as const };

test("decide() adds the second family from the same pool once it can be had", () => {
  const made = allocator(
    pool("p", ["10.0.0.0/31"]),
    pool("q", ["10.9.0.0/31", "2001:db8:9::/127"]),
  );
  const alone = { ...PREFER, current: ["10.0.0.0"] };
  const lacks = "no available IPv6 address in pool p, which has the other one";
  const first = made.decide(request("ns/a", alone));
  assert.deepEqual(first, {
    kind: "assigned",
    how: "kept",
    addresses: ["10.0.0.0"],
    pool: "p",
    lacks,
    cleared: null,
  });
  made.configure([pool("p", ["10.0.0.0/31", "2001:db8::/127"])], new Map());
  const second = made.decide(request("ns/a", alone));
  const grown = { how: "extended", addresses: ["10.0.0.0", "2001:db8::"], lacks: null };
  assert.deepEqual(second, { ...first, ...grown });
  assert.deepEqual(made.decide(request("ns/a", alone)), second, "until it is written");
  const written = made.decide(request("ns/a", { ...PREFER, current: grown.addresses }));
  assert.ok(written.kind === "assigned" && written.how === "kept");
  assert.deepEqual(made.usage()[0]?.assignedIpv6, 1);
});

test("decide() adds IPv4 behind an IPv6 address that is there", () => {
  const made = allocator(pool("p", ["10.0.0.0/31", "2001:db8::/127"]));
  assert.equal(ask(made, "ns/a", { ...PREFER, current: ["2001:db8::1"] }), "2001:db8::1 10.0.0.0");
});

test("decide() adds no second family to an address that was asked for by itself", () => {
  const made = allocator(pool("p", ["10.0.0.0/31", "2001:db8::/127"]));
  const asked = { ...PREFER, requested: ["10.0.0.0"], current: ["10.0.0.0"] };
  assert.equal(ask(made, "ns/a", asked), "10.0.0.0");
});

test("decide() clears one address where two are needed, and gives two", () => {
  const made = allocator(pool("p", ["10.0.0.0/31", "2001:db8::/127"]));
  const asked = { families: [6, 4], familyPolicy: "SingleStack", current: ["10.0.0.1"] } as const;
  const decision = made.decide(request("ns/a", asked));
  assert.deepEqual(decision.cleared?.addresses, ["10.0.0.1"]);
  assert.deepEqual(decision.addresses, ["10.0.0.0", "2001:db8::"], "IPv4 first");
});

test("decide() moves a Service whose pool has one family of two now", () => {
  const dual = (name: string, n: number) => pool(name, [`10.0.${n}.0/31`, `2001:db8:${n}::/127`]);
  const made = allocator(dual("p", 1), dual("q", 2));
  assert.equal(ask(made, "ns/a", PREFER), "10.0.1.0 2001:db8:1::");
  made.configure([pool("p", ["10.0.1.0/31"]), dual("q", 2)], new Map());
  const decision = made.decide(
    request("ns/a", { ...PREFER, current: ["10.0.1.0", "2001:db8:1::"] }),
  );
  assert.deepEqual(decision.addresses, ["10.0.2.0", "2001:db8:2::"]);
  assert.deepEqual(decision.cleared?.addresses, ["10.0.1.0", "2001:db8:1::"]);
});

test("decide() gives requested addresses in MetalLB's order, whatever the order asked for", () => {
  const made = allocator(pool("p", ["203.0.113.0/31", "10.0.0.0/31", "2001:db8::/127"]));
  const dual = { ...PREFER, families: [6, 4] as const };
  const low = { ...dual, requested: ["2001:db8::", "10.0.0.1"] };
  assert.equal(ask(made, "ns/a", low), "10.0.0.1 2001:db8::");
  const high = { ...dual, requested: ["203.0.113.1", "2001:db8::1"] };
  assert.equal(ask(made, "ns/b", high), "2001:db8::1 203.0.113.1");
});
