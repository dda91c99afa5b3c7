// Tests of which address a Service gets: automatic choice, requests, two families, and what is said
// when there is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool, PendingReason } from "../../../src/ipam/types.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

function allocator(
  pools: readonly AllocatablePool[],
  reserved: Readonly<Record<string, string>> = {},
): Allocator {
  const made = new Allocator();
  made.configure(pools, new Map(Object.entries(reserved).map(([a, why]) => [ip(a), why])));
  return made;
}

const LAN = pool("lan", ["10.0.0.0/30"]);
const MANUAL = pool("manual", ["10.9.0.0/30"], { autoAssign: false });
const DUAL = pool("dual", ["10.4.0.0/31", "2001:db8::/127"]);

interface Refused {
  readonly name: string;
  readonly pools: readonly AllocatablePool[];
  readonly reserved?: Readonly<Record<string, string>>;
  /** Allocated before, by Services s0, s1, .... */
  readonly taken?: readonly string[];
  readonly ask: RequestOptions;
  readonly reason: PendingReason;
  readonly detail: string;
}

const REFUSED: readonly Refused[] = [
  {
    name: "no pool",
    pools: [],
    ask: {},
    reason: "no-pool",
    detail: "no IPAddressPool is configured",
  },
  {
    name: "pools for requests only",
    pools: [MANUAL],
    ask: {},
    reason: "exhausted",
    detail: "no available IPs: no pool has autoAssign",
  },
  {
    name: "full pools, by name and count",
    pools: [pool("a", ["10.0.0.0/31"]), pool("b", ["10.1.0.0/31"])],
    reserved: { "10.1.0.1": "the address of node n1" },
    taken: ["10.0.0.0", "10.0.0.1", "10.1.0.0"],
    ask: {},
    reason: "exhausted",
    detail: "no available IPs: a (2 of 2 used), b (1 of 1 used)",
  },
  {
    name: "a request that no pool holds",
    pools: [LAN],
    ask: { requested: ["10.8.0.1"] },
    reason: "not-in-any-pool",
    detail: '["10.8.0.1"] is not allowed in config: no one pool holds it',
  },
  {
    name: "a request from two pools",
    pools: [pool("four", ["10.0.0.0/30"]), pool("six", ["2001:db8::/126"])],
    ask: { families: [4, 6], requested: ["10.0.0.1", "2001:db8::1"] },
    reason: "not-in-any-pool",
    detail: '["10.0.0.1" "2001:db8::1"] is not allowed in config: no one pool holds it',
  },
  {
    name: "a request that another Service has, by its name",
    pools: [LAN],
    taken: ["10.0.0.2"],
    ask: { requested: ["10.0.0.2"] },
    reason: "in-use",
    detail:
      'can\'t change sharing key for "ns/s", address also in use by ns/s0 (10.0.0.2: both must ' +
      "have the annotation metallb.io/allow-shared-ip to share an address)",
  },
  {
    name: "a request for a reserved address, with its use",
    pools: [LAN],
    reserved: { "10.0.0.1": 'the address of node "n1"' },
    ask: { requested: ["10.0.0.1"] },
    reason: "reserved",
    detail: '"10.0.0.1" is never handed out: it is the address of node "n1"',
  },
  {
    name: "a request that avoidBuggyIPs leaves out",
    pools: [pool("lan", ["10.0.0.0/24"], { avoidBuggyIps: true })],
    ask: { requested: ["10.0.0.255"] },
    reason: "not-in-any-pool",
    detail:
      '["10.0.0.255"] is not allowed in config: pool "lan" leaves out addresses that end in ' +
      ".0 or .255 (avoidBuggyIPs)",
  },
  {
    name: "a request of the other family",
    pools: [DUAL],
    ask: { requested: ["2001:db8::1"] },
    reason: "family-mismatch",
    detail: `["2001:db8::1"] does not match the Service's cluster IPs (IPv4)`,
  },
  {
    name: "one requested address for two families, even where one is enough",
    pools: [DUAL],
    ask: { families: [4, 6], requested: ["10.4.0.1"] },
    reason: "family-mismatch",
    detail: `["10.4.0.1"] does not match the Service's cluster IPs (IPv4 and IPv6)`,
  },
  {
    name: "a request that cannot be read",
    pools: [LAN],
    ask: { requested: { unreadable: 'found "x", expected an IP' } },
    reason: "unreadable-request",
    detail: 'found "x", expected an IP',
  },
  {
    name: "two families where pools have one each",
    pools: [pool("four", ["10.0.0.0/32"]), pool("six", ["2001:db8::/128"])],
    ask: { families: [4, 6], familyPolicy: "RequireDualStack" },
    reason: "exhausted",
    detail: "no available IPs: four (0 of 1 used), six (0 of 1 used)",
  },
];

for (const { name, pools, reserved, taken = [], ask, reason, detail } of REFUSED) {
  test(`decide() refuses ${name}`, () => {
    const made = allocator(pools, reserved);
    for (const [i, address] of taken.entries()) {
      made.adopt(request(`ns/s${i}`, { current: [address] }));
      assert.deepEqual(made.ownersOf(ip(address)), [`ns/s${i}`]);
    }
    const expected = { kind: "pending", reason, detail, addresses: [], cleared: null };
    assert.deepEqual(made.decide(request("ns/s", ask)), expected);
    assert.deepEqual(made.release("ns/s"), []);
  });
}

test("decide() names five full pools and counts the others", () => {
  const pools = Array.from({ length: 7 }, (_, i) => pool(`p${i}`, [`10.0.${i}.0/32`]));
  const made = allocator(pools);
  for (let i = 0; i < 7; i++) made.decide(request(`ns/s${i}`));
  const decision = made.decide(request("ns/s"));
  assert.ok(decision.kind === "pending");
  assert.match(decision.detail, /p4 \(1 of 1 used\), and 2 more$/);
});

test("decide() refusing one of two families takes neither", () => {
  const made = allocator([pool("p", ["10.0.0.0/32"])]);
  const both = request("ns/both", { families: [4, 6], familyPolicy: "RequireDualStack" });
  assert.equal(made.decide(both).kind, "pending");
  assert.deepEqual(given(made, request("ns/a")), ["10.0.0.0"]);
});

function given(made: Allocator, ask: Parameters<Allocator["decide"]>[0]): readonly string[] {
  return made.decide(ask).addresses;
}

interface Chosen {
  readonly name: string;
  readonly pools: readonly AllocatablePool[];
  readonly reserved?: Readonly<Record<string, string>>;
  readonly asks: readonly RequestOptions[];
  readonly addresses: readonly (readonly string[])[];
}

const V6 = { families: [6] } as const;
const PREFER = { families: [4, 6] } as const;
const PREFER_V6 = { families: [6, 4] } as const;
const REQUIRE = { families: [4, 6], familyPolicy: "RequireDualStack" } as const;

const CHOSEN: readonly Chosen[] = [
  {
    name: "ranges in listed order, each from its lowest",
    pools: [pool("p", ["10.0.0.8/31", "10.0.0.0-10.0.0.1"])],
    asks: [{}, {}, {}],
    addresses: [["10.0.0.8"], ["10.0.0.9"], ["10.0.0.0"]],
  },
  {
    name: "pools in the given order, then the next",
    pools: [pool("a", ["10.0.1.0/32"]), MANUAL, pool("z", ["10.0.0.0/32"])],
    asks: [{}, {}],
    addresses: [["10.0.1.0"], ["10.0.0.0"]],
  },
  {
    name: "an address of a pool for requests only, on request",
    pools: [LAN, MANUAL],
    asks: [{ requested: ["10.9.0.3"] }],
    addresses: [["10.9.0.3"]],
  },
  {
    name: "no reserved address",
    pools: [LAN],
    reserved: { "10.0.0.0": "the network address", "10.0.0.2": "the address of a node" },
    asks: [{}, {}],
    addresses: [["10.0.0.1"], ["10.0.0.3"]],
  },
  {
    name: "nothing ending in .0 and .255 with avoidBuggyIPs",
    pools: [pool("p", ["10.0.0.254-10.0.1.1"], { avoidBuggyIps: true })],
    asks: [{}, {}],
    addresses: [["10.0.0.254"], ["10.0.1.1"]],
  },
  {
    name: "a requested address, and around it",
    pools: [LAN],
    asks: [{ requested: ["10.0.0.1"] }, {}, {}],
    addresses: [["10.0.0.1"], ["10.0.0.0"], ["10.0.0.2"]],
  },
  {
    name: "IPv6 alone",
    pools: [LAN, DUAL],
    asks: [V6, V6],
    addresses: [["2001:db8::"], ["2001:db8::1"]],
  },
  {
    name: "both families from one pool, past pools with one",
    pools: [LAN, pool("six", ["2001:db8:6::/64"]), DUAL],
    asks: [REQUIRE, PREFER],
    addresses: [
      ["10.4.0.0", "2001:db8::"],
      ["10.4.0.1", "2001:db8::1"],
    ],
  },
  {
    name: "the primary family when no pool has both and one is enough",
    pools: [LAN, pool("six", ["2001:db8:6::/64"])],
    asks: [PREFER, PREFER_V6],
    addresses: [["10.0.0.0"], ["2001:db8:6::"]],
  },
  {
    name: "the other family when there is nothing of the primary",
    pools: [LAN],
    asks: [PREFER_V6],
    addresses: [["10.0.0.0"]],
  },
  {
    name: "both requested families, from one pool",
    pools: [DUAL],
    asks: [{ ...PREFER, requested: ["2001:db8::1", "10.4.0.1"] }],
    addresses: [["10.4.0.1", "2001:db8::1"]],
  },
  {
    name: "the second address of an IPv6 /64",
    pools: [pool("wide", ["2001:db8::/64"])],
    asks: [V6, V6],
    addresses: [["2001:db8::"], ["2001:db8::1"]],
  },
];

for (const { name, pools, reserved, asks, addresses } of CHOSEN) {
  test(`decide() gives ${name}`, () => {
    const made = allocator(pools, reserved);
    const all = asks.map((ask, i) => given(made, request(`ns/s${i}`, ask)));
    assert.deepEqual(all, addresses);
  });
}

test("decide() fills a /16 and then refuses; release gives the lowest back first", () => {
  const made = allocator([pool("p", ["10.0.0.0/16"])]);
  for (let i = 0; i < 65_536; i++) {
    assert.equal(made.decide(request(`ns/s${i}`)).kind, "assigned");
  }
  assert.equal(made.decide(request("ns/more")).kind, "pending");
  for (const i of [900, 30, 65_535, 77]) assert.equal(made.release(`ns/s${i}`).length, 1);
  const again = [1, 2, 3, 4].map((i) => given(made, request(`ns/again${i}`))[0]);
  assert.deepEqual(again, ["10.0.0.30", "10.0.0.77", "10.0.3.132", "10.0.255.255"]);
});
