// Tests of what a Service keeps, and when it loses it: adoption, changed requests, changed pools.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool } from "../../../src/ipam/types.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

const LAN = pool("lan", ["10.0.0.0/29"]);
const NONE: ReadonlyMap<ReturnType<typeof ip>, string> = new Map();

function allocator(...pools: readonly AllocatablePool[]): Allocator {
  const made = new Allocator();
  made.configure(pools, NONE);
  return made;
}

interface Lost {
  readonly name: string;
  readonly ask: RequestOptions;
  readonly cleared: string;
  readonly left: readonly string[];
}

const LOST: readonly Lost[] = [
  {
    name: "an address that no pool holds",
    ask: { current: ["10.7.0.1"] },
    cleared: '["10.7.0.1"] is not allowed in config: no one pool holds it',
    left: ["10.0.0.0"],
  },
  {
    name: "an address that another Service has",
    ask: { current: ["10.0.0.5"] },
    cleared:
      'can\'t change sharing key for "ns/s", address also in use by ns/other (10.0.0.5: both ' +
      "must have the annotation metallb.io/allow-shared-ip to share an address)",
    left: ["10.0.0.0"],
  },
  {
    name: "an address of another family",
    ask: { families: [6], current: ["10.0.0.1"] },
    cleared: `["10.0.0.1"] does not match the Service's cluster IPs (IPv6)`,
    left: [],
  },
  {
    name: "one address where both families are required",
    ask: { families: [4, 6], familyPolicy: "RequireDualStack", current: ["10.0.0.1"] },
    cleared: `["10.0.0.1"] does not match the Service's cluster IPs (IPv4 and IPv6)`,
    left: [],
  },
  {
    name: "two addresses of one family",
    ask: { current: ["10.0.0.1", "10.0.0.2"] },
    cleared: `["10.0.0.1" "10.0.0.2"] does not match the Service's cluster IPs (IPv4)`,
    left: ["10.0.0.0"],
  },
  {
    name: "the old address when the request changes",
    ask: { current: ["10.0.0.1"], requested: ["10.0.0.2"] },
    cleared: 'the Service asks for ["10.0.0.2"] now',
    left: ["10.0.0.2"],
  },
  {
    name: "the old address when the request changes to one that another has",
    ask: { current: ["10.0.0.1"], requested: ["10.0.0.5"] },
    cleared: 'the Service asks for ["10.0.0.5"] now',
    left: [],
  },
  {
    name: "the old address when the request changes to one of no pool",
    ask: { current: ["10.0.0.1"], requested: ["10.7.0.1"] },
    cleared: 'the Service asks for ["10.7.0.1"] now',
    left: [],
  },
];

for (const { name, ask, cleared, left } of LOST) {
  test(`decide() takes away ${name}`, () => {
    const made = allocator(LAN);
    made.adopt(request("ns/other", { current: ["10.0.0.5"] }));
    const decision = made.decide(request("ns/s", ask));
    assert.deepEqual(decision.cleared, {
      addresses: (ask.current ?? []).map(ip),
      detail: cleared,
    });
    assert.deepEqual(decision.addresses, left);
    assert.deepEqual(made.ownersOf(ip("10.0.0.5")), ["ns/other"]);
    assert.deepEqual(made.ownersOf(ip("10.0.0.1")), []);
  });
}

const LACKS_IPV6 = "no available IPv6 address in pool lan, which has the other one";

interface Kept {
  readonly name: string;
  readonly ask: RequestOptions;
}

const KEPT: readonly Kept[] = [
  { name: "what the status says", ask: { current: ["10.0.0.3"] } },
  { name: "what is also requested", ask: { current: ["10.0.0.3"], requested: ["10.0.0.3"] } },
  {
    name: "one address where one family is enough",
    ask: { families: [6, 4], current: ["10.0.0.3"] },
  },
  { name: "an address that is reserved now", ask: { current: ["10.0.0.6"] } },
];

for (const { name, ask } of KEPT) {
  test(`decide() keeps ${name}`, () => {
    const made = new Allocator();
    made.configure([LAN], new Map([[ip("10.0.0.6"), "the address of a node"]]));
    const expected = {
      kind: "assigned",
      how: "kept",
      addresses: ask.current,
      pool: "lan",
      lacks: ask.families === undefined ? null : LACKS_IPV6,
      cleared: null,
    };
    assert.deepEqual(made.decide(request("ns/s", ask)), expected);
    assert.deepEqual(made.decide(request("ns/s", ask)), expected, "again");
  });
}

test("decide() keeps both requested families in whatever order the status has them", () => {
  const made = allocator(pool("dual", ["10.0.0.0/30", "2001:db8::/126"]));
  const decision = made.decide(
    request("ns/s", {
      families: [4, 6],
      requested: ["2001:db8::1", "10.0.0.1"],
      current: ["10.0.0.1", "2001:db8::1"],
    }),
  );
  assert.ok(decision.kind === "assigned" && decision.how === "kept");
});

test("decide() keeps the old address while the request cannot be read, and says so", () => {
  const made = allocator(LAN);
  const unreadable = { unreadable: "found two addresses of one family" };
  const decision = made.decide(request("ns/s", { current: ["10.0.0.1"], requested: unreadable }));
  assert.deepEqual(decision, {
    kind: "pending",
    reason: "unreadable-request",
    detail: unreadable.unreadable,
    addresses: ["10.0.0.1"],
    cleared: null,
  });
  assert.deepEqual(made.ownersOf(ip("10.0.0.1")), ["ns/s"]);
});

test("decide() before the status is written answers with what was decided", () => {
  const made = allocator(LAN);
  const first = made.decide(request("ns/s"));
  assert.ok(first.kind === "assigned" && first.how === "new");
  const second = made.decide(request("ns/s"));
  assert.ok(second.kind === "assigned" && second.how === "kept");
  assert.deepEqual(second.addresses, first.addresses);
});

test("adopt() of all comes before decide() of any: nothing is given away", () => {
  const made = allocator(LAN);
  const greedy = request("ns/greedy", { current: ["10.7.0.1"], requested: ["10.0.0.0"] });
  const moved = request("ns/moved", { current: ["10.7.0.2"] });
  const quiet = request("ns/quiet", { current: ["10.0.0.0"] });
  for (const one of [greedy, moved, quiet]) made.adopt(one);
  assert.equal(made.decide(greedy).kind, "pending");
  assert.deepEqual(made.decide(moved).addresses, ["10.0.0.1"]);
  const kept = made.decide(quiet);
  assert.deepEqual([kept.addresses, kept.cleared], [["10.0.0.0"], null]);
});

test("adopt() leaves a Service alone that was decided on since its status was read", () => {
  const made = allocator(LAN);
  made.decide(request("ns/s", { current: ["10.0.0.1"], requested: ["10.0.0.2"] }));
  made.adopt(request("ns/s", { current: ["10.0.0.1"] }));
  assert.deepEqual(made.ownersOf(ip("10.0.0.2")), ["ns/s"]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.1")), []);
});

test("adopt() of one address by two Services is for the first", () => {
  const made = allocator(LAN);
  made.adopt(request("ns/a", { current: ["10.0.0.1"] }));
  made.adopt(request("ns/b", { current: ["10.0.0.1"] }));
  assert.deepEqual(made.ownersOf(ip("10.0.0.1")), ["ns/a"]);
});

test("configure() with a smaller pool: what is outside is cleared, the rest stays", () => {
  const made = allocator(LAN);
  const inside = made.decide(request("ns/in"));
  const outside = made.decide(request("ns/out", { requested: ["10.0.0.7"] }));
  made.configure([pool("lan", ["10.0.0.0/30"])], NONE);
  assert.deepEqual(made.decide(request("ns/in")).addresses, inside.addresses);
  const decision = made.decide(request("ns/out", { current: ["10.0.0.7"] }));
  assert.deepEqual(decision.cleared?.addresses, outside.addresses);
  assert.deepEqual(decision.addresses, ["10.0.0.1"]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.7")), []);
});

test("configure() with renamed and split pools keeps every address", () => {
  const made = allocator(LAN);
  const before = [0, 1, 2, 3, 4].map((i) => made.decide(request(`ns/s${i}`)).addresses[0] ?? "");
  made.configure([pool("lower", ["10.0.0.0/30"]), pool("upper", ["10.0.0.4/30"])], NONE);
  const after = before.map((current, i) =>
    made.decide(request(`ns/s${i}`, { current: [current] })),
  );
  assert.deepEqual(
    after.map((decision) => decision.addresses[0]),
    before,
  );
  const pools = after.map((decision) => (decision.kind === "assigned" ? decision.pool : "none"));
  assert.deepEqual(pools, ["lower", "lower", "lower", "lower", "upper"]);
  assert.deepEqual(
    made.usage().map(({ assignedIpv4, availableIpv4 }) => [assignedIpv4, availableIpv4]),
    [
      [4, 0],
      [1, 3],
    ],
  );
});

test("configure() without pools clears, and with them again gives the same", () => {
  const made = allocator(LAN);
  const before = made.decide(request("ns/s")).addresses;
  made.configure([], NONE);
  const none = made.decide(request("ns/s", { current: ["10.0.0.0"] }));
  assert.ok(none.kind === "pending" && none.reason === "no-pool");
  assert.deepEqual(none.cleared?.addresses, before);
  made.configure([LAN], NONE);
  assert.deepEqual(made.decide(request("ns/s")).addresses, before);
});

test("decide() of a kept Service again and again leaves the others as they are", () => {
  const made = allocator(LAN);
  made.decide(request("ns/first"));
  made.decide(request("ns/second"));
  for (let i = 0; i < 1_000; i++) made.decide(request("ns/first", { current: ["10.0.0.0"] }));
  assert.deepEqual(made.decide(request("ns/third")).addresses, ["10.0.0.2"]);
});
