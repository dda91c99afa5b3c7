// Stories of Services that share an address, in MetalLB's rules to the letter: who may join whom,
// what a change of key, ports or traffic policy does, and who is to be asked again after it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool } from "../../../src/ipam/types.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

const LAN = pool("lan", ["10.0.0.0/29"]);

function allocator(...pools: readonly AllocatablePool[]): Allocator {
  const made = new Allocator();
  made.configure(pools.length > 0 ? pools : [LAN], new Map());
  return made;
}

/** The address that the Service gets, or why it gets none. */
function ask(made: Allocator, key: string, options: RequestOptions = {}): string {
  const decision = made.decide(request(key, options));
  return decision.kind === "pending" ? decision.detail : decision.addresses.join(" ");
}

const DNS = { share: "dns", requested: ["10.0.0.5"], ports: ["TCP/53"] };
const UDP = { ...DNS, ports: ["UDP/53"] };
const NO_KEY = "both must have the annotation metallb.io/allow-shared-ip to share an address";
const BACKEND =
  "to share an address, both must have externalTrafficPolicy: Cluster, or both Local and the " +
  "same selector";
const inUse = (rule: string): string =>
  `can't change sharing key for "ns/b", address also in use by ns/a (10.0.0.5: ${rule})`;

/** ns/a has 10.0.0.5 as the first says; ns/b asks for it as the second says. */
const JOINS: readonly (readonly [string, RequestOptions, RequestOptions, string])[] = [
  ["no keys", { requested: ["10.0.0.5"] }, { requested: ["10.0.0.5"] }, inUse(NO_KEY)],
  ["a key on the second alone", { requested: ["10.0.0.5"] }, UDP, inUse(NO_KEY)],
  ["a key on the first alone", DNS, { ...UDP, share: "" }, inUse(NO_KEY)],
  ["other keys", DNS, { ...UDP, share: "web" }, inUse("their sharing keys differ")],
  ["Cluster beside Local", DNS, { ...UDP, backend: "app=a" }, inUse(BACKEND)],
  [
    "Local with other selectors",
    { ...DNS, backend: "app=a" },
    { ...UDP, backend: "app=b" },
    inUse(BACKEND),
  ],
  ["the same port", DNS, DNS, 'port TCP/53 is already in use on "10.0.0.5"'],
  [
    "one port of two",
    DNS,
    { ...DNS, ports: ["TCP/80", "TCP/53"] },
    'port TCP/53 is already in use on "10.0.0.5"',
  ],
  ["one key and ports of their own", DNS, UDP, "10.0.0.5"],
  [
    "Local with one selector",
    { ...DNS, backend: "app=a" },
    { ...UDP, backend: "app=a" },
    "10.0.0.5",
  ],
];

for (const [name, first, second, outcome] of JOINS) {
  test(`decide() of a request for another's address, with ${name}`, () => {
    const made = allocator();
    assert.equal(ask(made, "ns/a", first), "10.0.0.5");
    assert.equal(ask(made, "ns/b", second), outcome);
    const owners = outcome === "10.0.0.5" ? ["ns/a", "ns/b"] : ["ns/a"];
    assert.deepEqual(made.ownersOf(ip("10.0.0.5")), owners);
  });
}

test("decide() lets a Service of another namespace join: who knows the key may", () => {
  const made = allocator();
  ask(made, "ns/a", DNS);
  assert.equal(ask(made, "other/b", UDP), "10.0.0.5");
});

test("decide() without a request puts a Service beside others, on the first that has room", () => {
  const made = allocator();
  assert.equal(ask(made, "ns/plain"), "10.0.0.0");
  assert.equal(ask(made, "ns/a", { share: "k", ports: ["TCP/80"] }), "10.0.0.1");
  assert.equal(ask(made, "ns/b", { share: "k", ports: ["TCP/80"] }), "10.0.0.2");
  assert.equal(ask(made, "ns/c", { share: "k", ports: ["TCP/443"] }), "10.0.0.1");
  assert.equal(ask(made, "ns/d", { share: "k", ports: ["TCP/443"] }), "10.0.0.2");
  assert.equal(ask(made, "ns/e", { share: "other", ports: ["UDP/1"] }), "10.0.0.3");
  made.release("ns/plain");
  assert.equal(ask(made, "ns/f", { share: "k", ports: ["UDP/1"] }), "10.0.0.0", "a lower free one");
});

test("decide() in a full pool still puts a Service beside others", () => {
  const made = allocator(pool("one", ["10.0.0.5/32"]));
  assert.equal(ask(made, "ns/a", { share: "k", ports: ["TCP/80"] }), "10.0.0.5");
  assert.equal(ask(made, "ns/b", { share: "k", ports: ["TCP/81"] }), "10.0.0.5");
  assert.equal(ask(made, "ns/c"), "no available IPs: one (1 of 1 used)");
});

test("decide() puts both families beside others", () => {
  const made = allocator(pool("dual", ["10.0.0.0/31", "2001:db8::/127"]));
  const both = { families: [4, 6], share: "k", familyPolicy: "RequireDualStack" } as const;
  assert.equal(ask(made, "ns/a", { ...both, ports: ["TCP/1"] }), "10.0.0.0 2001:db8::");
  assert.equal(ask(made, "ns/b", { ...both, ports: ["TCP/2"] }), "10.0.0.0 2001:db8::");
});

test("decide() lets the only Service on an address change its key, and keeps it", () => {
  const made = allocator();
  ask(made, "ns/a", DNS);
  const before = made.generation;
  const kept = { ...DNS, current: ["10.0.0.5"], share: "new" };
  assert.equal(ask(made, "ns/a", kept), "10.0.0.5");
  assert.notEqual(made.generation, before, "who waits is to be asked again");
  assert.equal(ask(made, "ns/b", UDP), inUse("their sharing keys differ"));
  assert.equal(ask(made, "ns/b", { ...UDP, share: "new" }), "10.0.0.5");
});

const LOSSES: readonly (readonly [string, RequestOptions, string])[] = [
  ["changes its key", { share: "new" }, "their sharing keys differ"],
  ["gives its key up", { share: "" }, NO_KEY],
  ["becomes Local", { backend: "app=b" }, BACKEND],
];

for (const [name, change, rule] of LOSSES) {
  test(`decide() takes a shared address from the one that ${name}, and no other`, () => {
    const made = allocator();
    ask(made, "ns/a", DNS);
    ask(made, "ns/b", UDP);
    const current = { requested: [], current: ["10.0.0.5"] };
    const decision = made.decide(request("ns/b", { ...UDP, ...current, ...change }));
    assert.deepEqual(decision.cleared?.detail, inUse(rule));
    assert.deepEqual(decision.addresses, ["10.0.0.0"]);
    assert.deepEqual(made.ownersOf(ip("10.0.0.5")), ["ns/a"]);
  });
}

test("decide() takes a shared address from the one that wants another's port", () => {
  const made = allocator();
  ask(made, "ns/a", DNS);
  ask(made, "ns/b", UDP);
  const greedy = { ...UDP, requested: [], current: ["10.0.0.5"], ports: ["UDP/53", "TCP/53"] };
  const decision = made.decide(request("ns/b", greedy));
  assert.equal(decision.cleared?.detail, 'port TCP/53 is already in use on "10.0.0.5"');
  assert.deepEqual(made.ownersOf(ip("10.0.0.5")), ["ns/a"]);
});

test("a port that is given up is free for others, and said so by the generation", () => {
  const made = allocator();
  ask(made, "ns/a", { ...DNS, ports: ["TCP/53", "UDP/53"] });
  assert.equal(ask(made, "ns/b", UDP), 'port UDP/53 is already in use on "10.0.0.5"');
  const before = made.generation;
  ask(made, "ns/a", { ...DNS, current: ["10.0.0.5"] });
  assert.notEqual(made.generation, before);
  assert.equal(ask(made, "ns/b", UDP), "10.0.0.5");
});

test("a port that is given up is found without asking for the address", () => {
  const made = allocator(pool("one", ["10.0.0.5/32"]));
  ask(made, "ns/a", { share: "k", ports: ["TCP/1", "TCP/2"] });
  ask(made, "ns/z", { share: "k", ports: ["TCP/3"] });
  assert.match(ask(made, "ns/b", { share: "k", ports: ["TCP/2"] }), /no available/);
  ask(made, "ns/a", { share: "k", ports: ["TCP/1"], current: ["10.0.0.5"] });
  assert.equal(ask(made, "ns/b", { share: "k", ports: ["TCP/2"] }), "10.0.0.5");
  made.release("ns/a");
  assert.equal(ask(made, "ns/c", { share: "k", ports: ["TCP/1"] }), "10.0.0.5");
});

test("a shared address is free when the last of its Services has gone", () => {
  const made = allocator(pool("one", ["10.0.0.5/32"]));
  ask(made, "ns/a", DNS);
  ask(made, "ns/b", UDP);
  made.release("ns/a");
  assert.match(ask(made, "ns/c"), /no available/);
  made.release("ns/b");
  assert.equal(ask(made, "ns/c"), "10.0.0.5");
});

test("an address that was shared once is no longer, when somebody else has it", () => {
  const made = allocator(pool("two", ["10.0.0.5-10.0.0.6"]));
  const shares = (port: string) => ({ share: "k", ports: [port] });
  assert.equal(ask(made, "ns/a", shares("TCP/1")), "10.0.0.5");
  assert.equal(ask(made, "ns/b", shares("TCP/1")), "10.0.0.6");
  made.release("ns/a");
  assert.equal(ask(made, "ns/plain", { ports: ["TCP/9"] }), "10.0.0.5");
  assert.equal(ask(made, "ns/c", shares("TCP/2")), "10.0.0.6");
});

test("decide() puts nobody beside a Service that keeps an address that is reserved now", () => {
  const made = allocator(pool("two", ["10.0.0.5-10.0.0.6"]));
  assert.equal(ask(made, "ns/a", { share: "k", ports: ["TCP/1"] }), "10.0.0.5");
  const reserved = new Map([[ip("10.0.0.5"), "the address of a node"]]);
  made.configure([pool("two", ["10.0.0.5-10.0.0.6"])], reserved);
  const kept = { share: "k", ports: ["TCP/1"], current: ["10.0.0.5"] };
  assert.equal(ask(made, "ns/a", kept), "10.0.0.5");
  assert.equal(ask(made, "ns/b", { share: "k", ports: ["TCP/2"] }), "10.0.0.6");
});

test("the generation stays where nothing becomes possible", () => {
  const made = allocator();
  ask(made, "ns/a");
  const before = made.generation;
  ask(made, "ns/b");
  ask(made, "ns/b", { current: ["10.0.0.1"] });
  ask(made, "ns/c", { requested: ["10.0.0.1"] });
  assert.equal(made.generation, before);
});

test("usage() counts a shared address once", () => {
  const made = allocator();
  ask(made, "ns/a", DNS);
  ask(made, "ns/b", UDP);
  const none = { quarantined: 0, cooling: 0 };
  const once = { assignedIpv4: 1, availableIpv4: 7, assignedIpv6: 0, availableIpv6: 0, ...none };
  assert.deepEqual(made.usage(), [{ pool: "lan", ...once }]);
  made.configure([LAN], new Map());
  assert.deepEqual(made.usage(), [{ pool: "lan", ...once }]);
  made.release("ns/a");
  assert.deepEqual(made.usage(), [{ pool: "lan", ...once }]);
});

test("adoptAll() keeps what is shared, and of those that may not share the one with more", () => {
  const made = allocator(pool("dual", ["10.0.0.0/29", "2001:db8::/125"]));
  const both = { families: [4, 6] as const, current: ["10.0.0.2", "2001:db8::2"] };
  made.adoptAll([
    request("ns/a", { current: ["10.0.0.2"] }),
    request("ns/b", { ...DNS, current: ["10.0.0.5"] }),
    request("ns/c", { ...UDP, current: ["10.0.0.5"] }),
    request("ns/z", both),
    request("ns/y", { current: ["10.0.0.1"] }),
    request("ns/x", { current: ["10.0.0.1"] }),
  ]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.2")), ["ns/z"]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.5")), ["ns/b", "ns/c"]);
  assert.deepEqual(made.ownersOf(ip("10.0.0.1")), ["ns/x"], "of equal ones by name");
});

test("decide() fills a /19 with one key and one port, then with another port", () => {
  const made = allocator(pool("p", ["10.0.0.0/19"]));
  const of = (port: string) => ({ share: "k", ports: [port] });
  for (let i = 0; i < 8_192; i++) made.decide(request(`ns/a${i}`, of("TCP/80")));
  assert.match(ask(made, "ns/more", of("TCP/80")), /8192 of 8192 used/);
  for (let i = 0; i < 8_192; i++) {
    const decision = made.decide(request(`ns/b${i}`, of("TCP/443")));
    if (i % 512 === 0)
      assert.deepEqual(
        decision.addresses,
        made.decide(request(`ns/a${i}`, of("TCP/80"))).addresses,
      );
  }
  assert.equal(made.usage()[0]?.assignedIpv4, 8_192);
  made.release("ns/a77");
  assert.equal(ask(made, "ns/again", of("TCP/80")), "10.0.0.77");
});
