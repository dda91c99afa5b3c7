// Tests of free addresses that are not for everybody: those that other hosts answer for, those that
// another Service had a moment ago, and those that are kept for one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { Rest } from "../../../src/ipam/withheld.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

const LAN = pool("lan", ["10.0.0.0/30"]);
const PRINTER = "02:00:00:00:00:99";

function allocator(...pools: Parameters<Allocator["configure"]>[0]): Allocator {
  const made = new Allocator();
  made.configure(pools.length === 0 ? [LAN] : pools, new Map());
  return made;
}

/** The addresses that the Service gets, or why it gets none. */
function ask(made: Allocator, key: string, options: RequestOptions = {}): string {
  const decision = made.decide(request(key, options));
  return decision.kind === "assigned" ? decision.addresses.join(" ") : decision.reason;
}

function rest(made: Allocator, address: string, to: string, kind: Rest["kind"]): void {
  made.rest(ip(address), { for: to, kind });
}

test("decide() passes over what is quarantined, and gives it once that is over", () => {
  const made = allocator();
  made.quarantine(ip("10.0.0.0"), PRINTER);
  assert.equal(ask(made, "ns/a"), "10.0.0.1");
  const { generation } = made;
  made.endQuarantine(ip("10.0.0.0"));
  assert.ok(made.generation > generation, "who waits is asked again");
  assert.equal(ask(made, "ns/b"), "10.0.0.0");
});

test("decide() of a request for what is quarantined says which host has it", () => {
  const made = allocator();
  made.quarantine(ip("10.0.0.2"), PRINTER);
  const decision = made.decide(request("ns/a", { requested: ["10.0.0.2"] }));
  assert.ok(decision.kind === "pending");
  assert.equal(decision.reason, "answered");
  assert.match(decision.detail, /"10\.0\.0\.2" is in use on the network: host 02:00:00:00:00:99/);
  made.endQuarantine(ip("10.0.0.2"));
  assert.equal(ask(made, "ns/a", { requested: ["10.0.0.2"] }), "10.0.0.2");
});

test("decide() takes nothing away that is quarantined later", () => {
  const made = allocator();
  assert.equal(ask(made, "ns/a"), "10.0.0.0");
  made.quarantine(ip("10.0.0.0"), PRINTER);
  assert.equal(ask(made, "ns/a", { current: ["10.0.0.0"] }), "10.0.0.0");
  made.configure([LAN], new Map());
  assert.equal(ask(made, "ns/a", { current: ["10.0.0.0"] }), "10.0.0.0");
});

test("decide() lets nobody join what is quarantined, and whoever likes once it is not", () => {
  const made = allocator();
  const dns = { share: "dns", ports: ["TCP/53"] };
  const udp = { share: "dns", ports: ["UDP/53"] };
  assert.equal(ask(made, "ns/a", dns), "10.0.0.0");
  made.quarantine(ip("10.0.0.0"), PRINTER);
  assert.equal(ask(made, "ns/b", udp), "10.0.0.1");
  assert.equal(ask(made, "ns/c", { ...udp, requested: ["10.0.0.0"] }), "answered");
  made.endQuarantine(ip("10.0.0.0"));
  made.release("ns/b");
  assert.equal(ask(made, "ns/b", udp), "10.0.0.0");
});

test("decide() says of a pool that is used up what is used, quarantined and cooling down", () => {
  const made = allocator();
  ask(made, "ns/a");
  made.quarantine(ip("10.0.0.1"), PRINTER);
  made.quarantine(ip("10.0.0.2"), PRINTER);
  rest(made, "10.0.0.3", "ns/gone", "cooling");
  const decision = made.decide(request("ns/b"));
  assert.ok(decision.kind === "pending");
  assert.equal(
    decision.detail,
    "no available IPs: lan (1 of 4 used, 2 quarantined, as other hosts answer for them, " +
      "1 cooling down)",
  );
  const [usage] = made.usage();
  assert.deepEqual([usage?.availableIpv4, usage?.quarantined, usage?.cooling], [0, 2, 1]);
});

test("decide() gives what cools down to nobody but the Service that had it", () => {
  const made = allocator();
  rest(made, "10.0.0.0", "ns/a", "cooling");
  assert.equal(ask(made, "ns/b"), "10.0.0.1");
  assert.equal(ask(made, "ns/c", { requested: ["10.0.0.0"] }), "cooling");
  assert.equal(ask(made, "ns/a"), "10.0.0.0");
  made.release("ns/a");
  assert.equal(ask(made, "ns/c", { requested: ["10.0.0.0"] }), "10.0.0.0");
});

test("decide() gives a Service that comes back what it had, from whichever pool that was", () => {
  const made = allocator(LAN, pool("more", ["10.0.1.0/30"]));
  rest(made, "10.0.1.2", "ns/a", "reserved");
  assert.equal(ask(made, "ns/b"), "10.0.0.0");
  assert.equal(ask(made, "ns/a"), "10.0.1.2");
  rest(made, "10.0.0.3", "ns/c", "reserved");
  assert.equal(ask(made, "ns/c", { pool: "more" }), "10.0.1.0", "it asks for another pool now");
});

test("decide() gives up what is kept for another when there is nothing else, or on request", () => {
  const made = allocator();
  rest(made, "10.0.0.0", "ns/a", "reserved");
  rest(made, "10.0.0.1", "ns/a", "reserved");
  assert.equal(ask(made, "ns/b"), "10.0.0.2");
  assert.equal(ask(made, "ns/c"), "10.0.0.3");
  assert.equal(ask(made, "ns/d", { requested: ["10.0.0.1"] }), "10.0.0.1");
  assert.equal(ask(made, "ns/e"), "10.0.0.0");
  assert.equal(ask(made, "ns/f"), "exhausted");
});

test("decide() gives up what is kept for both families together", () => {
  const made = allocator(pool("dual", ["10.0.0.0/32", "2001:db8::/126"]));
  rest(made, "10.0.0.0", "ns/a", "reserved");
  const both = { families: [4, 6], familyPolicy: "RequireDualStack" } as const;
  assert.equal(ask(made, "ns/b", both), "10.0.0.0 2001:db8::");
});

test("upcoming() names what is handed out next, in that order, and changes nothing", () => {
  const made = allocator();
  made.quarantine(ip("10.0.0.1"), PRINTER);
  assert.equal(ask(made, "ns/a"), "10.0.0.0");
  const asked: number[] = [];
  const eight = (free: number): number => {
    asked.push(free);
    return 8;
  };
  assert.deepEqual(made.upcoming(4, eight), ["10.0.0.2", "10.0.0.3"]);
  assert.deepEqual(
    made.upcoming(4, () => 1),
    ["10.0.0.2"],
  );
  assert.deepEqual(made.upcoming(6, eight), []);
  assert.deepEqual(asked, [3, 0], "free, or withheld");
  made.release("ns/a");
  assert.deepEqual(made.upcoming(4, eight), ["10.0.0.0", "10.0.0.2", "10.0.0.3"]);
  for (const next of ["10.0.0.0", "10.0.0.2", "10.0.0.3", "exhausted"]) {
    assert.equal(ask(made, `ns/${next}`), next);
  }
});

type Step =
  | { readonly do: "ask" | "release"; readonly key: string; readonly asks: string | null }
  | { readonly do: "quarantine" | "endQuarantine" | "endRest"; readonly address: string }
  | { readonly do: "rest"; readonly address: string; readonly to: string; kind: Rest["kind"] };

const KEYS = ["ns/a", "ns/b", "ns/c", "ns/d", "ns/e"];
const ADDRESSES = ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"];
const keys = fc.constantFrom(...KEYS);
const addresses = fc.constantFrom(...ADDRESSES);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("ask" as const, "ask" as const, "release" as const),
    key: keys,
    asks: fc.option(addresses, { freq: 3 }),
  }),
  fc.record({
    do: fc.constantFrom("quarantine" as const, "endQuarantine" as const, "endRest" as const),
    address: addresses,
  }),
  fc.record({
    do: fc.constant("rest" as const),
    address: addresses,
    to: keys,
    kind: fc.constantFrom("cooling" as const, "reserved" as const),
  }),
);

/** What is withheld and held, as the rules have it, beside the allocator. */
class Bookkeeping {
  readonly made = allocator();
  readonly held = new Map<string, string>();
  readonly quarantined = new Set<string>();
  readonly resting = new Map<string, { to: string; kind: Rest["kind"] }>();

  run(step: Step): void {
    switch (step.do) {
      case "ask":
        return this.#ask(step.key, step.asks);
      case "release":
        this.made.release(step.key);
        return void this.held.delete(step.key);
      case "quarantine":
        this.made.quarantine(ip(step.address), PRINTER);
        return void this.quarantined.add(step.address);
      case "endQuarantine":
        this.made.endQuarantine(ip(step.address));
        return void this.quarantined.delete(step.address);
      case "endRest":
        this.made.endRest(ip(step.address));
        return void this.resting.delete(step.address);
      case "rest":
        if ([...this.held.values()].includes(step.address)) return;
        rest(this.made, step.address, step.to, step.kind);
        return void this.resting.set(step.address, step);
    }
  }

  #ask(key: string, asks: string | null): void {
    const before = this.held.get(key);
    // Who has an address asks for no other: that would be a wish to lose it.
    const requested = before === undefined && asks !== null ? [asks] : [];
    const current = before === undefined ? [] : [before];
    const got = ask(this.made, key, { requested, current });
    if (before !== undefined) return assert.equal(got, before, "nothing held is taken away");
    if (!ADDRESSES.includes(got)) return this.#checkRefusal(key, requested);
    assert.ok(!this.quarantined.has(got), `${got} is quarantined`);
    assert.ok(![...this.held.values()].includes(got), `${got} is held`);
    const kept = this.resting.get(got);
    if (kept !== undefined && kept.to !== key) {
      assert.equal(kept.kind, "reserved", `${got} cools down`);
      const isLast = this.#free().every((address) => this.resting.has(address));
      assert.ok(requested.length > 0 || isLast, `${got} is kept for another`);
    }
    this.resting.delete(got);
    this.held.set(key, got);
  }

  /** Nothing is refused that could be had. */
  #checkRefusal(key: string, requested: readonly string[]): void {
    const isOpen = (address: string): boolean => {
      const kept = this.resting.get(address);
      return kept === undefined || kept.kind === "reserved" || kept.to === key;
    };
    const candidates = requested.length > 0 ? requested : ADDRESSES;
    const possible = this.#free().filter((one) => isOpen(one) && candidates.includes(one));
    assert.deepEqual(possible, []);
  }

  #free(): string[] {
    const held = [...this.held.values()];
    return ADDRESSES.filter((one) => !held.includes(one) && !this.quarantined.has(one));
  }
}

test("What is withheld is not handed out, whatever comes; what is held stays", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60 }), (list) => {
      const book = new Bookkeeping();
      for (const step of list) book.run(step);
    }),
    { numRuns: 1_000 },
  );
});
